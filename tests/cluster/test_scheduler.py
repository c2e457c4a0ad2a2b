"""Every job is done once, or given up after as many deaths as it may have."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from posecli.cluster.scheduler import Scheduler


def with_workers(jobs, workers, tries=3):
    scheduler = Scheduler(jobs, tries)
    for worker in range(workers):
        scheduler.starting(worker)
        scheduler.ready(worker)
    return scheduler


def test_jobs_in_order_and_the_next_to_who_is_idle():
    scheduler = with_workers(3, 2)
    assert scheduler.assignments() == [(0, 0), (1, 1)]
    assert scheduler.assignments() == []
    assert scheduler.finished(1) == 1
    assert scheduler.assignments() == [(1, 2)]
    assert not scheduler.is_over
    assert [scheduler.finished(0), scheduler.finished(1)] == [0, 2]
    assert scheduler.is_over


def test_nobody_gets_a_job_who_has_not_started():
    scheduler = Scheduler(1)
    scheduler.starting(7)
    assert scheduler.assignments() == []
    scheduler.ready(7)
    assert scheduler.assignments() == [(7, 0)]


def test_a_job_whose_worker_died_is_tried_last():
    scheduler = with_workers(3, 1)
    assert scheduler.assignments() == [(0, 0)]
    assert scheduler.lost(0) is None
    scheduler.starting(1)
    scheduler.ready(1)
    order = []
    while not scheduler.is_over:
        order += [job for _, job in scheduler.assignments()]
        scheduler.finished(1)
    assert order == [1, 2, 0]


def test_a_job_that_kills_its_workers_is_given_up():
    scheduler = Scheduler(1, tries=2)
    given_up = []
    for worker in range(2):
        scheduler.starting(worker)
        scheduler.ready(worker)
        assert scheduler.assignments() == [(worker, 0)]
        given_up.append(scheduler.lost(worker))
    assert given_up == [None, 0]
    assert scheduler.is_over
    assert not scheduler.needs_worker


def test_workers_that_die_as_they_start_are_not_replaced_for_ever():
    scheduler = Scheduler(5, tries=2)
    for worker, wanted in enumerate([True, False]):
        scheduler.starting(worker)
        assert scheduler.lost(worker) is None
        assert scheduler.needs_worker is wanted
    assert not scheduler.is_over


def test_no_more_workers_than_jobs():
    scheduler = with_workers(2, 2)
    scheduler.assignments()
    assert not scheduler.needs_worker
    scheduler.finished(0)
    scheduler.lost(0)  # idle: nothing is lost with it
    assert not scheduler.needs_worker
    scheduler.lost(1)
    assert scheduler.needs_worker


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3), st.randoms(use_true_random=False))
def test_whatever_happens_each_job_is_done_once_or_given_up(jobs, workers, tries, random):
    """Random deaths, of the busy, of the idle and of those that start."""
    scheduler = with_workers(jobs, workers, tries)
    done, given_up, deaths = Counter(), Counter(), Counter()
    busy, idle, newest = {}, set(range(workers)), workers
    for _ in range(1000):
        for worker, job in scheduler.assignments():
            idle.remove(worker)
            busy[worker] = job
        assert len(set(busy.values())) == len(busy)  # nothing is done by two at once
        if scheduler.is_over:
            break
        worker = random.choice([*busy, *idle])
        if worker in busy and random.random() < 0.5:
            done[busy.pop(worker)] += 1
            scheduler.finished(worker)
            idle.add(worker)
            continue
        job = busy.pop(worker, None)
        idle.discard(worker)
        deaths[job] += 1
        if (lost := scheduler.lost(worker)) is not None:
            assert lost == job
            given_up[lost] += 1
        if scheduler.needs_worker:
            scheduler.starting(newest)
            scheduler.ready(newest)
            idle.add(newest)
            newest += 1
        assert scheduler.workers == len(busy) + len(idle)
    assert scheduler.is_over
    assert done + given_up == Counter(range(jobs))
    assert all(deaths[job] == tries for job in given_up)
    assert all(deaths[job] < tries for job in done)
