"""What the two CSV forms share: the writer with its sidecar, and cells checked as they are read.

Numbers have as many digits as their float32 needs. An empty cell is a keypoint that could not be estimated.
"""

from __future__ import annotations

import csv
import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import Contents, PoseWriter
from posecli.formats.document import FLOAT32_LIMIT, INTEGER_LIMIT
from posecli.formats.sidecar import Sidecar, SidecarWriter
from posecli.skeletons import SKELETONS, Skeleton
from posecli.types import Poses


class CsvWriter(PoseWriter):
    """Rows as they come, and a sidecar for what has no column."""

    def __init__(self, path: Path, contents: Contents, *, boxes_beside: bool) -> None:
        self.skeleton = contents.skeleton
        self._output = ReplacingFile(path)
        self._sidecar = SidecarWriter(path, contents, boxes=boxes_beside)
        self._stack = ExitStack()

    @abstractmethod
    def columns(self) -> list[str]: ...

    @abstractmethod
    def rows(self, poses: Poses) -> Iterator[list[Any]]: ...

    def __enter__(self) -> Self:
        self._table = csv.writer(self._stack.enter_context(self._output), lineterminator="\n")
        # Entered last, finished first: should it fail, the table is not put in place either.
        self._stack.enter_context(self._sidecar)
        self._table.writerow(self.columns())
        return self

    def write(self, poses: Poses) -> None:
        self._sidecar.write(poses)
        self._table.writerows(self.rows(poses))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def cell(number: float) -> str:
    """A number as text, a NaN as an empty cell."""
    return repr(number) if math.isfinite(number) else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; its methods raise PosecliError with file, line and column."""

    cells: dict[str, str]
    file: Path
    line: int

    def fail(self, column: str, message: str) -> NoReturn:
        raise PosecliError(f"{self.file}: line {self.line}, column {column}: {message}")

    def text(self, column: str) -> str:
        return self.cells[column].strip()

    def number(self, column: str) -> float:
        """A finite number, or NaN from an empty cell."""
        text = self.text(column)
        try:
            number = float(text) if text else math.nan
        except ValueError:
            self.fail(column, f"a number expected, found {text[:40]!r}")
        if math.isinf(number) or abs(number) > FLOAT32_LIMIT:
            self.fail(column, "the number is too large")
        return number

    def integer(self, column: str) -> int:
        """A whole number; spreadsheets like to write it as 3.0."""
        number = self.number(column)
        if math.isnan(number) or number != int(number) or abs(number) > INTEGER_LIMIT:
            self.fail(column, f"a whole number expected, found {self.text(column)[:40]!r}")
        return int(number)


def read_rows(path: Path, required: Iterable[str]) -> Iterator[Row]:
    """The lines of a CSV file below its header.

    Raises:
        PosecliError: no such file, not CSV, a required column is missing, or a line is too short or too long.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            missing = [column for column in required if column not in header]
            if missing:
                raise PosecliError(f"{path}: the column {missing[0]!r} is missing")
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise PosecliError(
                        f"{path}: line {reader.line_num}: {len(header)} cells expected, found {len(cells)}"
                    )
                yield Row(dict(zip(header, cells, strict=True)), path, reader.line_num)
    except OSError as error:
        raise PosecliError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PosecliError(f"{path}: not a text file") from error
    except csv.Error as error:
        raise PosecliError(f"{path}: line {reader.line_num}: {error}") from error


def read_header(path: Path) -> list[str]:
    """The names of the columns; an empty list from an empty file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except OSError as error:
        raise PosecliError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise PosecliError(f"{path}: not a CSV file") from error


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
