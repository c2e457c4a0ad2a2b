"""Files of smoothed poses: read back as others are, with the raw keypoints beside."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from posecli.errors import UsageError
from posecli.formats import read_poses
from posecli.formats.smoothed import open_smoothed_writer
from posecli.skeletons import COCO
from posecli.smooth import make_chain, smooth
from posecli.smooth.kinematics import kinematics
from posecli.types import VideoInfo
from tests.smooth.people import random_walk

VIDEO = VideoInfo("clip.mp4", 640, 360, 25.0, "1/25", 8)
NOSE, KNEE = 0, COCO.index("left_knee")


def smoothed():
    frames = random_walk(8)
    frames[3].keypoints[0, NOSE], frames[3].scores[0, NOSE] = np.nan, np.nan
    return frames, smooth(frames, make_chain(["fill", "savitzky-golay"]))


def write(path, frames, format=None, *, angles=False, speeds=False):
    measures = ["angle"] * angles + ["speed"] * speeds
    tables = kinematics(frames, COCO, angles=angles, speeds=speeds)
    with open_smoothed_writer(
        path, format, video=VIDEO, skeleton=COCO, provenance={}, measures=measures
    ) as writer:
        for frame, table in zip(frames, tables, strict=True):
            writer.write(replace(frame, measures=table))
    return path, tables


@pytest.mark.parametrize(
    ("name", "format"), [("a.json", None), ("a.csv", None), ("a.csv", "csv-wide"), ("a.json", "coco-results")]
)
def test_what_is_read_back_is_smoothed(tmp_path, name, format):
    _, frames = smoothed()
    recording = read_poses(write(tmp_path / name, frames, format)[0])
    for found, expected in zip(recording.frames, frames, strict=True):
        np.testing.assert_array_equal(found.keypoints, expected.keypoints)
        np.testing.assert_array_equal(found.scores, expected.scores)


def test_raw_keypoints_in_json(tmp_path):
    raw, frames = smoothed()
    document = json.loads(write(tmp_path / "a.json", frames)[0].read_text())
    first = document["annotations"][0]
    points = np.array(first["keypoints_raw"], np.float32).reshape(17, 3)
    np.testing.assert_array_equal(points[:, :2], raw[0].keypoints[0])
    np.testing.assert_array_equal(np.array(first["keypoint_scores_raw"], np.float32), raw[0].scores[0])
    filled = document["annotations"][6]  # frame 3, first person
    assert (filled["image_id"], filled["keypoints_filled"]) == (3, [1] + [0] * 16)
    assert filled["keypoints_raw"][:3] == [0, 0, 0]
    assert filled["keypoint_scores_raw"][0] is None
    assert filled["keypoints"][2] == 2


def test_columns_of_a_tidy_table(tmp_path):
    raw, frames = smoothed()
    path, tables = write(tmp_path / "a.csv", frames, angles=True, speeds=True)
    rows = list(csv.DictReader(path.open()))
    assert len(rows) == 8 * 2 * 17
    row = rows[(2 * 2 + 1) * 17 + KNEE]  # frame 2, second person
    assert (row["frame"], row["joint"], row["filled"]) == ("2", "left_knee", "0")
    assert np.float32(row["x_raw"]) == raw[2].keypoints[1, KNEE, 0]
    assert np.float32(row["score_raw"]) == raw[2].scores[1, KNEE]
    assert np.float32(row["angle"]) == np.float32(tables[2]["angle"][1, KNEE])
    assert np.float32(row["speed"]) == np.float32(tables[2]["speed"][1, KNEE])
    filled = rows[3 * 2 * 17]
    assert (filled["x_raw"], filled["score_raw"], filled["filled"], filled["angle"]) == ("", "", "1", "")


def test_columns_of_a_wide_table(tmp_path):
    raw, frames = smoothed()
    path, tables = write(tmp_path / "a.csv", frames, "csv-wide", angles=True, speeds=True)
    rows = list(csv.DictReader(path.open()))
    assert len(rows) == 16
    assert np.float32(rows[5]["left_knee_y_raw"]) == raw[2].keypoints[1, KNEE, 1]
    assert np.float32(rows[5]["left_knee_angle"]) == np.float32(tables[2]["angle"][1, KNEE])
    assert np.float32(rows[5]["nose_speed"]) == np.float32(tables[2]["speed"][1, NOSE])
    assert rows[6]["nose_filled"] == "1"
    assert "nose_angle" not in rows[0]


def test_measures_need_columns(tmp_path):
    _, frames = smoothed()
    with pytest.raises(UsageError, match="are columns of tables: coco has none"):
        write(tmp_path / "a.json", frames, angles=True)
    assert list(tmp_path.iterdir()) == []
