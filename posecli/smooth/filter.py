"""What a filter is, and what all of them check."""

from __future__ import annotations

from typing import ClassVar, Protocol

from posecli.errors import UsageError
from posecli.smooth.trajectory import Trajectory

WIDEST = 199  # frames of a window


class Filter(Protocol):
    """Changes a trajectory. A frozen dataclass, whose fields are the parameters that users give."""

    name: ClassVar[str]
    summary: ClassVar[str]

    @property
    def reach(self) -> int | None:
        """On how many frames before and after it a value depends; None: on all, so that it needs the whole clip."""

    def apply(self, track: Trajectory) -> Trajectory: ...


def check(condition: bool, name: str, message: str) -> None:
    """
    Raises:
        UsageError: the condition does not hold.
    """
    if not condition:
        raise UsageError(f"filter {name}: {message}")


def check_window(window: int, name: str) -> None:
    """
    Raises:
        UsageError: the window has no middle, or is out of bounds.
    """
    check(
        3 <= window <= WIDEST and window % 2 == 1,
        name,
        f"window must be odd, from 3 to {WIDEST} frames, not {window}",
    )
