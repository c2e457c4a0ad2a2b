"""Files of others are read, and a wrong file is one line that says where."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.formats import read_poses
from posecli.skeletons import COCO
from tests.formats.recordings import random_poses, write

IMAGES = '"images": [{"id": 0}]'
PERSON = '"image_id": 0, "bbox": [0, 0, 1, 1]'
KEYPOINTS = f'"keypoints": {[1] * 51}'


def annotation(**changes: Any) -> str:
    person = {"image_id": 0, "bbox": [0, 0, 1, 1], "keypoints": [1] * 51} | changes
    return json.dumps({"images": [{"id": 0}], "annotations": [person]})


def annolist(**point: Any) -> str:
    values = {"id": [0], "x": [1], "y": [1]} | point
    person = {"annopoints": [{"point": [values]}]}
    return json.dumps({"annolist": [{"image": [{"name": "a/1.jpg"}], "annorect": [person]}]})


TIDY = "frame,time_s,track_id,joint,x,y,score\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a file of poses"),
        ("hello", "not a file of poses"),
        ("\x00\xff", "not a file of poses|not a CSV"),
        ("{", "not JSON"),
        ('{"images": ' + "[" * 100_000, "nested too deeply"),
        ("{}", '"images" or "annolist"'),
        ("[1]", r"\[0\]: an object expected, found a number"),
        ('{"images": [{"id": 0}]}', '"annotations" is missing'),
        ('{"images": 3, "annotations": []}', "images: a list expected"),
        ('{"images": [{"id": 0}, {"id": 0}], "annotations": []}', r"images\[1\]: image 0 .* appears twice"),
        ('{"images": [{"id": 1.5}], "annotations": []}', r"images\[0\].id: a whole number expected"),
        ('{"images": [{"id": 1' + "0" * 5000 + '}], "annotations": []}', "not JSON|too large"),
        (annotation(image_id=5), r"annotations\[0\].image_id: there is no image 5"),
        (annotation(keypoints=[1] * 50), r"annotations\[0\].keypoints: 51 numbers expected, found 50"),
        (annotation(keypoints=["1"] * 51), r"keypoints\[0\]: a number expected, found a text"),
        (annotation(keypoints=[None] * 51), r"keypoints\[0\]: a number expected, found null"),
        (annotation(keypoints=[True] * 51), r"keypoints\[0\]: a number expected, found true or false"),
        (annotation(keypoints=[float("nan")] * 51), "NaN is not a number that JSON knows"),
        (annotation(keypoints=[float("inf")] * 51), "Infinity"),
        (annotation(keypoints=[1e39] * 51), "too large"),
        (annotation(bbox=[0, 0, 1]), r"annotations\[0\].bbox: 4 numbers expected, found 3"),
        (annotation(keypoint_scores=[1] * 16), r"keypoint_scores: 17 numbers expected, found 16"),
        ('{"images": [], "annotations": [], "categories": [{"keypoints": ["tail"]}]}', "unknown order"),
        ('{"annolist": [{"annorect": []}]}', r'annolist\[0\]: "image" is missing'),
        (annolist(id=[15]), r"point\[0\].id: a joint from 0 to 14 expected, found 15"),
        (annolist(x=[1, 2]), r"point\[0\].x: a list of one element expected, found 2"),
        (annolist(x=1), r"point\[0\].x: a list expected"),
        ("frame,time_s,track_id,joint,x,y\n", "the column 'score' is missing"),
        (TIDY + "0,0,1,nose,1,2\n", "line 2: 7 cells expected, found 6"),
        (TIDY + "0,0,1,nose,1,2,0.5\n0,0,1,nose,1,2,0.5\n", "line 3, column joint: nose of track 1 .* twice"),
        (TIDY + "0,0,1,nose,one,2,0.5\n", "line 2, column x: a number expected, found 'one'"),
        (TIDY + "0,0,1,nose,inf,2,0.5\n", "line 2, column x: the number is too large"),
        (TIDY + "0.5,0,1,nose,1,2,0.5\n", "line 2, column frame: a whole number expected"),
        (TIDY + ",0,1,nose,1,2,0.5\n", "line 2, column frame: a whole number expected, found ''"),
        (TIDY + "0,0,1,tail,1,2,0.5\n", "the joint 'tail' is in no known skeleton"),
        (TIDY + '0,0,1,"nose,1,2,0.5\n', "line 2: "),
        ("frame,time_s,track_id\n", "no columns of joints"),
        ("frame,nose_x,nose_y,nose_score\n0,1,2,3\n", "the column 'time_s' is missing"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "poses.any"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(PosecliError, match=message) as caught:
        read_poses(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(PosecliError, match=r"missing\.json cannot be read: No such file"):
        read_poses(tmp_path / "missing.json")
    with pytest.raises(PosecliError, match="is a folder without OpenPose's files"):
        read_poses(tmp_path)


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(PosecliError, match="unknown format 'h5': known are coco"):
        read_poses(write(tmp_path / "poses.json", random_poses()), "h5")


def test_a_file_in_another_format_than_named(tmp_path: Path) -> None:
    with pytest.raises(PosecliError, match='"annolist" is missing'):
        read_poses(write(tmp_path / "poses.json", random_poses()), "posetrack17")


def test_annotations_of_coco(tmp_path: Path) -> None:
    """Ground truth as COCO has it: no frame_index, no scores, unlabelled joints 0, 0, 0."""
    keypoints = [5.0, 6.0, 2, 7.0, 8.0, 1, *[0] * 45]
    image = {"id": 139, "file_name": "000000000139.jpg", "width": 640, "height": 426}
    person = {"id": 9, "image_id": 139, "category_id": 1, "bbox": [1, 2, 3, 4], "keypoints": keypoints}
    path = tmp_path / "gt.json"
    path.write_text(json.dumps({"images": [image], "annotations": [person]}))
    found = read_poses(path)
    assert (found.video.width, found.video.height, found.skeleton) == (640, 426, "coco")
    (poses,) = found.frames
    assert (poses.frame_index, poses.name) == (0, "000000000139.jpg")
    np.testing.assert_array_equal(poses.tracks.xyxy, [[1, 2, 4, 6]])
    np.testing.assert_array_equal(poses.keypoints[0, :3], [[5, 6], [7, 8], [np.nan, np.nan]])
    np.testing.assert_array_equal(poses.scores[0, :3], [1, 1, np.nan])


def test_annotations_of_posetrack17(tmp_path: Path) -> None:
    """Ground truth as PoseTrack has it: head rectangles, no scores, people without points, sparse frames."""
    point = {"id": [13], "x": [5], "y": [6], "is_visible": [1]}
    head = {"x1": [1], "y1": [1], "x2": [9], "y2": [9], "track_id": [3]}
    entries = [
        {"image": [{"name": "images/a/00000005.jpg"}], "imgnum": [5], "annorect": [
            head | {"annopoints": [{"point": [point]}]}, head | {"annopoints": []}, head]},
        {"image": [{"name": "images/a/00000009.jpg"}], "imgnum": [9], "annorect": []},
    ]  # fmt: skip
    path = tmp_path / "gt.json"
    path.write_text(json.dumps({"annolist": entries}))
    found = read_poses(path)
    assert found.skeleton == "posetrack17"
    assert [(poses.frame_index, len(poses)) for poses in found.frames] == [(4, 1), (8, 0)]
    assert found.frames[0].tracks.ids.tolist() == [3]
    np.testing.assert_array_equal(found.frames[0].keypoints[0, 13], [5, 6])


def test_results_of_others(tmp_path: Path) -> None:
    """Only what COCO asks for: image_id, category_id, keypoints, score."""
    path = tmp_path / "results.json"
    path.write_text(
        json.dumps([{"image_id": 7, "category_id": 1, "keypoints": [3, 4, 1] * 17, "score": 0.25}])
    )
    (poses,) = read_poses(path).frames
    assert poses.frame_index == 7
    np.testing.assert_array_equal(poses.keypoints, np.tile(np.float32([3, 4]), (1, len(COCO), 1)))
    np.testing.assert_array_equal(poses.tracks.scores, np.float32([0.25]))
