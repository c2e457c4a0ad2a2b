"""The progress of many videos at once: one bar, or lines of JSON, for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from posecli.cli.console import JSON_PAUSE_S, MANNER, count, pace, print_json, seconds_left


@dataclass(frozen=True, slots=True)
class View:
    """How far the videos are.

    Attributes:
        videos: how many are through, well or not.
        share: the same with the parts of those that are being done.
        frames: of all of them.
        workers: how many are at work.
    """

    videos: int = 0
    share: float = 0.0
    frames: int = 0
    workers: int = 0


Show = Callable[[View], None]


@contextmanager
def overview(task: str, total: int, *, quiet: bool) -> Iterator[Show]:
    """A bar over all videos on standard error while that is a terminal, or lines of JSON (--progress).

    Args:
        task: what is being done, in a word.
        total: how many videos there are.
    """
    if MANNER.progress == "json" and not quiet:
        yield from _lines(task, total)
    else:
        yield from _bar(task, total, is_hidden=quiet or MANNER.progress == "none")


def _bar(task: str, total: int, is_hidden: bool) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn(task), BarColumn(bar_width=None), TextColumn("{task.fields[note]}"))
    with Progress(
        *columns, console=console, disable=is_hidden or not console.is_terminal, expand=True
    ) as bar:
        number = bar.add_task(task, total=total, note="")
        started = time.perf_counter()

        def show(view: View) -> None:
            seconds = time.perf_counter() - started
            left = seconds_left(view.share, total, seconds)
            note = (
                f"{view.videos}/{count(total, 'video', 'videos')}, {view.frames:,} frames, "
                f"{pace(view.frames, seconds, left)}, {count(view.workers, 'worker', 'workers')}"
            )
            bar.update(number, completed=view.share, note=note)

        yield show


def _lines(task: str, total: int) -> Iterator[Show]:
    """At most one object in JSON_PAUSE_S, and one when it ends, well or not."""
    started = last = time.perf_counter()
    latest = View()

    def tell(now: float, ended: bool) -> None:
        left = seconds_left(latest.share, total, now - started)
        print_json(
            {
                "event": "progress",
                "task": task,
                "done": latest.frames,
                "total": None,
                "frames_per_s": round(latest.frames / max(now - started, 1e-6), 2),
                "seconds_left": None if left is None else round(left, 1),
                "videos_done": latest.videos,
                "videos_total": total,
                "note": count(latest.workers, "worker", "workers"),
                "ended": ended,
            }
        )

    def show(view: View) -> None:
        nonlocal latest, last
        latest, now = view, time.perf_counter()
        if now - last >= JSON_PAUSE_S:
            last = now
            tell(now, ended=False)

    try:
        yield show
    finally:
        tell(time.perf_counter(), ended=True)
