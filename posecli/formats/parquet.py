"""Parquet as a container of tables (`parquet`, `parquet-wide`), by pyarrow (the extra `parquet`).

Frames and track ids have 64 bits, times 64-bit floats, coordinates and scores the 32 bits of the model. A keypoint
that could not be estimated is NaN. Rows are written in groups of ROWS_AT_ONCE, so that memory is flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any

from posecli.errors import PosecliError
from posecli.formats.base import Contents
from posecli.formats.extras import needed
from posecli.formats.stream import Entry, PoseStream
from posecli.formats.tables import EXACT, TEXT, WHOLE, Layout, Row, TableWriter

ROWS_AT_ONCE = 16384
EXACT_BOXES = (
    "bbox_x",
    "bbox_y",
    "bbox_width",
    "bbox_height",
)  # 64 bits: width + x must give the corner again


class ParquetWriter(TableWriter):
    def __init__(self, path: Path, contents: Contents, *, layout: Layout) -> None:
        needed("pyarrow", "parquet")
        super().__init__(path, contents, layout, binary=True)

    def start(self, file: IO[bytes], columns: list[str]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._schema = pyarrow.schema([(name, _type(name)) for name in columns])
        self._table = pyarrow.parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[list[Any]] = []

    def add(self, rows: Iterator[list[Any]]) -> None:
        self._rows.extend(rows)
        if len(self._rows) >= ROWS_AT_ONCE:
            self._write_group()

    def finish(self) -> None:
        if self._rows:
            self._write_group()
        self._table.close()

    def abandon(self) -> None:
        self._table.is_open = False  # else it tries to write its footer when it is collected

    def _write_group(self) -> None:
        import pyarrow

        columns = zip(*self._rows, strict=True)
        arrays = [pyarrow.array(c, field.type) for c, field in zip(columns, self._schema, strict=True)]
        self._table.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()


def _type(column: str) -> Any:
    import pyarrow

    if column in WHOLE:
        return pyarrow.int64()
    if column in TEXT:
        return pyarrow.string()
    return pyarrow.float64() if column in (*EXACT, *EXACT_BOXES) else pyarrow.float32()


def open_parquet(path: Path, entry: Entry = nullcontext, *, layout: Layout) -> PoseStream:
    """Opens a Parquet file in a layout.

    Raises:
        PosecliError: pyarrow is missing, or the file is not of that form; the message says where.
    """
    return layout.open(path, read_columns(path), partial(read_rows, path, entry), entry)


def read_columns(path: Path) -> list[str]:
    """The names of the columns."""
    needed("pyarrow", "parquet")
    import pyarrow.parquet

    with _parquet_errors(path), path.open("rb") as file:
        return list(pyarrow.parquet.ParquetFile(file).schema_arrow.names)


def read_rows(path: Path, entry: Entry = nullcontext) -> Iterator[Row]:
    """The rows, of which a few thousand are in memory."""
    import pyarrow.parquet

    with _parquet_errors(path), path.open("rb") as file:
        number = 0
        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=ROWS_AT_ONCE // 4):
            for cells in batch.to_pylist():
                number += 1
                yield Row(cells, path, f"row {number}")


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except pyarrow.ArrowException as error:
        reason = " ".join(str(error).split())
        raise PosecliError(f"{path}: not a Parquet file that can be read ({reason})") from error
    except OSError as error:  # of the system, or pyarrow's for a damaged page
        reason = error.strerror or " ".join(str(error).split())
        raise PosecliError(f"{path} cannot be read: {reason}") from error
