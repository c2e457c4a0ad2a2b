"""posecli estimate killed at any moment, on a full disk, and with --resume: the bytes of an unbroken run."""

import errno
import functools
import os
import signal

import pytest
import torch

import posecli.pipeline.journal
import posecli.pipeline.options
from posecli.pipeline.options import Options
from posecli.video.colour import RGBConverter
from posecli.video.video_file import VideoFile

from .conftest import write_video

LENGTH, SECTION = 33, 5
JOURNAL = "poses.json.journal"


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "clip.mkv", LENGTH)


@pytest.fixture
def estimate(command, network, monkeypatch):
    """With short sections, and a model whose answers tell how many windows it saw at once."""
    keypoints = type(network).keypoints

    def sensitive(*inputs):
        points, scores = keypoints(network, *inputs)
        return points + len(points) / 16 + torch.arange(len(points))[:, None, None, None] / 1024, scores

    monkeypatch.setattr(network, "keypoints", sensitive)
    monkeypatch.setattr(posecli.pipeline.options, "Options", functools.partial(Options, section=SECTION))

    def call(source, output, *arguments):
        fixed = ("--model", network.file, "--device", "cpu", "--batch", 3, "--no-flip")
        return command("estimate", source, "-o", output, *fixed, *arguments)

    return call


def killed(function, *arguments):
    """Calls it in a copy of this process, which must not live to its end."""
    child = os.fork()
    if not child:
        try:
            function(*arguments)
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), status
    assert os.WTERMSIG(status) == signal.SIGKILL


def at_call(number, then):
    """A function that does nothing until its number-th call, and then that; it wraps another, if given one."""
    count = 0

    def hook(*arguments, wrapped=lambda *_: None):
        nonlocal count
        count += 1
        if count == number:
            then()
        return wrapped(*arguments)

    return hook


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def finished(folder):
    return len(list((folder / JOURNAL).glob("*.npz")))


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills of POSIX")


@needs_fork
@pytest.mark.parametrize("forwards", [1, 2, 3, 6, 9, 13])
def test_killed_in_the_model(estimate, network, clip, tmp_path, monkeypatch, forwards):
    assert estimate(clip, tmp_path / "whole.json") == (0, [])
    network.on_forward = at_call(forwards, kill_self)
    killed(estimate, clip, tmp_path / "poses.json")
    network.on_forward = lambda: None
    assert finished(tmp_path) == (forwards - 1) // 2  # two batches a section
    assert not (tmp_path / "poses.json").exists()
    assert estimate(clip, tmp_path / "poses.json", "--resume") == (0, [])
    assert (tmp_path / "poses.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert not (tmp_path / JOURNAL).exists()


@pytest.mark.parametrize("every", [1, 2])
def test_reading_goes_on_where_work_does(estimate, network, clip, tmp_path, monkeypatch, every):
    """By timestamp: of the ten finished frames only those from the last look on are decoded and converted again."""
    choice = ("--detect-every", every)
    assert estimate(clip, tmp_path / "whole.json", *choice) == (0, [])
    interrupted(estimate, network, clip, tmp_path / "poses.json", *choice)
    converted, skipped = [], []
    convert, skip_to = RGBConverter.__call__, VideoFile.skip_to

    def count(self, frame):
        converted.append(frame.pts)
        return convert(self, frame)

    def note(self, *arguments):
        skipped.append(skip_to(self, *arguments))
        return skipped[-1]

    monkeypatch.setattr(RGBConverter, "__call__", count)
    monkeypatch.setattr(VideoFile, "skip_to", note)
    assert estimate(clip, tmp_path / "poses.json", "--resume", *choice) == (0, [])
    assert skipped == [True]
    assert len(converted) == 1 + every + (LENGTH - 10)  # for its checksum, and then the frames from it on
    assert (tmp_path / "poses.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


@needs_fork
@pytest.mark.parametrize("call", [1, 2, 3, 4, 5, 8, 11])
def test_killed_while_the_journal_is_written(estimate, clip, tmp_path, monkeypatch, call):
    """The folder is a wait for the disk, the header and each section two: before the file has its name, and after."""
    assert estimate(clip, tmp_path / "whole.csv") == (0, [])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", functools.partial(at_call(call, kill_self), wrapped=os.fsync))
        killed(estimate, clip, tmp_path / "poses.csv")
    assert estimate(clip, tmp_path / "poses.csv", "--resume") == (0, [])
    for name in ("csv", "csv.info.json"):
        assert (tmp_path / f"poses.{name}").read_bytes() == (tmp_path / f"whole.{name}").read_bytes()


@needs_fork
def test_killed_between_the_output_and_the_end(estimate, network, clip, tmp_path, monkeypatch):
    output = tmp_path / "poses.json"
    with monkeypatch.context() as patch:
        patch.setattr(posecli.pipeline.journal.FolderJournal, "remove", lambda self: kill_self())
        killed(estimate, clip, output)
    whole = output.read_bytes()
    network.on_forward = lambda: pytest.fail("everything is done")
    assert estimate(clip, output, "--resume") == (0, [])
    assert output.read_bytes() == whole
    assert not (tmp_path / JOURNAL).exists()


@needs_fork
@pytest.mark.parametrize("then", ["--resume", "--force"])
def test_what_a_killed_run_leaves_is_removed_by_the_next(estimate, network, clip, tmp_path, then):
    network.on_forward = at_call(3, kill_self)
    killed(estimate, clip, tmp_path / "poses.csv")
    network.on_forward = lambda: None
    assert len(list(tmp_path.glob(".poses.csv*.part"))) == 2, "of the table and of the file beside"
    assert estimate(clip, tmp_path / "poses.csv", then) == (0, [])
    assert not list(tmp_path.glob(".*"))


@needs_fork
def test_killed_again_and_again(estimate, network, clip, tmp_path):
    assert estimate(clip, tmp_path / "whole.json") == (0, [])
    for times in range(1, 7):
        network.on_forward = at_call(3, kill_self)
        killed(estimate, clip, tmp_path / "poses.json", "--resume")
        assert finished(tmp_path) == times
    network.on_forward = lambda: None
    assert estimate(clip, tmp_path / "poses.json", "--resume") == (0, [])
    assert (tmp_path / "poses.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def interrupted(estimate, network, source, output, *arguments, at=6):
    network.on_forward = at_call(at, lambda: signal.raise_signal(signal.SIGINT))
    code, lines = estimate(source, output, *arguments)
    network.on_forward = lambda: None
    assert code == 130
    return lines


def test_ctrl_c_says_how_to_go_on(estimate, network, clip, tmp_path):
    lines = interrupted(estimate, network, clip, tmp_path / "poses.json")
    assert lines == [
        "posecli: 10 frames are finished and kept: go on with --resume",
        "posecli: interrupted",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mkv", "model.safetensors", JOURNAL]


def test_what_was_interrupted_is_not_lost_unasked(estimate, network, clip, tmp_path):
    interrupted(estimate, network, clip, tmp_path / "poses.json")
    code, lines = estimate(clip, tmp_path / "poses.json")
    assert (code, len(lines)) == (1, 1)
    assert "--resume" in lines[0]
    assert "--force" in lines[0]
    assert finished(tmp_path) == 2
    assert estimate(clip, tmp_path / "poses.json", "--force") == (0, [])
    assert not (tmp_path / JOURNAL).exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--batch", "2"], "another batch (3 then, 2 now)"),
        (["--chunk", "5"], "another chunk"),
        (["--exact"], 'another windows ("reuse" then, "exact" now)'),
        (["--tracker", "bytetrack"], "another tracker"),
        (["--detect-every", "2"], "another detector"),
        (["--rotate", "90"], "another rotate"),
    ],
)
def test_other_options_are_refused(estimate, network, clip, tmp_path, change, said):
    interrupted(estimate, network, clip, tmp_path / "poses.json")
    code, lines = estimate(clip, tmp_path / "poses.json", "--resume", *change)
    assert (code, len(lines)) == (1, 1)
    assert said in lines[0]
    assert finished(tmp_path) == 2


def test_another_video_of_the_same_name_is_refused(estimate, network, clip, tmp_path):
    interrupted(estimate, network, clip, tmp_path / "poses.json")
    write_video(clip, LENGTH + 1)
    code, lines = estimate(clip, tmp_path / "poses.json", "--resume")
    assert (code, len(lines)) == (1, 1)
    assert "another video" in lines[0]


def test_resume_also_begins(estimate, clip, tmp_path):
    assert estimate(clip, tmp_path / "poses.json", "--resume") == (0, [])
    assert estimate(clip, tmp_path / "other.json") == (0, [])
    assert (tmp_path / "poses.json").read_bytes() == (tmp_path / "other.json").read_bytes()


def test_resume_overwrites_nothing_else(estimate, clip, tmp_path):
    output = tmp_path / "poses.json"
    output.write_text("earlier")
    code, lines = estimate(clip, output, "--resume")
    assert (code, len(lines)) == (1, 1)
    assert "--force" in lines[0]
    assert output.read_text() == "earlier"
    assert estimate(clip, output, "--resume", "--force") == (0, [])


def test_a_full_disk_under_the_journal(estimate, clip, tmp_path, monkeypatch):
    """It fills up while the third section is written; with room made, the run goes on from there."""
    assert estimate(clip, tmp_path / "whole.json") == (0, [])
    fsync = os.fsync

    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", functools.partial(at_call(8, full), wrapped=fsync))
        code, lines = estimate(clip, tmp_path / "poses.json")
    assert code == 1
    assert lines[0] == "posecli: 10 frames are finished and kept: go on with --resume"
    assert "00000010.npz cannot be written: No space left on device; make room" in lines[1]
    assert len(lines) == 2
    assert not [path.name for path in tmp_path.rglob("*.part")]
    assert not (tmp_path / "poses.json").exists()
    assert finished(tmp_path) == 2
    assert estimate(clip, tmp_path / "poses.json", "--resume") == (0, [])
    assert (tmp_path / "poses.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
