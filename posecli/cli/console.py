"""What every command shows while it works: progress on a terminal, warnings in one line each."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress


def progress(task: str, quiet: bool, *extra: str) -> Progress:
    """A Rich progress bar on standard error: silent when that is no terminal.

    Args:
        extra: names of task fields to show behind the bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = [TextColumn(task), BarColumn(), MofNCompleteColumn()]
    columns += [TextColumn(f"{{task.fields[{name}]}}") for name in extra]
    return Progress(
        *columns, TimeRemainingColumn(), console=console, disable=quiet or not console.is_terminal
    )


@contextmanager
def warnings_in_one_line(quiet: bool) -> Iterator[None]:
    """Within this block, a Python UserWarning is one line on standard error."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if not quiet:
            print(f"posecli: warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield
