"""Jobs through a pool of workers that may die; what the pool is made of is the business of the pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from posecli.cluster.scheduler import TRIES, Scheduler
from posecli.errors import PosecliError

JobT = TypeVar("JobT")
GivenT = TypeVar("GivenT", contravariant=True)  # a job, to a pool that only takes it
ResultT = TypeVar("ResultT")
PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has started."""

    worker: int


@dataclass(frozen=True, slots=True)
class Finished(Generic[ResultT]):
    """A worker is through with its job."""

    worker: int
    result: ResultT


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker died."""

    worker: int
    why: str


Event = Ready | Finished[ResultT] | Lost


class Pool(Protocol[GivenT, ResultT]):
    """Workers, each of which does one job at a time."""

    def start(self) -> int:
        """Begins to start one; returns its number."""

    def give(self, worker: int, job: GivenT) -> None:
        """A job for a worker that has none."""

    def wait(self, timeout_s: float) -> Sequence[Event[ResultT]]:
        """What happened since; returns as soon as anything did.

        Raises:
            PosecliError: no worker can ever start.
        """


@dataclass(frozen=True, slots=True)
class Reports(Generic[JobT, ResultT]):
    """Who is told what comes of the jobs."""

    done: Callable[[JobT, ResultT], None]
    given_up: Callable[[JobT, str], None]
    waiting: Callable[[], None] = lambda: None  # called now and then


def run_jobs(
    jobs: Sequence[JobT],
    pool: Pool[JobT, ResultT],
    workers: int,
    reports: Reports[JobT, ResultT],
    tries: int = TRIES,
) -> None:
    """Every job once, on as many workers; once more if the worker died over it, on a new one, up to `tries` times.

    Raises:
        PosecliError: no worker is left and none can be started.
    """
    scheduler = Scheduler(len(jobs), tries)
    for _ in range(min(workers, len(jobs))):
        scheduler.starting(pool.start())
    while not scheduler.is_over:
        for event in pool.wait(PAUSE_S):
            if isinstance(event, Ready):
                scheduler.ready(event.worker)
            elif isinstance(event, Finished):
                reports.done(jobs[scheduler.finished(event.worker)], event.result)
            else:
                _replace(event, jobs, pool, scheduler, reports, tries)
        for worker, job in scheduler.assignments():
            pool.give(worker, jobs[job])
        reports.waiting()


def _replace(
    lost: Lost,
    jobs: Sequence[JobT],
    pool: Pool[JobT, ResultT],
    scheduler: Scheduler,
    reports: Reports[JobT, ResultT],
    tries: int,
) -> None:
    job = scheduler.lost(lost.worker)
    if job is not None:
        reports.given_up(jobs[job], f"its worker died {tries} times; the last one: {lost.why}")
    if scheduler.needs_worker:
        scheduler.starting(pool.start())
    elif not scheduler.workers and not scheduler.is_over:
        raise PosecliError(f"workers die as they start: {lost.why}")
