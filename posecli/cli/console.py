"""What every command shows while it works: progress on a terminal, warnings in one line each, or all of it as JSON.

Everything goes to standard error; posecli.cli.manner has the options.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

Advance = Callable[..., None]  # advance(): one frame is done; advance("3 people") says something of it
ProgressName = Literal["auto", "json", "none"]
JSON_PAUSE_S = 0.5
Level = Literal["info", "warning", "error"]


class Listener(Protocol):
    """Hears everything in place of standard error: of a process whose words are for another one."""

    def say(self, level: Level, message: str) -> None:
        """What would have been a line."""

    def progress(self, total: int | None) -> AbstractContextManager[Advance]:
        """What would have been a progress bar of so many frames, about."""


@dataclass(slots=True)
class Manner:
    """How things are said, in this process."""

    progress: ProgressName = "auto"
    log_json: bool = False
    listener: Listener | None = None


MANNER = Manner()


def be_plain() -> None:
    """As a command speaks that was told nothing: the options of an earlier one in this process are forgotten."""
    MANNER.progress, MANNER.log_json = "auto", False


def say(level: Level, message: str, **more: Any) -> None:
    """One line on standard error; with --log-json an object that has more in it.

    Args:
        level: in text, only a warning is marked as what it is.
    """
    if MANNER.listener is not None:
        MANNER.listener.say(level, message)
    elif MANNER.log_json:
        print_json({"level": level, "message": message, **more})
    else:
        print(f"posecli: {'warning: ' if level == 'warning' else ''}{message}", file=sys.stderr)


@contextmanager
def progress(task: str, total: int | None, *, quiet: bool) -> Iterator[Advance]:
    """A progress bar on standard error while that is a terminal, silence in a pipe; or lines of JSON (--progress).

    Args:
        task: what is being done, in a word.
        total: how many frames there will be, about; None if nobody knows.
    """
    if MANNER.listener is not None:
        with MANNER.listener.progress(total) as advance:
            yield advance
    elif MANNER.progress == "json" and not quiet:
        yield from _json_progress(task, total)
    else:
        yield from _bar(task, total, is_hidden=quiet or MANNER.progress == "none")


def _bar(task: str, total: int | None, *, is_hidden: bool) -> Iterator[Advance]:
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
    with Progress(
        *columns, console=console, disable=is_hidden or not console.is_terminal, expand=True
    ) as bar:
        number = bar.add_task(task, total=total, pace="", note="")
        started, done = time.perf_counter(), 0

        def advance(note: str = "") -> None:
            nonlocal done
            done += 1
            seconds = time.perf_counter() - started
            text = pace(done, seconds, seconds_left(done, total, seconds))
            bar.update(number, advance=1, pace=text, note=note)

        yield advance


def _json_progress(task: str, total: int | None) -> Iterator[Advance]:
    """At most one object in JSON_PAUSE_S, and one when it ends, well or not."""
    started = last = time.perf_counter()
    done = 0

    def tell(now: float, note: str, ended: bool) -> None:
        seconds = now - started
        left = seconds_left(done, total, seconds)
        print_json(
            {
                "event": "progress",
                "task": task,
                "done": done,
                "total": total,
                "frames_per_s": round(done / max(seconds, 1e-6), 2),
                "seconds_left": None if left is None else round(left, 1),
                "note": note,
                "ended": ended,
            }
        )

    def advance(note: str = "") -> None:
        nonlocal done, last
        done += 1
        now = time.perf_counter()
        if now - last >= JSON_PAUSE_S:
            last = now
            tell(now, note, ended=False)

    try:
        yield advance
    finally:
        tell(time.perf_counter(), "", ended=True)


def print_json(value: dict[str, Any]) -> None:
    """An object in a line of standard error."""
    print(json.dumps(value), file=sys.stderr, flush=True)


def seconds_left(done: float, total: float | None, seconds: float) -> float | None:
    """Over all that was done: Rich's own estimate looks at the last frames alone, and they come in bursts."""
    return None if total is None or not done else max(0.0, total - done) * seconds / done


def pace(frames: int, seconds: float, left: float | None) -> str:
    """How fast it goes, and how long it will: 25.0 frames/s, 0:01:10 left."""
    rest = "" if left is None else f", {timedelta(seconds=round(left))} left"
    return f"{frames / max(seconds, 1e-6):.1f} frames/s{rest}"


@contextmanager
def warnings_in_one_line(quiet: bool) -> Iterator[None]:
    """Within this block, a Python warning is one line on standard error, said once."""
    said = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        line = one_line(str(message))
        if not quiet and line not in said:
            said.add(line)
            say("warning", line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def summary(text: str, *, quiet: bool) -> None:
    """The last line of a command that went well, for a person at a terminal; pipes and scripts get none but JSON."""
    if quiet:
        return
    if MANNER.log_json:
        say("info", text)
    elif sys.stderr.isatty():
        print(text, file=sys.stderr)


def one_line(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def count(number: int, thing: str, things: str) -> str:
    """A number with its noun: 1 box, 2 boxes."""
    return f"{number} {thing if number == 1 else things}"
