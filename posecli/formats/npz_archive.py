"""Arrays of an NPZ file, read by slices and safely: nothing is unpickled, and no claim of a size is believed."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.formats.document import FLOAT32_LIMIT

ROWS_AT_ONCE = 4096
MOST_TEXT = 1 << 24  # bytes of one text, or of all names together
# What zipfile and numpy raise for an archive or a header that is broken.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    SyntaxError,
    EOFError,
    KeyError,
    ValueError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
MOST_TIMES_COMPRESSED = 1100  # deflate cannot do more


class Archive:
    """Arrays of an NPZ file, read by slices; a claim that its bytes cannot hold is an error."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        try:
            self._zip = zipfile.ZipFile(self.path)
        except OSError as error:
            raise PosecliError(f"{self.path} cannot be read: {error.strerror}") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise PosecliError(f"{self.path}: not an NPZ archive ({error})") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def has(self, name: str) -> bool:
        return f"{name}.npy" in self._zip.namelist()

    def whole(self, name: str, kind: str, dimensions: int) -> NDArray[Any]:
        """A small array: texts, or some numbers of each frame."""
        with self._opened(name) as (member, shape, type_):
            if len(shape) != dimensions or type_.kind != kind:
                raise PosecliError(f"{self.path}: {name}: unexpected form: {type_} of shape {shape}")
            size = int(np.prod(shape, dtype=object)) * type_.itemsize
            if kind == "U" and size > MOST_TEXT:
                raise PosecliError(f"{self.path}: {name}: more text than there can be")
            return np.frombuffer(_read(member, size), type_).reshape(shape)

    def rows(
        self, types: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """Slices of arrays of equal lengths, side by side.

        Args:
            types: what they become, by their names.
            shapes: of their rows.
        """
        with ExitStack() as stack:
            opened = {name: stack.enter_context(self._opened(name)) for name in types}
            lengths = set()
            for name, (_, shape, type_) in opened.items():
                kinds = "f" if "f" in types[name] else "iu"
                if not shape or shape[1:] != shapes[name] or type_.kind not in kinds:
                    raise PosecliError(f"{self.path}: {name}: unexpected form: {type_} of shape {shape}")
                lengths.add(shape[0])
            if len(lengths) != 1:
                raise PosecliError(f"{self.path}: the people's arrays are of different lengths")
            total = lengths.pop()
            for start in range(0, total, ROWS_AT_ONCE):
                count = min(ROWS_AT_ONCE, total - start)
                yield {
                    name: self._slice(member, (count, *shape[1:]), type_, types[name])
                    for name, (member, shape, type_) in opened.items()
                }

    def _slice(
        self, member: IO[bytes], shape: tuple[int, ...], type_: np.dtype[Any], target: str
    ) -> NDArray[Any]:
        values = np.frombuffer(_read(member, int(np.prod(shape)) * type_.itemsize), type_).reshape(shape)
        if type_.kind == "f" and (np.abs(values) > FLOAT32_LIMIT).any():
            values = np.where(np.abs(values) > FLOAT32_LIMIT, np.inf, values)  # reported with its person
        return values.astype(target)

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype[Any]]]:
        """A member of the archive behind its header, its shape and its type."""
        if not self.has(name):
            raise PosecliError(f"{self.path}: {name} is missing")
        entry = self._zip.getinfo(f"{name}.npy")
        try:
            with self._zip.open(entry) as member:
                version = np.lib.format.read_magic(member)
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }
                shape, is_fortran, type_ = read[version](member)
                size = int(np.prod(shape, dtype=object)) * type_.itemsize
                if type_.hasobject or (is_fortran and len(shape) > 1) or min(shape, default=0) < 0:
                    raise PosecliError(f"{self.path}: {name}: an array of numbers or text by rows expected")
                if size > min(entry.file_size, MOST_TIMES_COMPRESSED * self.path.stat().st_size):
                    raise PosecliError(
                        f"{self.path}: {name}: {shape} values are claimed, and fewer are there"
                    )
                yield member, shape, type_
        except DAMAGE as error:
            raise PosecliError(f"{self.path}: {name}: damaged ({' '.join(str(error).split())})") from error


def _read(member: IO[bytes], size: int) -> bytes:
    data = member.read(size)
    if len(data) < size:
        raise EOFError(f"{size} bytes expected, found {len(data)}")
    return data
