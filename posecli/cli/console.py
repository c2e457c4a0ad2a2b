"""What every command shows while it works: progress on a terminal, warnings in one line each."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

Advance = Callable[..., None]  # advance(): one frame is done; advance("3 people") says something of it


@contextmanager
def progress(task: str, total: int | None, *, quiet: bool) -> Iterator[Advance]:
    """A progress bar on standard error while that is a terminal; silence in a pipe.

    Args:
        task: what is being done, in a word.
        total: how many frames there will be, about; None if nobody knows.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (
        TextColumn(task),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, expand=True) as bar:
        number = bar.add_task(task, total=total, pace="", note="")
        started, done = time.perf_counter(), 0

        def advance(note: str = "") -> None:
            nonlocal done
            done += 1
            pace = _pace(done, total, time.perf_counter() - started)
            bar.update(number, advance=1, pace=pace, note=note)

        yield advance


def _pace(done: int, total: int | None, seconds: float) -> str:
    """Over all that was done: Rich's own estimate looks at the last frames alone, and they come in bursts."""
    speed = done / max(seconds, 1e-6)
    left = "" if total is None else f", {timedelta(seconds=round(max(0, total - done) / speed))} left"
    return f"{speed:.1f} frames/s{left}"


@contextmanager
def warnings_in_one_line(quiet: bool) -> Iterator[None]:
    """Within this block, a Python warning is one line on standard error, said once."""
    said = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        line = one_line(str(message))
        if not quiet and line not in said:
            said.add(line)
            print(f"posecli: warning: {line}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def summary(text: str, *, quiet: bool) -> None:
    """The last line of a command that went well, for a person at a terminal; pipes and scripts get none."""
    if not quiet and sys.stderr.isatty():
        print(text, file=sys.stderr)


def one_line(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def count(number: int, thing: str, things: str) -> str:
    """A number with its noun: 1 box, 2 boxes."""
    return f"{number} {thing if number == 1 else things}"
