"""What all tests share."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal():
    """Ctrl-C and a closed terminal are ignored where the tests run in the background; some tests send them."""
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
