"""Jobs through a pool that needs no cluster: a script says which worker dies when."""

import pytest

from posecli.cluster.pool import Finished, Lost, Ready, Reports, run_jobs
from posecli.errors import PosecliError


class Script:
    """A pool whose workers do a job at once, unless the script has them die.

    Args:
        deaths: of each job, over how many of its first tries the worker dies.
        failed_starts: how many of the first workers die as they start.
    """

    def __init__(self, deaths=None, failed_starts=0):
        self.deaths, self.failed_starts = dict(deaths or {}), failed_starts
        self.started, self.given, self.events = 0, [], []

    def start(self):
        self.started += 1
        fails = self.started <= self.failed_starts
        self.events.append(Lost(self.started, "no room") if fails else Ready(self.started))
        return self.started

    def give(self, worker, job):
        self.given.append(job)
        if self.deaths.get(job, 0):
            self.deaths[job] -= 1
            self.events.append(Lost(worker, "killed"))
        else:
            self.events.append(Finished(worker, job.upper()))

    def wait(self, timeout_s):
        assert self.events, "nothing will ever happen"
        events, self.events = self.events, []
        return events


def run(pool, jobs, workers=2):
    done, given_up = {}, {}
    run_jobs(jobs, pool, workers, Reports(done.__setitem__, given_up.__setitem__), tries=3)
    return done, given_up


def test_all_are_done_by_few():
    pool = Script()
    assert run(pool, "abcde") == ({letter: letter.upper() for letter in "abcde"}, {})
    assert pool.started == 2
    assert pool.given == list("abcde")


def test_no_more_workers_than_jobs():
    pool = Script()
    run(pool, "a", workers=9)
    assert pool.started == 1


def test_a_death_is_made_up_for():
    pool = Script({"b": 2})
    assert run(pool, "abc") == ({"a": "A", "b": "B", "c": "C"}, {})
    assert pool.given.count("b") == 3
    assert pool.given.count("a") == pool.given.count("c") == 1


def test_what_always_dies_is_given_up_and_the_rest_is_done():
    pool = Script({"a": 99})
    done, given_up = run(pool, "abc")
    assert done == {"b": "B", "c": "C"}
    assert given_up == {"a": "its worker died 3 times; the last one: killed"}


def test_some_starts_may_fail():
    done, given_up = run(Script(failed_starts=2), "abc")
    assert (len(done), given_up) == (3, {})


def test_all_starts_fail():
    with pytest.raises(PosecliError, match="die as they start: no room"):
        run(Script(failed_starts=99), "abc")
