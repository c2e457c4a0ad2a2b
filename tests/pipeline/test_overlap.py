"""Ahead: the same items, bounded, errors carried over, and never a thread left behind."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from posecli.pipeline.overlap import Ahead


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "posecli-ahead"]


class Stream:
    """Numbers; fails before one of them, if told to; knows how many were taken, in which thread, and its end."""

    def __init__(self, count, fails_at=None):
        self.taken, self.threads, self.closed = 0, set(), 0
        self.items = self._items(count, fails_at)

    def _items(self, count, fails_at):
        try:
            for i in range(count):
                if i == fails_at:
                    raise ValueError("damaged")
                self.threads.add(threading.get_ident())
                self.taken += 1
                yield i
        finally:
            self.closed += 1


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_the_same_items_in_order_from_another_thread(count, size):
    stream = Stream(count)
    with Ahead(stream.items, size) as ahead:
        assert list(ahead) == list(range(count))
        assert list(ahead) == []
        assert threads() == []  # at the end already, not only after the block
    assert threading.get_ident() not in stream.threads
    assert stream.closed == 1


@pytest.mark.parametrize("size", [1, 3])
def test_no_more_than_its_size_is_ready(size):
    stream = Stream(50)
    with Ahead(stream.items, size) as ahead:
        for given, _ in enumerate(ahead, 1):
            assert stream.taken <= given + size + 1
    assert stream.taken == 50


def test_nothing_is_taken_before_it_is_asked_for():
    stream = Stream(5)
    with Ahead(stream.items, 2):
        assert threads() == []
    assert stream.taken == 0


@pytest.mark.parametrize("fails_at", [0, 1, 7])
def test_an_error_comes_once_in_its_place(fails_at):
    stream = Stream(9, fails_at)
    with Ahead(stream.items, 2) as ahead:
        assert [next(ahead) for _ in range(fails_at)] == list(range(fails_at))
        with pytest.raises(ValueError, match="damaged"):
            next(ahead)
        assert list(ahead) == []
    assert threads() == []
    assert stream.closed == 1


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("taken", [1, 2, 5])
def test_a_consumer_that_stops_early_leaves_nothing_behind(size, taken):
    stream = Stream(1000)
    ahead = Ahead(stream.items, size)
    with suppress(KeyError), ahead:
        for _ in range(taken):
            next(ahead)
        raise KeyError
    assert threads() == []
    assert stream.closed == 1
    assert stream.taken <= taken + size + 2
    ahead.close()
    assert list(ahead) == []


def test_a_waiting_thread_is_woken():
    """It stands before a full queue when the block ends."""
    stream = Stream(1000)
    with Ahead(stream.items, 1) as ahead:
        next(ahead)
        while stream.taken < 3:  # one given, one ready, one in the hand
            threading.Event().wait(0.001)
    assert threads() == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_stage_that_waits_for_a_closed_one_ends_too():
    held = threading.Event()

    def stream():
        yield 0
        held.wait(10)
        yield 1

    first = Ahead(stream(), 1)
    second = Ahead((item for item in first), 1)
    assert next(second) == 0
    threading.Timer(0.2, held.set).start()  # by then the second one's thread waits for the first one
    first.close()
    assert list(second) == []
    assert threads() == []


def test_ctrl_c_while_it_waits_for_an_item():
    """The stream's third item takes a second; the interruption comes before it."""
    program = (
        "import sys, time, threading\n"
        "from posecli.pipeline.overlap import Ahead\n"
        "def slow():\n"
        "    yield from (0, 1)\n"
        "    print('waiting', flush=True)\n"
        "    time.sleep(1)\n"
        "    while True: yield 2\n"
        "try:\n"
        "    with Ahead(slow(), 1) as ahead:\n"
        "        for item in ahead: pass\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(0 if threading.active_count() == 1 else 4)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"waiting\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    process.stdout.close()
