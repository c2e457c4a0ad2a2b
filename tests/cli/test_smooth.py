"""posecli smooth, from file to file."""

import json

import numpy as np
import pytest

from posecli.formats import open_writer, read_poses
from posecli.skeletons import COCO
from posecli.types import VideoInfo
from tests.smooth.people import random_walk

VIDEO = VideoInfo("clip.mp4", 640, 360, 25.0, "1/25", 30)


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "poses.json"
    with open_writer(path, video=VIDEO, skeleton=COCO, provenance={"model": "m"}) as writer:
        for frame in random_walk(30):
            writer.write(frame)
    return path


def jitter(path):
    points = np.stack([frame.keypoints for frame in read_poses(path).frames])
    return float(np.abs(np.diff(points, 2, axis=0)).mean())


def test_the_default_is_steadier_and_tells_what_it_did(raw, tmp_path, command):
    output = tmp_path / "smooth.json"
    assert command("smooth", raw, "-o", output) == (0, [])
    assert jitter(output) < 0.5 * jitter(raw)
    info = json.loads(output.read_text())["info"]
    assert info["model"] == "m"
    assert info["smoothing"]["poses"] == "poses.json"
    assert [each["name"] for each in info["smoothing"]["filters"]] == ["fill", "hampel", "butterworth"]


def test_chains_and_columns(raw, tmp_path, command):
    output = tmp_path / "smooth.csv"
    options = ["--filter", "hampel", "--filter", "butterworth:cutoff=4", "--min-score", "0.2"]
    assert command("smooth", raw, "-o", output, *options, "--angles", "--kinematics", "--unit", "height") == (
        0,
        [],
    )
    header = output.read_text().splitlines()[0]
    assert header.endswith("score,x_raw,y_raw,score_raw,filled,angle,speed")
    told = json.loads((tmp_path / "smooth.csv.info.json").read_text())["info"]["smoothing"]
    assert told["min_score"] == 0.2
    assert told["filters"][1] == {"name": "butterworth", "cutoff": 4.0, "order": 4}


def test_none_leaves_the_keypoints(raw, tmp_path, command):
    output = tmp_path / "same.csv"
    assert command("smooth", raw, "-o", output, "--filter", "none", "--angles")[0] == 0
    for before, after in zip(read_poses(raw).frames, read_poses(output).frames, strict=True):
        np.testing.assert_array_equal(after.keypoints, before.keypoints)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--filter", "kalman"], 2, "filter kalman: unknown; known are fill"),
        (["--filter", "butterworth:cutoff=0"], 2, "cutoff must be above 0 Hz"),
        (["--angles"], 2, "are columns of tables: coco has none; write csv or parquet"),
        (["--unit", "m"], 2, "--unit"),
        (["--min-score", "2"], 2, "--min-score"),
    ],
)
def test_wrong_usage(raw, tmp_path, command, options, code, message):
    before = sorted(tmp_path.iterdir())
    found, lines = command("smooth", raw, "-o", tmp_path / "smooth.json", *options)
    assert (found, len(lines)) == (code, 1)
    assert message in lines[0]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("once.json", "coco"),
        ("once.csv", "csv"),
        ("once.csv", "csv-wide"),
        ("once.parquet", "parquet"),
        ("once.parquet", "parquet-wide"),
    ],
)
def test_smoothing_again_starts_from_the_raw_keypoints(raw, tmp_path, command, name, format):
    filters = ["--filter", "hampel", "--filter", "savitzky-golay"]
    command("smooth", raw, "-o", tmp_path / name, "--format", format)
    assert command("smooth", tmp_path / name, "-o", tmp_path / "again.json", *filters)[0] == 0
    command("smooth", raw, "-o", tmp_path / "direct.json", *filters)
    again, direct = read_poses(tmp_path / "again.json"), read_poses(tmp_path / "direct.json")
    once = read_poses(tmp_path / name)
    assert [frame.tracks.ids.tolist() for frame in again.frames] == [
        frame.tracks.ids.tolist() for frame in direct.frames
    ]
    for one, other in zip(again.frames, direct.frames, strict=True):
        np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-4)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
    assert any(
        not np.allclose(one.keypoints, other.keypoints, atol=0.01, equal_nan=True)
        for one, other in zip(once.frames, direct.frames, strict=True)
        if one.keypoints.shape == other.keypoints.shape
    ), "the two chains differ, or this test could not fail"
    assert again.provenance["smoothing"]["keypoints"] == "raw"
    assert again.provenance["smoothing"]["poses"] == name


def test_a_smoothed_file_without_raw_keypoints_is_refused(raw, tmp_path, command):
    once = tmp_path / "once.trc"
    command("smooth", raw, "-o", once)
    code, lines = command("smooth", once, "-o", tmp_path / "twice.json")
    assert code == 1
    assert lines == [
        f"posecli: {once} is smoothed already, and keeps no raw keypoints: smooth those that it was made of, "
        "poses.json"
    ]


def test_converting_smoothed_poses(raw, tmp_path, command):
    """What was before stays with them, so that they can be smoothed anew; where it can't, that is said."""
    command("smooth", raw, "-o", tmp_path / "once.json")
    assert command("convert", tmp_path / "once.json", tmp_path / "once.csv") == (0, [])
    assert command("smooth", tmp_path / "once.csv", "-o", tmp_path / "twice.json") == (0, [])
    code, lines = command("convert", tmp_path / "once.json", tmp_path / "once.trc")
    assert code == 0
    assert lines == [
        "posecli: warning: trc has no place for the keypoints before they were smoothed: left out"
    ]


def test_nothing_is_overwritten_unasked(raw, tmp_path, command):
    output = tmp_path / "smooth.json"
    output.write_text("mine")
    code, lines = command("smooth", raw, "-o", output)
    assert code == 1
    assert "--force" in lines[0]
    assert output.read_text() == "mine"
    assert command("smooth", raw, "-o", output, "--force")[0] == 0
    assert command("smooth", raw, "-o", raw, "--force")[0] == 2


def test_a_slow_frame_rate_is_a_warning(raw, tmp_path, command):
    document = json.loads(raw.read_text())
    for image in document["images"]:
        image["time_s"] = image["frame_index"] / 8
    raw.write_text(json.dumps(document))
    code, lines = command("smooth", raw, "-o", tmp_path / "smooth.json")
    assert code == 0
    assert len(lines) == 1
    assert "8 frames/s show nothing faster than the cutoff of 6 Hz" in lines[0]


def test_without_times(raw, tmp_path, command):
    document = json.loads(raw.read_text())
    for image in document["images"]:
        image["time_s"] = None
    document["videos"] = []
    raw.write_text(json.dumps(document))
    code, lines = command("smooth", raw, "-o", tmp_path / "smooth.json")
    assert code == 1
    assert lines[0].endswith("give --frame-rate")
    assert command("smooth", raw, "-o", tmp_path / "smooth.json", "--frame-rate", 30)[0] == 0


def test_estimate_smooths_as_the_command_does(network, clip, tmp_path, command):
    """Boxes that jump give poses that jump; smoothed while they come, or from the file, they are the same."""
    boxes = tmp_path / "boxes.json"
    jumps = [
        {"image_id": i, "bbox": [20 + 9 * (i % 3), 10, 30, 50], "score": 0.9, "category_id": 1, "track_id": 1}
        for i in range(8)
    ]
    boxes.write_text(json.dumps(jumps))
    run = ["estimate", clip, "--model", network.file, "--device", "cpu", "--boxes", boxes, "-o"]
    filters = ["hampel", "savitzky-golay", "one-euro"]
    assert command(*run, tmp_path / "raw.json") == (0, [])
    streamed = tmp_path / "streamed.json"
    assert command(*run, streamed, *[word for name in filters for word in ("--smooth", name)]) == (0, [])
    smoothed = tmp_path / "smoothed.json"
    options = [word for name in filters for word in ("--filter", name)]
    assert command("smooth", tmp_path / "raw.json", "-o", smoothed, *options) == (0, [])
    assert jitter(streamed) < 0.9 * jitter(tmp_path / "raw.json")
    for one, two in zip(read_poses(streamed).frames, read_poses(smoothed).frames, strict=True):
        np.testing.assert_allclose(one.keypoints, two.keypoints, atol=1e-3)
    told = [json.loads(path.read_text()) for path in (streamed, smoothed)]
    assert told[0]["info"]["smoothing"]["filters"] == told[1]["info"]["smoothing"]["filters"]
    assert told[0]["annotations"][4]["keypoints_raw"] == told[1]["annotations"][4]["keypoints_raw"]


def test_estimate_refuses_a_filter_that_needs_the_whole_clip(network, clip, tmp_path, command):
    output = tmp_path / "poses.json"
    code, lines = command("estimate", clip, "-o", output, "--model", network.file, "--smooth", "butterworth")
    assert code == 2
    assert "filter butterworth needs the whole clip: use posecli smooth" in lines[0]
    assert not output.exists()
