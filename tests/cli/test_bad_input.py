"""detect, render, train and models under bad input: one line, an exit code, nothing left behind."""

import signal

import pytest

import posecli.draw.renderer
from posecli.formats import open_writer
from posecli.formats.boxes import read_boxes
from posecli.skeletons import COCO
from posecli.types import Poses
from posecli.video import open_source

from .conftest import full_disk, write_video


@pytest.fixture
def folder(tmp_path, clip, monkeypatch):
    """clip.mkv, poses.json of it, and files that are nothing of the kind."""
    monkeypatch.chdir(tmp_path)
    write_poses("poses.json", "clip.mkv")
    (tmp_path / "text.mp4").write_text("just text\n" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "broken.csv").write_text("a,b\n1,2\n")
    (tmp_path / "directory").mkdir()
    return tmp_path


def write_poses(path, source):
    with (
        open_source(source) as video,
        open_writer(path, video=video.info, skeleton=COCO, provenance={}) as writer,
    ):
        for frame in video.frames():
            writer.write(Poses.empty(frame.index, frame.time_s, len(COCO)))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("detect no.mp4 -o b.json", 1, "no.mp4 does not exist"),
        ("detect text.mp4 -o b.json", 1, "text.mp4"),
        ("detect empty.mp4 -o b.json", 1, "empty.mp4 is empty"),
        ("detect clip.mkv -o no/b.json", 1, "no does not exist"),
        ("detect clip.mkv -o directory", 2, "is a folder"),
        ("detect clip.mkv -o clip.mkv", 2, "over the input"),
        ("detect clip.mkv -o b.json --device gpu", 1, "--device gpu"),
        ("detect clip.mkv -o b.json --detector hog --device cpu", 2, "hog"),
        ("detect clip.mkv", 2, "--output"),
        ("render no.mp4 poses.json -o out.mp4", 1, "no.mp4 does not exist"),
        ("render text.mp4 poses.json -o out.mp4", 1, "text.mp4"),
        ("render clip.mkv no.json -o out.mp4", 1, "no.json"),
        ("render clip.mkv broken.json -o out.mp4", 1, "broken.json: not JSON"),
        ("render clip.mkv broken.csv -o out.mp4", 1, "broken.csv"),
        ("render clip.mkv clip.mkv -o out.mp4", 1, "clip.mkv: not a"),
        ("render clip.mkv poses.json -o no/out.mp4", 1, "cannot write no/out.mp4"),
        ("render clip.mkv poses.json -o out.avi", 2, "out.avi"),
        ("render clip.mkv poses.json -o clip.mkv", 2, "over the input"),
        ("render clip.mkv poses.json -o out.mp4 --format bvh", 2, "bvh"),
        ("render clip.mkv poses.json -o out.mp4 --min-score 3", 2, "--min-score"),
        ("render clip.mkv", 2, "POSES"),
        ("train --recipe no --data directory -o run", 1, "recipe 'no' is unknown"),
        ("train --recipe no.toml --data directory -o run", 1, "no.toml"),
        ("train --recipe glsmamba-t --data no -o run", 1, "no such folder"),
        ("train --recipe glsmamba-t --data directory -o run --set bogus=1", 1, "bogus"),
        ("train --recipe glsmamba-t --data directory -o run --set bogus", 2, "field=value"),
        ("train --recipe glsmamba-t --data directory -o run --device gpu", 1, "--device gpu"),
        ("train --recipe glsmamba-t --data directory -o clip.mkv", 1, "clip.mkv"),
        ("train --recipe encoder-t --data directory -o run --device cuda:999", 1, "cuda:999"),
        ("train -o run", 2, "give --dataset, --recipe or both"),
        ("train --recipe glsmamba-t --data directory", 2, "-o"),
        ("train --recipe glsmamba-t --data directory -o run --split 1", 2, "--split belongs to"),
        ("train --dataset mpii --data directory", 2, "unknown dataset 'mpii'; known: posetrack17"),
        ("train --dataset posetrack17 --split 1 --data directory", 2, "--split 1: no split of posetrack17"),
        ("train --dataset sub-jhmdb --split 4 --data directory", 2, "choose 1, 2, 3"),
        ("train --dataset posetrack17", 1, "posetrack17: no folder given"),
        ("train --dataset posetrack17 --model no --data directory", 1, "model 'no' is unknown"),
        ("train --dataset posetrack17 --data directory", 1, "give a checkpoint of it with --encoder FILE"),
        ("train --dataset posetrack17 --data directory --encoder no.pth", 1, "no.pth: there is no such file"),
        ("train --dataset posetrack17 --data directory --encoder none", 1, "looked for annotations"),
        ("train --dataset posetrack17 --data directory --set model.temporal.bogus=1", 1, "bogus is unknown"),
        ("train --dataset posetrack17 --data directory --encoder none --cache-features", 2, "augment=false"),
        ("models list no-such-model", 1, "no-such-model"),
        ("models list no.toml", 1, "no.toml"),
        ("models show", 2, "show"),
        ("estimat clip.mkv", 2, "estimate"),
    ],
)
def test_one_line_and_nothing_left_behind(command, folder, arguments, code, said):
    before = sorted(folder.rglob("*"))
    found, lines = command(*arguments.split())
    assert (found, len(lines)) == (code, 1), lines
    assert lines[0].startswith("posecli: ")
    assert said in lines[0]
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("output", ["out.mp4", "out.mkv", "out.gif", "out"])
def test_render_on_a_full_disk(command, folder, output):
    before = sorted(folder.rglob("*"))
    with full_disk(at_bytes=3000):
        code, lines = command("render", "clip.mkv", "poses.json", "-o", output)
    assert (code, len(lines)) == (1, 1), lines
    assert output in lines[0]
    assert sorted(folder.rglob("*")) == before


def test_detect_on_a_full_disk(command, network, folder):
    before = sorted(folder.rglob("*"))
    with full_disk(at_bytes=300):
        code, lines = command("detect", "clip.mkv", "-o", "b.json", "--device", "cpu")
    assert (code, len(lines)) == (1, 1), lines
    assert "b.json cannot be written" in lines[0]
    assert sorted(folder.rglob("*")) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
@pytest.mark.parametrize("output", ["out.mp4", "out.gif", "out"])
def test_ctrl_c_while_rendering(command, folder, monkeypatch, output):
    before = sorted(folder.rglob("*"))
    drawn = []

    def draw(canvas, *_):
        drawn.append(canvas)
        if len(drawn) == 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(posecli.draw.renderer, "draw_on", draw)
    monkeypatch.setattr(Poses, "__len__", lambda self: 1)  # somebody to draw
    assert command("render", "clip.mkv", "poses.json", "-o", output) == (130, ["posecli: interrupted"])
    assert len(drawn) == 5
    assert sorted(folder.rglob("*")) == before


def test_a_broken_off_video(command, network, folder):
    """What was decoded is used, and one line says how much that was."""
    whole = write_video(folder / "whole.mkv", 40)
    (folder / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    code, lines = command("detect", "cut.mkv", "-o", "b.json", "--device", "cpu")
    frames = len(read_boxes("b.json"))
    said = f"posecli: warning: broke off after frame {frames - 1} of about 40: the file is incomplete"
    assert (code, lines) == (0, [said])
    write_poses("cut.json", "cut.mkv")
    assert command("render", "cut.mkv", "cut.json", "-o", "cut.mp4") == (0, [said])
    with open_source("cut.mp4") as video:
        assert sum(1 for _ in video.frames()) == frames
