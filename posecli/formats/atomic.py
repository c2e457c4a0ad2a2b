"""Files that appear whole or not at all: written beside their final place, then moved over it."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, TypedDict

from posecli.errors import PosecliError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what only a write can fail with


class TextMode(TypedDict):
    encoding: str
    errors: str
    newline: str


# A file name that is no UTF-8 (a lone surrogate in Python) is escaped as JSON escapes it, and read back the same.
TEXT: TextMode = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}


class ReplacingFile:
    """A text file under a temporary name in the target's folder, moved into place when the block ends well.

    When the block ends with an exception the temporary file is removed and an earlier file stays as it was.
    A target that is no regular file (a pipe, /dev/stdout) cannot be replaced: it gets everything at the end.

    Raises:
        PosecliError: the folder does not exist, the target is a folder, or nothing may be written there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        given = Path(path)
        self.is_special = given.exists() and not given.is_file()
        # A symbolic link to a file stays, and the file is replaced.
        self.target = given if self.is_special else Path(os.path.realpath(given))
        if self.target.is_dir():
            raise PosecliError(f"{path} is a folder: give the name of a file in it")
        if not self.is_special and not self.target.parent.is_dir():
            raise PosecliError(f"{path}: the folder {self.target.parent} does not exist; create it first")
        self._file: IO[str] | None = None

    @property
    def folder(self) -> Path | None:
        """Where temporary data of this file belongs; None for the system's own place."""
        return None if self.is_special else self.target.parent

    def __enter__(self) -> IO[str]:
        name = f".{self.target.name}.{secrets.token_hex(4)}.part"
        folder = self.folder or Path(tempfile.gettempdir())
        self._temporary = folder / name
        try:
            self._file = self._temporary.open("x", **TEXT)
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
            self._temporary.unlink(missing_ok=True)

    def _put_in_place(self) -> None:
        if not self.is_special:
            self._temporary.replace(self.target)
            return
        with self._temporary.open("rb") as source, self.target.open("wb") as target:
            shutil.copyfileobj(source, target)
