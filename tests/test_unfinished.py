"""What killed processes leave is removed, and nothing else."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import posecli.unfinished
from posecli.unfinished import Unfinished

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no locks of this kind")

WRITER = """
import sys
from pathlib import Path
from posecli.unfinished import Unfinished
unfinished = Unfinished(Path(sys.argv[1]), is_folder=sys.argv[2] == "folder")
(unfinished.path / "1.png" if sys.argv[2] == "folder" else unfinished.path).write_text("half")
print(unfinished.path.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["file", "folder"])
def kind(request):
    return request.param


@pytest.fixture
def writer(kind, tmp_path):
    """A process that is at work on poses.json, and the name of what it writes."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "poses.json"), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_of_a_killed_process(tmp_path, writer):
    process, left = writer
    with Unfinished(tmp_path / "poses.json") as own:
        assert names(tmp_path) == sorted([left, own.name]), "it lives, and works on"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert names(tmp_path) == [left]
    with Unfinished(tmp_path / "other.json"):
        assert left in names(tmp_path), "of another output"
    with Unfinished(tmp_path / "poses.json") as own:
        assert names(tmp_path) == [own.name]
    assert names(tmp_path) == []


def test_what_is_not_ours_stays(tmp_path):
    target = tmp_path / "poses.json"
    mark = posecli.unfinished._mark(target)
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / f"{mark}0123abcd.part").symlink_to(tmp_path / "elsewhere")
    for name in (
        f"{mark}mine.part",
        ".poses.json.part",
        f"{mark}0123abcd.part~",
        ".poses.json.00000000-0123abcd.part",
    ):
        (tmp_path / name).write_text("mine")
    before = names(tmp_path)
    with Unfinished(target):
        pass
    assert names(tmp_path) == before


def test_where_there_are_no_locks_nothing_is_removed(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("not on this file system")

    target = tmp_path / "poses.json"
    left = tmp_path / f"{posecli.unfinished._mark(target)}0123abcd.part"
    left.touch()
    with monkeypatch.context() as patch:
        patch.setattr(posecli.unfinished.fcntl, "flock", refuse)
        with Unfinished(target) as own:
            assert names(tmp_path) == sorted([left.name, own.name])
    with Unfinished(target):
        assert not left.exists()


def test_taken_for_a_leftover_as_it_is_made(tmp_path, monkeypatch):
    """Between its making and its lock another process may remove it: then it is made again."""
    opened, removed = posecli.unfinished._opened, []

    def remove_first(path):
        handle = opened(path)
        if not removed:
            removed.append(path)
            path.unlink()
        return handle

    monkeypatch.setattr(posecli.unfinished, "_opened", remove_first)
    with Unfinished(tmp_path / "poses.json") as own:
        assert own.exists()
        assert own != removed[0]
    assert names(tmp_path) == []


def test_it_may_be_moved_to_its_place(tmp_path):
    with Unfinished(tmp_path / "poses.json") as own:
        own.write_text("done")
        own.replace(tmp_path / "poses.json")
    assert names(tmp_path) == ["poses.json"]
