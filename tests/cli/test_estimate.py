"""posecli estimate through main(): exit code, what it says, and what is on the disk afterwards."""

import json
import signal
import threading
from contextlib import nullcontext

import cv2
import numpy as np
import pytest

from posecli.cli.options import FormatName, TrackerName
from posecli.detect.tracking import TRACKER_NAMES
from posecli.errors import PosecliError
from posecli.formats import FORMATS, read_poses
from posecli.pipeline.session import Session
from posecli.skeletons import SKELETONS
from posecli.video.colour import RGBConverter
from posecli.weights.locate import embedded_weights

from .conftest import OneBox, full_disk, write_video


@pytest.fixture
def estimate(command, network):
    def call(source, output, *arguments):
        return command(
            "estimate", source, "-o", output, "--model", network.file, "--device", "cpu", *arguments
        )

    return call


def test_poses_of_every_frame_and_not_a_word_in_a_pipe(estimate, clip, tmp_path):
    assert estimate(clip, tmp_path / "poses.json", "--threads", 1) == (0, [])
    recording = read_poses(tmp_path / "poses.json")
    assert [len(frame) for frame in recording.frames] == [1] * 8
    np.testing.assert_allclose(recording.frames[3].keypoints, np.full((1, 17, 2), 35), atol=1)
    assert recording.provenance["detector"] == {"name": "one box"}


@pytest.mark.parametrize(("choice", "looks"), [("--flip", 2), ("--no-flip", 1)])
def test_the_flip_test_looks_at_everyone_twice(estimate, network, clip, tmp_path, choice, looks):
    counted = []
    network.on_forward = lambda: counted.append(1)
    assert estimate(clip, tmp_path / "poses.json", "--batch", 1, choice) == (0, [])
    recording = read_poses(tmp_path / "poses.json")
    assert len(counted) == looks * 8
    np.testing.assert_allclose(recording.frames[3].keypoints, np.full((1, 17, 2), 35), atol=1)
    assert recording.provenance.get("flip", False) == (choice == "--flip")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_by_its_name(estimate, clip, tmp_path, name):
    output = tmp_path / "poses.dat"
    assert estimate(clip, output, "--format", name) == (0, [])
    assert [len(frame) for frame in read_poses(output, name).frames] == [1] * 8


def test_force_replaces_what_is_there(estimate, clip, tmp_path):
    output = tmp_path / "poses.json"
    output.write_text("earlier")
    assert estimate(clip, output)[0] == 1
    assert output.read_text() == "earlier"
    assert estimate(clip, output, "--force") == (0, [])
    assert len(read_poses(output).frames) == 8


@pytest.mark.parametrize("name", ["posetrack17", "posetrack18"])
def test_posetrack_ranks_joints_by_their_own_score_times_the_box(estimate, clip, tmp_path, name):
    boxes = [{"image_id": i, "bbox": [10, 10, 40, 50], "score": 0.5} for i in range(8)]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    scores = {}
    for form in ("coco", name):
        options = ("--format", form, "--boxes", tmp_path / "boxes.json")
        assert estimate(clip, tmp_path / form, *options) == (0, [])
        frame = read_poses(tmp_path / form, form).frames[3]
        assert frame.tracks.scores[0] == 0.5
        scores[form] = frame.scores[0, SKELETONS[form].index("nose")]
    assert scores[name] == pytest.approx(0.5 * scores["coco"])
    assert scores["coco"] > 0


def test_the_formats_and_trackers_offered_are_those_there_are():
    assert set(FormatName.__args__) == set(FORMATS)
    assert TrackerName.__args__ == TRACKER_NAMES


def test_pictures(estimate, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), np.zeros((64, 96, 3), np.uint8))
    assert estimate(folder, tmp_path / "all.csv") == (0, [])
    assert [frame.name for frame in read_poses(tmp_path / "all.csv").frames] == ["a.png", "b.png"]
    assert estimate(folder / "b.png", tmp_path / "one.csv") == (0, [])
    assert [frame.name for frame in read_poses(tmp_path / "one.csv").frames] == ["b.png"]


def test_a_broken_off_video_gives_what_was_decoded_and_says_how_much(estimate, tmp_path):
    whole = write_video(tmp_path / "whole.mkv", 40)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    code, lines = estimate(cut, tmp_path / "poses.json")
    frames = len(read_poses(tmp_path / "poses.json").frames)
    assert code == 0
    assert 5 < frames < 35
    assert len(lines) == 1
    assert f"broke off after frame {frames - 1} of about 40" in lines[0]
    assert estimate(cut, tmp_path / "again.json", "--quiet") == (0, [])


@pytest.mark.parametrize(("identity", "tracker"), [({"track_id": 7}, "file"), ({}, "ocsort")])
def test_boxes_of_a_file_keep_their_ids(estimate, clip, tmp_path, identity, tracker):
    boxes = [{"frame_index": i, "bbox": [20, 10, 30, 50], "score": 0.9, **identity} for i in range(8)]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    output = tmp_path / "poses.json"
    assert estimate(clip, output, "--boxes", tmp_path / "boxes.json", "--tracker", "ocsort") == (0, [])
    recording = read_poses(output)
    assert {int(i) for frame in recording.frames for i in frame.tracks.ids} == {identity.get("track_id", 1)}
    assert recording.provenance["tracker"] == tracker


def test_a_detector_that_looks_at_every_third_frame(estimate, clip, tmp_path):
    assert estimate(clip, tmp_path / "poses.json", "--detect-every", 3) == (0, [])
    recording = read_poses(tmp_path / "poses.json")
    assert [frame.tracks.ids.tolist() for frame in recording.frames] == [[1]] * 8
    assert recording.provenance["detector"] == {"name": "one box", "every": 3}
    # Another setting is another result.
    assert estimate(clip, tmp_path / "poses.json", "--detect-every", 2, "--resume")[0] == 1
    assert estimate(clip, tmp_path / "poses.json", "--detect-every", 3, "--resume") == (0, [])


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        ([], "reuse"),
        (["--windows", "exact"], "exact"),
        (["--exact"], "exact"),
        (["--windows", "auto"], "reuse"),
    ],
)
def test_windows_are_told_in_the_file(estimate, clip, tmp_path, arguments, mode):
    output = tmp_path / "poses.json"
    assert estimate(clip, output, *arguments) == (0, [])
    assert read_poses(output).provenance["windows"] == mode
    # Another setting is another result.
    other = "exact" if mode == "reuse" else "reuse"
    assert estimate(clip, output, "--windows", other, "--resume")[0] == 1
    assert estimate(clip, output, *arguments, "--resume") == (0, [])


BAD_INPUTS = {
    "missing.mp4": None,
    "empty.mp4": b"",
    "text.mp4": b"just text\n" * 100,
    "picture.png": b"not a picture",
    "head.mkv": b"\x1a\x45\xdf\xa3" + bytes(60),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_an_input_that_cannot_be_read(estimate, tmp_path, name):
    source = tmp_path / name
    if BAD_INPUTS[name] is not None:
        source.write_bytes(BAD_INPUTS[name])
    before = sorted(tmp_path.iterdir())
    code, lines = estimate(source, tmp_path / "poses.json")
    assert (code, len(lines)) == (1, 1)
    assert str(source) in lines[0]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("output", "arguments", "code", "said"),
    [
        ("no/poses.json", [], 1, "no does not exist"),
        ("there.json", [], 1, "there.json exists: give --force"),
        ("poses.xyz", [], 2, ".json or .csv"),
        ("clip.mkv", ["--format", "csv"], 2, "over the input"),
        ("poses.json", ["--format", "coco2"], 2, "coco-results"),
        ("poses.json", ["--device", "gpu"], 1, "cuda:N"),
        ("poses.json", ["--device", "cuda:999"], 1, "cuda:999"),
        ("poses.json", ["--model", "no.safetensors"], 1, "no such file"),
        ("poses.json", ["--model", "glsmamba-x"], 1, "glsmamba-b"),
        ("poses.json", ["--model", "glsmamba-h"], 1, "nobody published any"),
        ("poses.json", ["--boxes", "no.json"], 1, "no.json"),
        ("poses.json", ["--boxes", "broken.json"], 1, "broken.json: not JSON"),
        ("poses.json", ["--boxes", "other.json"], 1, "no boxes"),
        ("poses.json", ["--batch", "0"], 2, "--batch"),
        ("poses.json", ["--chunk", "1000000"], 2, "--chunk"),
        ("poses.json", ["--threads", "-1"], 2, "--threads"),
        ("poses.json", ["--threshold", "2"], 2, "--threshold"),
        ("poses.json", ["--tracker", "sort"], 2, "bytetrack"),
        ("poses.json", ["--detect-every", "0"], 2, "--detect-every"),
        ("poses.json", ["--detect-every", "11"], 2, "--detect-every"),
        ("poses.json", ["--detect-every", "2", "--tracker", "none"], 2, "needs a tracker"),
        ("poses.json", ["--detect-every", "2", "--boxes", "boxes.json"], 2, "--boxes tells where people are"),
        ("poses.json", ["--rotate", "45"], 2, "180"),
        ("poses.json", ["--no-such-option"], 2, "--no-such-option"),
    ],
)
def test_wrong_options(estimate, clip, tmp_path, monkeypatch, output, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.json").touch()
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text('{"people": 3}')
    before = sorted(tmp_path.iterdir())
    found, lines = estimate(clip, output, *arguments)
    assert (found, len(lines)) == (code, 1), lines
    assert lines[0].startswith("posecli: ")
    assert said in lines[0]
    assert sorted(tmp_path.iterdir()) == before


def test_a_model_that_is_none(command, clip, tmp_path):
    garbage = tmp_path / "garbage.safetensors"
    garbage.write_bytes(b"x" * 100)
    detections = tmp_path / "boxes.json"
    detections.write_text("[]")
    code, lines = command(
        "estimate", clip, "-o", tmp_path / "o.json", "--boxes", detections, "--model", garbage
    )
    assert (code, len(lines)) == (1, 1)
    assert "garbage.safetensors" in lines[0]
    assert not (tmp_path / "o.json").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_an_interruption_leaves_the_earlier_file(estimate, network, clip, tmp_path, name, code):
    """The signal comes while the model works, when a part of the poses is already written."""
    output = tmp_path / "poses.json"
    output.write_text("earlier")
    calls = []

    def interrupt():
        calls.append(sorted(path.name for path in tmp_path.iterdir()))
        if len(calls) == 3:
            signal.raise_signal(getattr(signal, name))

    network.on_forward = interrupt
    before = sorted(path.name for path in tmp_path.iterdir())
    found, lines = estimate(clip, output, "--batch", 1, "--force")
    assert found == code
    assert lines == (["posecli: interrupted"] if name == "SIGINT" else [])
    assert any(file.endswith(".part") for file in calls[-1])
    assert output.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("name", ["poses.json", "poses.csv"])
def test_a_full_disk(estimate, tmp_path, clip, name):
    output = tmp_path / name
    output.write_text("earlier")
    before = sorted(tmp_path.iterdir())
    with full_disk(at_bytes=2000):
        code, lines = estimate(clip, output, "--force")
    assert (code, len(lines)) == (1, 1), lines
    assert "cannot be written: File too large" in lines[0]
    assert output.read_text() == "earlier"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(
    not (embedded_weights("glsmamba-t") and embedded_weights("detector")), reason="no weights inside"
)
def test_the_networks_inside(command, clip, tmp_path):
    """The real ones, on noise: nobody is there, and every frame is."""
    assert command("estimate", clip, "-o", tmp_path / "poses.json", "--device", "cpu") == (0, [])
    recording = read_poses(tmp_path / "poses.json")
    assert len(recording.frames) == 8
    assert json.loads((tmp_path / "poses.json").read_text())["info"]["model"]["name"] == "glsmamba-t"


@pytest.mark.parametrize("stage", ["decoding", "detecting", "model"])
def test_an_error_of_any_stage_is_said_once_and_leaves_no_thread(
    estimate, network, clip, tmp_path, monkeypatch, stage
):
    """The video is decoded in a thread of its own."""

    def fail(*_):
        raise PosecliError("it broke")

    if stage == "decoding":
        monkeypatch.setattr(RGBConverter, "__call__", fail)
    elif stage == "detecting":
        monkeypatch.setattr(OneBox, "detect", fail)
    else:
        network.on_forward = fail
    assert estimate(clip, tmp_path / "poses.json") == (1, ["posecli: it broke"])
    assert not (tmp_path / "poses.json").exists()
    assert [thread.name for thread in threading.enumerate() if "ahead" in thread.name] == []


def test_decoding_ahead_changes_no_byte(estimate, clip, tmp_path, monkeypatch):
    assert estimate(clip, tmp_path / "poses.json") == (0, [])
    monkeypatch.setattr(Session, "read_ahead", lambda self, frames, video: nullcontext(frames))
    assert estimate(clip, tmp_path / "again.json") == (0, [])
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "poses.json").read_bytes()
