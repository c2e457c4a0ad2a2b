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
from posecli.unfinished import Unfinished

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
    def folder(self) -> Path:
        """Where temporary data of this file belongs."""
        return Path(tempfile.gettempdir()) if self.is_special else self.target.parent

    def __enter__(self) -> IO[Any]:
        try:
            self._unfinished = Unfinished(self.target, folder=self.folder)
            path = self._unfinished.path
            self._file = path.open("wb") if self._binary else path.open("w", **TEXT)
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
            self._unfinished.remove()

    def _put_in_place(self) -> None:
        if not self.is_special:
            self._unfinished.path.replace(self.target)
            return
        with self._unfinished.path.open("rb") as source, self.target.open("wb") as target:
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

    def __enter__(self) -> Self:
        try:
            self._unfinished = Unfinished(self.target, is_folder=True)
        except OSError as error:
            raise PosecliError(f"{self.target} cannot be written: {error.strerror}") from error
        return self

    def write(self, name: str, text: str) -> None:
        """A file of the folder."""
        try:
            (self._unfinished.path / name).write_text(text, **TEXT)
        except OSError as error:
            raise PosecliError(f"{self.target} cannot be written: {error.strerror}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        old = self.target.with_name(f".{self.target.name}.{secrets.token_hex(4)}.old")
        try:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise error
            if kind is None:
                if self.target.is_dir():
                    self.target.rename(old)
                self._unfinished.path.rename(self.target)
        except OSError as failure:
            raise PosecliError(f"{self.target} cannot be written: {failure.strerror}") from failure
        finally:
            self._unfinished.remove()
            shutil.rmtree(old, ignore_errors=True)


def _others(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.iterdir() if not fnmatch.fnmatch(path.name, pattern) or path.is_dir())
