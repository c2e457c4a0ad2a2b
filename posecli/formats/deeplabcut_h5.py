"""DeepLabCut's HDF5 (`deeplabcut-h5`): the table of posecli.formats.deeplabcut under the key df_with_missing.

pandas.read_hdf reads it, as DeepLabCut does. Written in pandas' fixed layout, since its table layout has no room for
the names of more than some twenty people; read in both. Reading is done without pandas and PyTables, which unpickle
whatever a file has in its attributes: here a pickled list of names is parsed, and never executed.

Writing needs the packages tables and h5py (the extra `deeplabcut`), reading h5py.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.formats.base import Contents
from posecli.formats.deeplabcut import LEVELS, Columns, header
from posecli.formats.extras import needed
from posecli.formats.pickled_names import pickled_names
from posecli.formats.stream import Entry, PoseStream
from posecli.formats.track_tables import FrameRow, TrackTableWriter, check_numbers
from posecli.unfinished import Unfinished

KEY = "df_with_missing"
ROWS_AT_ONCE = 1024
MOST_TIMES_ITS_FILE = (
    1000  # an array may claim as many times the bytes of its file; compression hardly reaches that
)
MOST_COLUMNS = 1_000_000


class DeeplabcutH5Writer(TrackTableWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        needed("tables", "deeplabcut")
        super().__init__(path, contents, binary=True)

    def assemble(self, file: Any, track_ids: list[int], frames: Iterator[FrameRow]) -> None:
        # HDF5 locks what it writes: it can't be the output's own file, which is locked already.
        with Unfinished(self.output.target, is_folder=True, folder=self.output.folder) as folder:
            self._write(folder / "poses.h5", track_ids, frames)
            with (folder / "poses.h5").open("rb") as written:
                shutil.copyfileobj(written, file)

    def _write(self, path: Path, track_ids: list[int], frames: Iterator[FrameRow]) -> None:
        """pandas writes one row, for everything around the numbers; then the numbers are exchanged for ours."""
        import pandas

        levels, columns = header(track_ids, self.contents.skeleton)
        names = pandas.MultiIndex.from_tuples(columns, names=levels)
        row = pandas.DataFrame(np.full((1, len(columns)), np.nan), index=[0], columns=names)
        with pandas.HDFStore(str(path), mode="w") as store:
            store.put(KEY, row, format="fixed")
            group = store.get_node(KEY)
            index = _growing(store._handle, group, "axis1", (0,))
            values = _growing(store._handle, group, "block0_values", (0, len(columns)))
            for frame in frames:
                numbers = frame.table.ravel() if track_ids else np.full(len(columns), np.nan)
                index.append([frame.index])
                values.append(numbers.astype(np.float64)[None])


def _growing(handle: Any, group: Any, name: str, shape: tuple[int, ...]) -> Any:
    """In an array's place an empty one of its kind that can be appended to."""
    import tables

    old = getattr(group, name)
    attributes = {key: getattr(old._v_attrs, key) for key in old._v_attrs._f_list("user")}
    atom = tables.Atom.from_dtype(old.dtype)
    handle.remove_node(group, name)
    new = handle.create_earray(group, name, atom=atom, shape=shape)
    for key, value in attributes.items():
        setattr(new._v_attrs, key, value)
    return new


def open_deeplabcut_h5(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens DeepLabCut's HDF5 file, with the sidecar where there is one.

    Raises:
        PosecliError: h5py is missing, or the file is not of that form; the message says where.
    """
    with _opened(path) as group:
        is_table = "table" in group
        columns = _table_columns(group, path) if is_table else _fixed_columns(group, path)
    slices = _table_slices if is_table else _fixed_slices

    def rows(entry: Entry) -> Iterator[FrameRow]:
        with _opened(path) as group:
            place = 0
            for indices, values in slices(group, len(columns.places), path):
                for index, numbers in zip(indices.tolist(), values, strict=True):
                    place += 1
                    with entry():
                        if not isinstance(index, int):
                            raise PosecliError(
                                f"{path}: row {place}: frame numbers expected, found {str(index)[:40]}"
                            )
                        checked = check_numbers(numbers, path, f"row {place}")
                        yield FrameRow(index, math.nan, columns.table(checked))

    return columns.stream(rows, path, entry)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The group of the table, which is df_with_missing, or the file's only one."""
    needed("h5py", "deeplabcut")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            names = list(file)
            if not names:
                raise PosecliError(f"{path}: there is nothing in it")
            name = KEY if KEY in names else names[0]
            group = _member(file, name, path)
            if not isinstance(group, h5py.Group):
                raise PosecliError(f"{path}: a table of pandas expected under {name}")
            yield group
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise PosecliError(f"{path}: not an HDF5 file that can be read ({reason})") from error


def _member(group: Any, name: str, path: Path) -> Any:
    """What a group has under a name. Links that leave the file are not followed."""
    import h5py

    if name not in group:
        raise PosecliError(f"{path}: {group.name} has no {name}: not a table of pandas")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise PosecliError(f"{path}: {name} is a link, and links are not followed")
    return group[name]


def _array(group: Any, name: str, path: Path, dimensions: int) -> Any:
    """A dataset that is in the file, of a size that its bytes can hold."""
    import h5py

    data = _member(group, name, path)
    if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external or data.ndim != dimensions:
        raise PosecliError(f"{path}: {name}: an array of {dimensions} dimensions in the file expected")
    if data.dtype.hasobject or data.nbytes > MOST_TIMES_ITS_FILE * path.stat().st_size:
        raise PosecliError(f"{path}: {name}: {data.shape} values are claimed, more than there can be")
    return data


def _numeric(data: NDArray[Any], kinds: str, name: str, path: Path) -> NDArray[Any]:
    if data.dtype.kind not in kinds:
        raise PosecliError(f"{path}: {name}: numbers expected, found {data.dtype}")
    return data


def _fixed_columns(group: Any, path: Path) -> Columns:
    levels, columns = _multi_index(group, "axis0", path)
    if _multi_index(group, "block0_items", path)[1] != columns:
        raise PosecliError(f"{path}: block0_items: all columns expected to be numbers of one kind")
    return Columns.of(levels, columns, path)


def _multi_index(group: Any, name: str, path: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """The levels' names and the columns of a pandas MultiIndex in the fixed layout."""
    levels: list[str] = []
    values: list[list[str]] = []
    for i in range(len(LEVELS)):
        if f"{name}_level{i}" not in group:
            break
        level = _array(group, f"{name}_level{i}", path, 1)
        codes = _array(group, f"{name}_label{i}", path, 1)
        if len(codes) > MOST_COLUMNS or len(level) > MOST_COLUMNS or level.dtype.kind != "S":
            raise PosecliError(f"{path}: {name}_level{i}: names expected, at most {MOST_COLUMNS}")
        names = [text.decode("utf-8", "replace") for text in level[:].tolist()]
        places = _numeric(codes[:], "iu", f"{name}_label{i}", path).tolist()
        if not all(0 <= place < len(names) for place in places):
            raise PosecliError(f"{path}: {name}_label{i}: a number that is no place in {name}_level{i}")
        name_of_level = level.attrs.get("name")
        is_text = isinstance(name_of_level, bytes)
        levels.append(name_of_level.decode("utf-8", "replace") if is_text else str(name_of_level))
        values.append([names[place] for place in places])
    return levels, list(zip(*values, strict=True))


def _fixed_slices(group: Any, width: int, path: Path) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    index, values = _array(group, "axis1", path, 1), _array(group, "block0_values", path, 2)
    if values.shape != (len(index), width):
        raise PosecliError(
            f"{path}: block0_values: {(len(index), width)} numbers expected, found {values.shape}"
        )
    for start in range(0, len(index), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        yield index[rows], _numeric(values[rows], "fiu", "block0_values", path).astype(np.float64)


def _table_columns(group: Any, path: Path) -> Columns:
    table = _array(group, "table", path, 1)
    tuples = pickled_names(table.attrs.get("values_block_0_kind"), path)
    if not isinstance(tuples, list) or not all(isinstance(names, tuple) for names in tuples):
        raise PosecliError(f"{path}: values_block_0_kind: a list of the columns' names expected")
    columns = [tuple(str(name) for name in names) for names in tuples]
    width = len(columns[0]) if columns else 0
    levels = list(LEVELS) if width == len(LEVELS) else [LEVELS[0], *LEVELS[2:]]
    if any(len(names) != width for names in columns) or width != len(levels):
        raise PosecliError(f"{path}: columns of three or four names expected")
    return Columns.of(levels, columns, path)


def _table_slices(group: Any, width: int, path: Path) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    table = _array(group, "table", path, 1)
    fields = table.dtype.fields or {}
    if set(fields) != {"index", "values_block_0"} or fields["values_block_0"][0].shape != (width,):
        raise PosecliError(f"{path}: table: an index and {width} numbers a row expected")
    for start in range(0, len(table), ROWS_AT_ONCE):
        rows = table[start : start + ROWS_AT_ONCE]
        values = _numeric(rows["values_block_0"], "fiu", "table", path).astype(np.float64)
        yield rows["index"], values
