"""Files that are whole or not there, on a disk that fills up or loses power."""

import errno
import os
from pathlib import Path

import pytest

from posecli.errors import PosecliError
from posecli.pipeline.durable import write_durably


def test_the_file_reaches_the_disk_before_its_name(tmp_path, monkeypatch):
    events, fsync = [], os.fsync

    def note(handle):
        events.append(("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file", names()))
        fsync(handle)

    def names():
        return sorted(path.name for path in tmp_path.iterdir())

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("a system without /proc")
    monkeypatch.setattr(os, "fsync", note)
    write_durably(tmp_path / "a", b"content")
    assert events == [("file", [f".a.{os.getpid()}.part"]), ("folder", ["a"])]
    assert (tmp_path / "a").read_bytes() == b"content"


def test_a_full_disk_leaves_the_earlier_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"earlier")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PosecliError, match=r"a cannot be written: No space left on device; make room"):
        write_durably(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"earlier"
