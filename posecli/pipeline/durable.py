"""Files that a power cut leaves whole: on the disk before their name is, and their name before the writer goes on."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from posecli.errors import PosecliError


def write_durably(path: Path, content: bytes) -> None:
    """Writes a file beside its place, moves it there, and waits until both have reached the disk.

    Raises:
        PosecliError: it cannot be written; an earlier file of that name is still there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # two runs must not write into one
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise PosecliError(
            f"{path} cannot be written: {error.strerror}; make room, and go on with --resume"
        ) from error


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder have reached the disk, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folders
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
