"""Workers as actors of Ray (https://docs.ray.io/en/latest/ray-core/actors.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self

from posecli.cluster.pool import PAUSE_S, Event, Finished, JobT, Lost, Ready, ResultT

PATIENCE_S = 20.0  # for workers that are asked to stop
CONTROL = "control"  # calls that are answered while a job runs


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What of a machine each worker has for itself."""

    cores: int
    gpus: int = 0


def has_gpus() -> bool:
    """Whether any machine of the cluster has one."""
    import ray

    return ray.cluster_resources().get("GPU", 0) >= 1


def room_for(share: Share) -> int:
    """How many workers fit onto the cluster's machines at once."""
    import ray

    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return sum(
        int(min(machine.get(name, 0) // need for name, need in _demand(share).items() if need))
        for machine in machines
    )


class RayPool(Generic[JobT, ResultT]):
    """Each worker is an object in a process of its own, on any machine of the cluster. A pool of posecli.cluster.pool.

    Args:
        kind: the class of the workers. `start()` is called first, where a PosecliError ends all; then `run(job)` for
            each job. `frames()` and `stop()` are called meanwhile from another thread; after `stop`, `run` returns.
        arguments: of the class; they are pickled.
        share: what each worker has.
    """

    def __init__(self, kind: type, arguments: tuple[Any, ...], share: Share) -> None:
        import ray

        remote: Any = ray.remote  # its types know fewer options than it does
        made = remote(concurrency_groups={CONTROL: 1})(kind)
        self._make = made.options(**_demand(share), max_restarts=0, max_task_retries=0)
        self._arguments = arguments
        self._actors: dict[int, Any] = {}
        self._starting: dict[Any, int] = {}  # by the reference to what start() will return
        self._busy: dict[Any, int] = {}  # and by that of run()
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> int:
        self._started += 1
        actor = self._make.remote(*self._arguments)
        self._actors[self._started] = actor
        self._starting[actor.start.remote()] = self._started
        return self._started

    def give(self, worker: int, job: JobT) -> None:
        self._busy[self._actors[worker].run.remote(job)] = worker

    def wait(self, timeout_s: float) -> list[Event[ResultT]]:
        import ray

        references = [*self._starting, *self._busy]
        if not ray.wait(references, timeout=timeout_s)[0]:
            return []
        ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
        return [self._event(reference) for reference in ready]

    def frames(self) -> list[tuple[int, int | None]]:
        """Frames done and frames there are of those that are at work; one that does not answer in time is left out."""
        import ray

        calls = [self._control(worker, "frames") for worker in self._busy.values()]
        answered = ray.wait(calls, num_returns=len(calls), timeout=PAUSE_S)[0] if calls else []
        told = []
        for call in answered:
            try:
                told.append(ray.get(call))
            except ray.exceptions.RayError:
                continue  # it died: wait() will tell
        return told

    def close(self) -> None:
        """Asks those at work to stop, waits for them a while, and ends all."""
        import ray

        try:
            for worker in self._busy.values():
                self._control(worker, "stop")
            if self._busy:
                ray.wait(list(self._busy), num_returns=len(self._busy), timeout=PATIENCE_S)
        finally:
            for actor in self._actors.values():
                ray.kill(actor)
            self._actors.clear()
            self._starting.clear()
            self._busy.clear()

    def _control(self, worker: int, method: str) -> Any:
        return getattr(self._actors[worker], method).options(concurrency_group=CONTROL).remote()

    def _event(self, reference: Any) -> Event[ResultT]:
        import ray

        was_starting = reference in self._starting
        worker = self._starting.pop(reference) if was_starting else self._busy.pop(reference)
        try:
            result = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None  # of our own code, in the worker
        except ray.exceptions.RayError as error:
            # One that is only out of reach may still be at work: nobody else is to begin the same job before it ends.
            ray.kill(self._actors.pop(worker))
            return Lost(worker, _reason(error))
        return Ready(worker) if was_starting else Finished(worker, result)


def _demand(share: Share) -> dict[str, float]:
    return {"num_cpus": share.cores, "num_gpus": share.gpus}


def _reason(error: Exception) -> str:
    """Why a worker died, in a line; Ray says it in a paragraph."""
    text = str(error)
    if getattr(error, "actor_init_failed", False):
        return text.strip().splitlines()[-1]
    found = re.search(r"^\s*ip: (\S+)", text, re.M)
    where = f" on {found[1]}" if found else ""
    if getattr(error, "preempted", False) or "node has died" in text:
        return f"its machine went away{where}"
    if "low on memory" in text:
        return f"Ray ended it{where}, where memory ran out"
    return f"killed or crashed{where}, perhaps for want of memory"
