"""Files that are being written: hidden beside their place, and locked as long as their process lives.

A process that is killed leaves what it was writing. Whoever writes to the same place next removes it, if it bears this
machine's mark (on a folder that machines share, a lock of another machine may not be seen) and nobody holds it locked.
Where the system or the folder knows no locks, leftovers stay.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Unfinished:
    """An empty file or folder under a hidden name beside the target, for what will become it; a context manager.

    Args:
        target: what it will be moved to.
        is_folder: whether it is a folder.
        folder: where it lies, if not beside the target.

    Raises:
        OSError: it cannot be made there.
    """

    def __init__(self, target: Path, *, is_folder: bool = False, folder: Path | None = None) -> None:
        beside = (folder or target.parent) / target.name
        _remove_leftovers(beside)
        while True:
            self.path = beside.with_name(f"{_mark(beside)}{secrets.token_hex(4)}.part")
            self.path.mkdir() if is_folder else self.path.touch(exist_ok=False)
            self._lock = _opened(self.path)
            if self._lock is None or not _lock(self._lock, wait=True) or _is_at(self._lock, self.path):
                return
            os.close(self._lock)  # another process took it for a leftover before it was locked

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *error: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Removes it, unless it was moved to its place, and lets the lock go."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _remove_leftovers(beside: Path) -> None:
    pattern = re.compile(re.escape(_mark(beside)) + r"[0-9a-f]{8}\.part")
    with suppress(OSError):
        names = [entry.name for entry in os.scandir(beside.parent) if pattern.fullmatch(entry.name)]
        for name in names:
            path = beside.with_name(name)
            with _unowned(path) as is_left:
                if is_left:
                    _remove(path)


def _mark(beside: Path) -> str:
    """How the names of what becomes this file begin on this machine."""
    return f".{beside.name}.{_machine()}-"


@cache
def _machine() -> str:
    """The host's name and its network card's number: containers on different machines may share either."""
    return hashlib.sha256(f"{platform.node()} {uuid.getnode()}".encode()).hexdigest()[:8]


@contextmanager
def _unowned(path: Path) -> Iterator[bool]:
    """Whether no process is writing it; within the block none can come to own it."""
    handle = _opened(path)
    try:
        yield handle is not None and _lock(handle, wait=False)
    finally:
        if handle is not None:
            os.close(handle)


def _opened(path: Path) -> int | None:
    """A handle to lock it by; None where there are no locks. Links are not followed."""
    if fcntl is None:
        return None
    # On network folders only what is open for writing can be locked alone; a folder cannot be opened so.
    mode = os.O_RDONLY | os.O_DIRECTORY if path.is_dir() else os.O_RDWR
    try:
        return os.open(path, mode | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None


def _lock(handle: int, *, wait: bool) -> bool:
    """Whether it is locked now: not if another holds it (and we don't wait for that one), or there are no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink(missing_ok=True)
