"""Signals: noted once, obeyed at once where that is safe, and never swallowed when they are meant."""

import signal
import threading

import pytest

from posecli.train import interruption
from posecli.train.interruption import Interruption, RunStoppedError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_is_noted_and_the_earlier_handler_comes_back(number):
    before = signal.getsignal(number)
    with Interruption() as noted:
        assert noted.number == 0
        signal.raise_signal(number)
        signal.raise_signal(number)  # the same wish, passed on by a terminal and by torchrun
        assert noted.number == number
    assert signal.getsignal(number) == before


def test_second_wish_is_obeyed_at_once(monkeypatch):
    monkeypatch.setattr(interruption, "SAME_WISH_SECONDS", -1.0)
    with Interruption():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_may_be_left_ends_at_once():
    done = []

    def work():
        done.append("begun")
        signal.raise_signal(signal.SIGTERM)
        done.append("never")

    with Interruption() as noted:
        assert noted.attempt(lambda: 3) == 3
        assert noted.attempt(work) is None
        assert noted.attempt(lambda: done.append("never")) is None
        assert noted.number == signal.SIGTERM
    assert done == ["begun"]


def test_another_interrupt_is_not_taken_for_a_signal():
    def work():
        raise KeyboardInterrupt

    with Interruption() as noted, pytest.raises(KeyboardInterrupt):
        noted.attempt(work)


def test_ignored_signals_stay_ignored():
    """nohup wants a command to survive its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as noted:
            signal.raise_signal(signal.SIGHUP)
            assert noted.number == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_of_the_main_thread_nothing_changes():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with Interruption():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_the_error_says_how_to_go_on(tmp_path):
    error = RunStoppedError(tmp_path, 12, signal.SIGINT)
    assert error.exit_code == 130
    assert str(error) == f"stopped after step 12, which {tmp_path} keeps: go on with --resume"
