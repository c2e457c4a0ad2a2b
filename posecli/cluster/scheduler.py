"""Which worker does which job, and how often a job is tried whose workers die: plain bookkeeping, without a cluster."""

from __future__ import annotations

from collections import Counter, deque

TRIES = 3


class Scheduler:
    """Jobs and workers are numbers. Tell it what happens to the workers, then hand out its assignments().

    A job whose worker died goes to the end of the queue, so that one that kills its workers holds up no other.

    Args:
        jobs: how many; they are numbered from 0.
        tries: as many workers may die over a job, or while they start in a row, before it is given up.
    """

    def __init__(self, jobs: int, tries: int = TRIES) -> None:
        self._tries = tries
        self._queue = deque(range(jobs))
        self._starting: set[int] = set()
        self._idle: list[int] = []
        self._jobs: dict[int, int] = {}  # by the worker that does it
        self._deaths: Counter[int] = Counter()
        self._failed_starts = 0

    @property
    def is_over(self) -> bool:
        """Every job is done or given up."""
        return not self._queue and not self._jobs

    @property
    def workers(self) -> int:
        """How many there are, starting ones too."""
        return len(self._starting) + len(self._idle) + len(self._jobs)

    @property
    def needs_worker(self) -> bool:
        """There are fewer than jobs to do, and those that are started do not all die at it."""
        return self.workers < len(self._queue) + len(self._jobs) and self._failed_starts < self._tries

    def starting(self, worker: int) -> None:
        """A new worker is on its way."""
        self._starting.add(worker)

    def ready(self, worker: int) -> None:
        """It has started."""
        self._starting.remove(worker)
        self._failed_starts = 0
        self._idle.append(worker)

    def finished(self, worker: int) -> int:
        """It is through with its job, well or not; returns which that was."""
        job = self._jobs.pop(worker)
        self._idle.append(worker)
        return job

    def lost(self, worker: int) -> int | None:
        """It died; returns the job that is given up by that, if any."""
        if worker in self._starting:
            self._starting.remove(worker)
            self._failed_starts += 1
            return None
        if worker in self._idle:
            self._idle.remove(worker)
            return None
        job = self._jobs.pop(worker)
        self._deaths[job] += 1
        if self._deaths[job] >= self._tries:
            return job
        self._queue.append(job)
        return None

    def assignments(self) -> list[tuple[int, int]]:
        """Idle workers with the jobs that they are to begin now."""
        pairs = []
        while self._queue and self._idle:
            worker, job = self._idle.pop(0), self._queue.popleft()
            self._jobs[worker] = job
            pairs.append((worker, job))
        return pairs
