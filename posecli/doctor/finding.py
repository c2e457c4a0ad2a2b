"""What an examination says: one line a thing, and whether posecli can work with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from posecli.cli.console import one_line
from posecli.errors import PosecliError

Status = Literal[
    "ok", "missing", "failed"
]  # missing: not needed for everything; failed: posecli does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    detail: str  # what is there, or why it is not
    status: Status = "ok"
    advice: str = ""  # what to do about it


@dataclass(frozen=True, slots=True)
class Topic:
    """Things that belong together."""

    title: str
    findings: tuple[Finding, ...]


Examination = Callable[[], Iterable[Finding]]


def examine(title: str, *examinations: Examination) -> Topic:
    """All that the examinations find; one that breaks is a finding of its own, whatever the reason."""
    return Topic(
        title, tuple(found for examination in examinations for found in _guarded(examination, title))
    )


def _guarded(examination: Examination, title: str) -> list[Finding]:
    try:
        return list(examination())
    except Exception as error:
        name = getattr(examination, "__name__", title).replace("_", " ")
        kind = "" if isinstance(error, PosecliError) else f"{type(error).__name__}: "
        return [Finding(name, kind + one_line(str(error)), "failed")]
