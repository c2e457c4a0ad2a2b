"""posecli estimate --ray: the videos of a folder on the workers of a Ray cluster, with the bytes of the plain run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from posecli.cli.console import say
from posecli.cli.many import Tally, reported
from posecli.cli.overview import Show, View, overview
from posecli.cli.worker import Job, Result, Surroundings, Worker
from posecli.errors import PosecliError, UsageError

if TYPE_CHECKING:
    from posecli.cli.estimation import Wishes
    from posecli.cluster.ray_pool import RayPool, Share
    from posecli.pipeline.session import Settings

CORES = 2  # of a worker, unless --threads says it: one decodes while the other computes


def check_ray(address: str | None, workers: int, device: str, into_folder: bool) -> None:
    """Whether the options go together.

    Raises:
        UsageError: they do not.
    """
    if address is None:
        if workers:
            raise UsageError("--ray-workers is of --ray: give --ray local, or a cluster's address")
        return
    if not into_folder:
        raise UsageError("--ray is for many videos: give a folder for their poses, poses/ say")
    if ":" in device:
        raise UsageError(f"--device {device}: Ray gives each worker a GPU of its own; use cuda")


def estimate_on_ray(
    jobs: Mapping[Path, str], folder: Path, settings: Settings, wishes: Wishes, address: str, workers: int
) -> None:
    """Every video, on as many workers, into its file in the folder.

    Args:
        jobs: outputs, as paths below the folder, with their sources.
        address: of Ray, as posecli.cluster.connection.connected takes it.
        workers: how many; 0 is as many as there is room for.

    Raises:
        PosecliError: some failed, and standard error says which and why; or Ray, or room on it, is not there.
    """
    from posecli.cluster.connection import connected
    from posecli.cluster.pool import Reports, run_jobs
    from posecli.cluster.ray_pool import RayPool

    cores = settings.threads or CORES
    settings = replace(settings, threads=cores)
    videos = [Job(source, folder / place) for place, source in jobs.items()]
    with connected(address, workers * cores or None):
        share = _share(settings)
        workers = workers or _room(share)
        arguments = (settings, wishes, Surroundings.here())
        with (
            reported(len(videos), wishes.quiet) as tally,
            overview("estimate", len(videos), quiet=wishes.quiet) as show,
            RayPool[Job, Result](Worker, arguments, share) as pool,
        ):
            desk = _Desk(tally, pool, show, wishes.quiet)
            run_jobs(videos, pool, workers, Reports(desk.done, desk.given_up, desk.look))


class _Desk:
    """Where the results come in."""

    def __init__(self, tally: Tally, pool: RayPool[Job, Result], show: Show, quiet: bool) -> None:
        self._tally, self._pool, self._show, self._quiet = tally, pool, show, quiet
        self._frames = 0  # of the videos that are done

    def done(self, job: Job, result: Result) -> None:
        for warning in result.warnings:
            say("warning", f"{job.source}: {warning}")
        if result.concerns_all:
            raise UsageError(result.failure)
        if result.outcome is None:
            self._tally.fail(job.source, result.failure)
            return
        if not job.output.exists():
            raise PosecliError(
                f"{job.output} was written on {result.host} and is not here: "
                "outputs belong into a folder that all machines share"
            )
        self._frames += result.outcome.frames
        self._tally.enter(job.output, result.outcome, quiet=self._quiet)

    def given_up(self, job: Job, why: str) -> None:
        self._tally.fail(job.source, why)

    def look(self) -> None:
        """Asks those at work how far they are, and shows it."""
        tally, running = self._tally, self._pool.frames()
        through = tally.done + tally.skipped + len(tally.failures)
        parts = sum(min(1.0, done / total) for done, total in running if total)
        frames = self._frames + sum(done for done, _ in running)
        self._show(View(through, through + parts, frames, len(running)))


def _share(settings: Settings) -> Share:
    from posecli.cluster.ray_pool import Share, has_gpus

    wants_gpu = settings.device == "cuda" or (settings.device == "auto" and has_gpus())
    return Share(cores=settings.threads, gpus=int(wants_gpu))


def _room(share: Share) -> int:
    """How many workers Ray has room for.

    Raises:
        PosecliError: not for one.
    """
    from posecli.cluster.ray_pool import room_for

    room = room_for(share)
    if not room:
        raise PosecliError(
            f"no machine of the cluster has {share.cores} cores{' and a GPU' * share.gpus} for a worker: "
            "give fewer --threads, or how many --ray-workers to wait for"
        )
    return room
