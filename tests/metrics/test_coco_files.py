"""Which prediction belongs to which picture, in COCO-style files."""

import json

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.formats import open_writer
from posecli.metrics.coco_files import compared_footage, read_footage
from posecli.skeletons import COCO, JHMDB
from posecli.types import Poses, Tracks, VideoInfo

BLANK = [0] * 51


def annotation(image_id, x, **more):
    keypoints = [x, x, 2, *BLANK[3:]]
    return {
        "id": x,
        "image_id": image_id,
        "category_id": 1,
        "keypoints": keypoints,
        "bbox": [0, 0, 9, 9],
    } | more


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def truth(tmp_path):
    """Pictures b, a and c under the ids 7, 8 and 9, with people on a and b."""
    images = [{"id": id_, "file_name": f"{name}.jpg"} for id_, name in ((7, "b"), (8, "a"), (9, "c"))]
    people = [annotation(8, 1, area=50, iscrowd=1), annotation(7, 2)]
    return write(tmp_path / "truth.json", {"images": images, "annotations": people})


def places(truth, predicted):
    """Place in the ground truth -> x of the people found there."""
    ((_, found, skeleton),) = compared_footage(truth, predicted)
    assert skeleton is COCO
    return {place: poses.keypoints[:, 0, 0].tolist() for place, poses in found.items() if len(poses)}


def test_the_ground_truth(truth):
    footage = read_footage(truth)
    assert footage.skeleton is COCO
    assert [(frame.name, frame.image_id) for frame in footage.frames] == [
        ("b.jpg", 7),
        ("a.jpg", 8),
        ("c.jpg", 9),
    ]
    assert {place: people[0].keypoints[0, 0] for place, people in footage.people.items()} == {0: 2, 1: 1}
    assert footage.people[1][0].crowd
    assert footage.people[1][0].area == 50
    assert footage.people[0][0].area is None


def test_joints_are_those_that_the_category_names(tmp_path):
    data = {"images": [], "annotations": [], "categories": [{"id": 1, "keypoints": list(JHMDB.keypoints)}]}
    assert read_footage(write(tmp_path / "truth.json", data)).skeleton is JHMDB


def test_bare_lists_by_image_id(truth, tmp_path):
    found = write(tmp_path / "found.json", [annotation(9, 3, score=0.5), annotation(7, 4), annotation(9, 5)])
    assert places(truth, found) == {0: [4], 2: [3, 5]}


def test_a_list_that_posecli_wrote_counts_frames(truth, tmp_path):
    """What stands beside it tells that image_id is the frame's index."""
    keypoints = np.full((1, len(COCO), 2), 5, np.float32)
    tracks = Tracks(np.array([1]), np.array([[0, 0, 9, 9]], np.float32), np.ones(1, np.float32))
    poses = Poses(2, 0.1, tracks, keypoints, np.ones((1, len(COCO)), np.float32))
    video = VideoInfo("clip.mp4", 100, 100, 25.0, "1/25", 3)
    with open_writer(
        tmp_path / "found.json", "coco-results", video=video, skeleton=COCO, provenance={}
    ) as writer:
        writer.write(poses)
    assert places(truth, tmp_path / "found.json") == {2: [5]}


def test_pictures_by_name(truth, tmp_path):
    images = [{"id": i, "file_name": f"folder/{name}.jpg"} for i, name in enumerate("abc")]
    found = write(
        tmp_path / "found.json", {"images": images, "annotations": [annotation(0, 3), annotation(2, 4)]}
    )
    assert places(truth, found) == {1: [3], 2: [4]}


def test_frames_of_a_video_by_index(truth, tmp_path):
    images = [{"id": 100 + i, "file_name": f"clip/{i:06d}.jpg", "frame_index": i} for i in range(3)]
    data = {"images": images, "annotations": [annotation(102, 3)]}
    found = write(tmp_path / "found.json", data | {"videos": [{"id": 1, "file_name": "clip.mp4"}]})
    assert places(truth, found) == {2: [3]}


def test_labelled_clips_count_their_frames(tmp_path):
    """The corpus's form: images[].frame; here only every third frame is labelled."""
    images = [{"id": i + 1, "frame": 3 * i, "file_name": "clip.mp4"} for i in range(3)]
    truth = write(tmp_path / "truth.json", {"images": images, "annotations": [annotation(2, 1)]})
    frames = [{"id": i, "file_name": f"clip/{i:06d}.jpg", "frame_index": i} for i in range(9)]
    people = [annotation(3, 3), annotation(4, 4), annotation(6, 6)]
    found = write(
        tmp_path / "found.json",
        {"images": frames, "annotations": people, "videos": [{"id": 1, "file_name": "clip.mp4"}]},
    )
    footage = read_footage(truth)
    assert [frame.labelled for frame in footage.frames] == [True, False, False, True, False, False, True]
    assert list(footage.people) == [3]
    assert places(truth, found) == {3: [3], 4: [4], 6: [6]}


def test_some_other_pictures_are_warned_of(truth, tmp_path):
    found = write(tmp_path / "found.json", [annotation(9, 3), annotation(5, 4), annotation(6, 4)])
    with pytest.warns(UserWarning, match=r"picture 5 is not in the ground truth .*; left out, with 1 others"):
        assert places(truth, found) == {2: [3]}


def test_folders(tmp_path):
    for name in ("b", "a"):
        data = {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": []}
        write(tmp_path / "truth" / f"{name}.json", data)
        write(tmp_path / "found" / f"{name}.json", [])
    names = [footage.name for footage, _, _ in compared_footage(tmp_path / "truth", tmp_path / "found")]
    assert names == ["a", "b"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([annotation(5, 1)], "found.json: picture 5 is not in the ground truth .*truth.json"),
        ({"images": [{"id": 1, "file_name": "z.jpg"}, {"id": 2, "file_name": "a.jpg"}],
          "annotations": [annotation(1, 1)]}, "z.jpg is not in the ground truth"),
        ({"images": [{"id": i} for i in range(4)], "annotations": [annotation(3, 1)]}, "picture 3 is not in"),
        ("text", "not a file of poses"),
    ],
)  # fmt: skip
def test_predictions_of_other_pictures(truth, tmp_path, found, expected):
    with pytest.raises(PosecliError, match=expected):
        places(truth, write(tmp_path / "found.json", found))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"annotations": [{"id": 1, "image_id": 7}]}, "annotations: not COCO keypoints"),
        ({"annotations": [annotation(3, 1)]}, "there is no image 3"),
        ({"images": [{"file_name": "a.jpg"}]}, r'images\[0\]: "id" is missing'),
        ({"images": None}, "images: a list expected"),
    ],
)
def test_ground_truth_that_is_wrong(truth, tmp_path, change, expected):
    wrong = write(tmp_path / "wrong.json", json.loads(truth.read_text()) | change)
    with pytest.raises(PosecliError, match=expected):
        read_footage(wrong)


def test_an_annotated_file_is_its_own_prediction(truth):
    """The empty list of scores that some annotation files have means that there are none."""
    data = json.loads(truth.read_text())
    data["annotations"][0]["scores"] = []
    truth.write_text(json.dumps(data))
    ((_, found, _),) = compared_footage(truth, truth)
    np.testing.assert_array_equal(found[1].scores[0, :2], [1, np.nan])
