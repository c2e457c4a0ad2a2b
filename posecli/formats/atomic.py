"""Files that appear whole or not at all: written beside their final place, then moved over it."""

from __future__ import annotations

import errno
import fnmatch
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypedDict

from posecli.errors import PosecliError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what only a write can fail with


class TextMode(TypedDict):
    encoding: str
    errors: str
    newline: str


# A file name that is no UTF-8 (a lone surrogate in Python) is escaped as JSON escapes it, and read back the same.
TEXT: TextMode = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}


class ReplacingFile:
    """A file under a temporary name in the target's folder, moved into place when the block ends well.

    When the block ends with an exception the temporary file is removed and an earlier file stays as it was.
    A target that is no regular file (a pipe, /dev/stdout) cannot be replaced: it gets everything at the end.

    Args:
        binary: whether the block gets a file of bytes, else one of text.

    Raises:
        PosecliError: the folder does not exist, the target is a folder, or nothing may be written there.
    """

    def __init__(self, path: str | os.PathLike[str], *, binary: bool = False) -> None:
        given = Path(path)
        self._binary = binary
        self.is_special = given.exists() and not given.is_file()
        # A symbolic link to a file stays, and the file is replaced.
        self.target = given if self.is_special else Path(os.path.realpath(given))
        if self.target.is_dir():
            raise PosecliError(f"{path} is a folder: give the name of a file in it")
        if not self.is_special and not self.target.parent.is_dir():
            raise PosecliError(f"{path}: the folder {self.target.parent} does not exist; create it first")
        self._file: IO[Any] | None = None

    @property
    def folder(self) -> Path | None:
        """Where temporary data of this file belongs; None for the system's own place."""
        return None if self.is_special else self.target.parent

    def __enter__(self) -> IO[Any]:
        folder = self.folder or Path(tempfile.gettempdir())
        self.temporary = folder / temporary_name(self.target)
        try:
            self._file = self.temporary.open("xb") if self._binary else self.temporary.open("x", **TEXT)
        except OSError as error:
            raise PosecliError(f"{self.target} cannot be written: {error.strerror}") from error
        return self._file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        try:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise error
            self._file.close()
            if kind is None:
                self._put_in_place()
        except OSError as failure:
            raise PosecliError(f"{self.target} cannot be written: {failure.strerror}") from failure
        finally:
            self.temporary.unlink(missing_ok=True)

    def _put_in_place(self) -> None:
        if not self.is_special:
            self.temporary.replace(self.target)
            return
        with self.temporary.open("rb") as source, self.target.open("wb") as target:
            shutil.copyfileobj(source, target)


class ReplacingFolder:
    """A folder of files under a temporary name beside the target, moved into place when the block ends well.

    Args:
        pattern: of the names of the files that belong into it. An earlier folder is only replaced when it holds
            nothing else, so that a slip of the hand costs nobody a folder of other things.

    Raises:
        PosecliError: the target is no folder or holds other things, or nothing may be written there.
    """

    def __init__(self, path: str | os.PathLike[str], pattern: str) -> None:
        self.target = Path(os.path.realpath(path))
        if self.target.exists() and not self.target.is_dir():
            raise PosecliError(f"{path} is a file: give the name of a folder")
        if not self.target.parent.is_dir():
            raise PosecliError(f"{path}: the folder {self.target.parent} does not exist; create it first")
        strange = self.target.is_dir() and next(_others(self.target, pattern), None)
        if strange:
            raise PosecliError(f"{path} holds {strange.name} and is not replaced: give a new folder's name")
        self.temporary = self.target.with_name(temporary_name(self.target))

    def __enter__(self) -> Self:
        try:
            self.temporary.mkdir()
        except OSError as error:
            raise PosecliError(f"{self.target} cannot be written: {error.strerror}") from error
        return self

    def write(self, name: str, text: str) -> None:
        """A file of the folder."""
        try:
            (self.temporary / name).write_text(text, **TEXT)
        except OSError as error:
            raise PosecliError(f"{self.target} cannot be written: {error.strerror}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        old = self.target.with_name(temporary_name(self.target))
        try:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise error
            if kind is None:
                if self.target.is_dir():
                    self.target.rename(old)
                self.temporary.rename(self.target)
        except OSError as failure:
            raise PosecliError(f"{self.target} cannot be written: {failure.strerror}") from failure
        finally:
            for folder in (self.temporary, old):
                shutil.rmtree(folder, ignore_errors=True)


def temporary_name(target: Path) -> str:
    """A hidden name that nobody has, for what will become the target."""
    return f".{target.name}.{secrets.token_hex(4)}.part"


def _others(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not fnmatch.fnmatch(path.name, pattern) or path.is_dir())
