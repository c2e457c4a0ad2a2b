"""What tables share, be they CSV or Parquet: layouts (tidy, wide), rows checked as they are read, and skeletons.

A cell without a value is a keypoint that could not be estimated. What has no column stands in the sidecar.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import Contents, PoseWriter
from posecli.formats.document import FLOAT32_LIMIT, INTEGER_LIMIT
from posecli.formats.sidecar import Sidecar, SidecarWriter
from posecli.formats.stream import Entry, PoseStream
from posecli.skeletons import SKELETONS, Skeleton
from posecli.types import Poses

WHOLE = ("frame", "track_id")  # the columns of whole numbers
EXACT = ("time_s",)  # of 64-bit numbers; other numbers have 32 bits
TEXT = ("joint",)


class Layout(Protocol):
    """Which columns and rows a table has (posecli.formats.tidy and .wide)."""

    boxes_beside: bool  # whether there are no columns of the people's boxes

    def columns(self, skeleton: Skeleton) -> list[str]: ...

    def rows(self, poses: Poses, skeleton: Skeleton) -> Iterator[list[Any]]:
        """Whole numbers, texts, and numbers of which NaN is a cell without a value."""
        ...

    def open(
        self, path: Path, columns: Sequence[str], rows: Callable[[], Iterator[Row]], entry: Entry
    ) -> PoseStream:
        """The poses in a table.

        Args:
            columns: that it has.
            rows: starts to read it.
        """
        ...


class TableWriter(PoseWriter):
    """Rows as they come, and a sidecar for what has no column."""

    def __init__(self, path: Path, contents: Contents, layout: Layout, *, binary: bool) -> None:
        self.skeleton = contents.skeleton
        self.layout = layout
        self.output = ReplacingFile(path, binary=binary)
        self._sidecar = SidecarWriter(path, contents, boxes=layout.boxes_beside)
        self._stack = ExitStack()

    @abstractmethod
    def start(self, file: Any, columns: list[str]) -> None: ...

    @abstractmethod
    def add(self, rows: Iterator[list[Any]]) -> None: ...

    @abstractmethod
    def finish(self) -> None:
        """Everything is there, and the file still open."""

    @abstractmethod
    def abandon(self) -> None:
        """Something failed, and nobody will want the file."""

    def __enter__(self) -> Self:
        file = self._stack.enter_context(self.output)
        # Entered last, finished first: should it fail, the table is not put in place either.
        self._stack.enter_context(self._sidecar)
        self.start(file, self.layout.columns(self.skeleton))
        return self

    def write(self, poses: Poses) -> None:
        self._sidecar.write(poses)
        self.add(self.layout.rows(poses, self.skeleton))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abandon()
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self.finish()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; its methods raise PosecliError with file, place and column."""

    cells: dict[str, Any]  # texts or numbers; a cell without a value is "", None or NaN
    file: Path
    place: str  # "line 3"

    def fail(self, column: str, message: str) -> NoReturn:
        raise PosecliError(f"{self.file}: {self.place}, column {column}: {message}")

    def text(self, column: str) -> str:
        value = self.cells[column]
        return value.strip() if isinstance(value, str) else "" if value is None else str(value)

    def number(self, column: str) -> float:
        """A finite number, or NaN from a cell without a value."""
        value = self.cells[column]
        if not isinstance(value, int | float):
            value = self.text(column)
        try:
            number = float(value) if value != "" else math.nan
        except (ValueError, OverflowError):
            self.fail(column, f"a number expected, found {str(value)[:40]!r}")
        if math.isinf(number) or abs(number) > FLOAT32_LIMIT:
            self.fail(column, "the number is too large")
        return number

    def integer(self, column: str) -> int:
        """A whole number; spreadsheets like to write it as 3.0."""
        number = self.number(column)
        if math.isnan(number) or number != int(number) or abs(number) > INTEGER_LIMIT:
            self.fail(column, f"a whole number expected, found {self.text(column)[:40]!r}")
        return int(number)


def require(columns: Sequence[str], required: Sequence[str], path: Path) -> None:
    """Whether a table has these columns.

    Raises:
        PosecliError: one is missing.
    """
    missing = [column for column in required if column not in columns]
    if missing:
        raise PosecliError(f"{path}: the column {missing[0]!r} is missing")


def skeleton_of(joints: set[str], sidecar: Sidecar, path: Path) -> Skeleton:
    """The skeleton with exactly these joints, else one that has them all.

    A file whose rows were filtered may name a part of the joints only: then its sidecar tells the skeleton.
    """
    for skeleton in SKELETONS.values():
        if joints == set(skeleton.keypoints):
            return skeleton
    candidates = [sidecar.skeleton] if sidecar.skeleton else list(SKELETONS.values())
    for skeleton in candidates:
        if joints <= set(skeleton.keypoints):
            return skeleton
    known = {name for skeleton in candidates for name in skeleton.keypoints}
    strange = sorted(joints - known) or sorted(joints)
    raise PosecliError(f"{path}: the joint {strange[0]!r} is in no known skeleton ({', '.join(SKELETONS)})")
