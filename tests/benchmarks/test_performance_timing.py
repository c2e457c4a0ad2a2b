"""Timing side by side: what counts, what is left out, and what a row says of it."""

import pytest

from benchmarks.performance import timing
from benchmarks.performance.timing import Timed, side_by_side, spread, with_ratios


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when it is told to."""

    class Clock:
        now = 0.0

        def advance(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(timing.time, "process_time", lambda: 2 * clock.now)
    return clock


def test_the_first_run_does_not_count_and_each_round_runs_each_once(clock):
    order = []

    def run(name, seconds):
        order.append(name)
        clock.advance(seconds.pop(0))

    seconds = {"a": [9.0, 1.0, 3.0], "b": [9.0, 0.5, 0.5]}
    things = [Timed({"name": name}, lambda name=name: run(name, seconds[name])) for name in "ab"]
    first, second = side_by_side(things, rounds=2, budget_s=10)
    assert order == ["a", "b"] * 3
    assert (first["name"], first["ms"], first["runs"], first["cpu_ms"]) == ("a", 2000, 2, 2000)
    assert (second["ms"], second["low_ms"], second["high_ms"]) == (500, 500, 500)


def test_what_is_slow_sits_out_and_what_is_very_slow_runs_once(clock):
    things = [Timed({}, lambda: clock.advance(7.0)), Timed({}, lambda: clock.advance(30.0))]
    slow, slowest = side_by_side(things, rounds=5, budget_s=20)
    assert (slow["runs"], slowest["runs"]) == (3, 1)
    assert (slowest["ms"], slowest["low_ms"], slowest["high_ms"]) == (30_000, 30_000, 30_000)


def test_what_is_prepared_is_not_timed_and_goes_to_the_run(clock):
    received = []

    def prepare():
        clock.advance(100.0)
        return "ready"

    def run(what):
        received.append(what)
        clock.advance(1.0)

    (row,) = side_by_side([Timed({}, run, prepare, share=0.25)], rounds=1)
    assert received == ["ready", "ready"]
    assert (row["ms"], row["share"]) == (4000, 0.25)


def test_the_spread_is_quartiles():
    assert spread([4.0, 1.0, 2.0, 3.0, 5.0]) == {"ms": 3.0, "low_ms": 2.0, "high_ms": 4.0, "runs": 5}


def test_a_ratio_is_to_the_row_that_is_named():
    rows = with_ratios([{"n": 1, "ms": 2.0}, {"n": 2, "ms": 5.0}], lambda row: {"ms": 2.0})
    assert [row["ratio"] for row in rows] == [1, 2.5]
