"""CSV as a container of tables (`csv`, `csv-wide`): RFC 4180 with line feeds, UTF-8, a header row.

Numbers have as many digits as their float32 needs. An empty cell is a keypoint that could not be estimated.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any

from posecli.errors import PosecliError
from posecli.formats.base import Contents
from posecli.formats.stream import Entry, PoseStream
from posecli.formats.tables import Layout, Row, TableWriter

MOST_CHARACTERS = 1 << 24  # of a line: a person's takes some hundreds


class CsvWriter(TableWriter):
    def __init__(self, path: Path, contents: Contents, *, layout: Layout) -> None:
        super().__init__(path, contents, layout, binary=False)

    def start(self, file: IO[str], columns: list[str]) -> None:
        self._table = csv.writer(file, lineterminator="\n")
        self._table.writerow(columns)

    def add(self, rows: Iterator[list[Any]]) -> None:
        self._table.writerows(map(cell, row) for row in rows)

    def finish(self) -> None:
        """Nothing is left to do."""

    def abandon(self) -> None:
        """Nothing is left to do."""


def cell(value: Any) -> Any:
    """A number as text, a NaN as an empty cell."""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return value


def open_csv(path: Path, entry: Entry = nullcontext, *, layout: Layout) -> PoseStream:
    """Opens a CSV file in a layout.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    return layout.open(path, read_header(path), partial(read_rows, path, entry), entry)


def read_rows(path: Path, entry: Entry = nullcontext) -> Iterator[Row]:
    """The lines of a CSV file below its header.

    Raises:
        PosecliError: no such file, not CSV, or a line is too short or too long.
    """
    lines = read_lines(path)
    _, header = next(lines, (0, []))
    for number, cells in lines:
        with entry():
            if len(cells) != len(header):
                raise PosecliError(f"{path}: line {number}: {len(header)} cells expected, found {len(cells)}")
            yield Row(dict(zip(header, cells, strict=True)), path, f"line {number}")


def read_header(path: Path) -> list[str]:
    """The names of the columns; an empty list from an empty file."""
    lines = read_lines(path)
    try:
        return next(lines, (0, []))[1]
    except PosecliError as error:
        if not path.is_file():
            raise
        raise PosecliError(
            f"{path}: not a CSV file, and nothing else that posecli reads poses from: give what estimate wrote"
        ) from error


def read_lines(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that is not empty, after its number (from 1).

    Raises:
        PosecliError: no such file, not CSV, or a line without an end.
    """
    with _csv_errors(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(_bounded(file, path), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except csv.Error as error:
            raise PosecliError(f"{path}: line {reader.line_num}: {error}") from error


@contextmanager
def _csv_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PosecliError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PosecliError(f"{path}: not a text file") from error


def _bounded(file: IO[str], path: Path) -> Iterator[str]:
    """The file's lines, none of which may be long without end."""
    number = 0
    while line := file.readline(MOST_CHARACTERS):
        number += 1
        if len(line) == MOST_CHARACTERS:
            raise PosecliError(f"{path}: line {number}: more than {MOST_CHARACTERS} characters")
        yield line
