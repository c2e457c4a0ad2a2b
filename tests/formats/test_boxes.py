"""Boxes files: our own form restores float32 exactly, and the forms of others land on the right frames."""

import json
from pathlib import Path

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.formats.boxes import BoxWriter, read_box_records, read_boxes
from posecli.types import Boxes, Frame, Tracks, VideoInfo

VIDEO = VideoInfo("clip.mp4", 64, 48, 25.0, "1/25", 3)
NO_IMAGE = np.zeros((1, 1, 3), np.uint8)


def frame(index: int, name: str | None = None) -> Frame:
    return Frame(index, index / 25, NO_IMAGE, name=name)


def random_boxes(count: int, seed: int) -> Boxes:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-3, 2000, (count, 2))
    sizes = rng.uniform(1e-3, 900, (count, 2))
    xyxy = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    return Boxes(xyxy, rng.random(count).astype(np.float32))


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_boxes_are_restored_exactly(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    first, third = random_boxes(200, 0), random_boxes(1, 1)
    with BoxWriter(path, video=VIDEO, provenance={"model": "detector"}) as writer:
        writer.write(frame(0), first)
        writer.write(frame(1), Boxes.empty())
        writer.write(frame(2), third)
    assert json.loads(path.read_text())["info"] == {"model": "detector"}
    found = read_boxes(path)
    assert sorted(found) == [0, 2]
    for index, boxes in ((0, first), (2, third)):
        assert isinstance(found[index], Boxes)
        np.testing.assert_array_equal(found[index].xyxy, boxes.xyxy)
        np.testing.assert_array_equal(found[index].scores, boxes.scores)


def test_tracks_keep_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    boxes = random_boxes(2, 2)
    with BoxWriter(path, video=VIDEO, provenance={}) as writer:
        writer.write(frame(5), Tracks(np.array([7, 3]), boxes.xyxy, boxes.scores))
    found = read_boxes(path)[5]
    assert isinstance(found, Tracks)
    assert found.ids.tolist() == [7, 3]


def test_a_file_without_detections_is_read(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    with BoxWriter(path, video=VIDEO, provenance={}) as writer:
        writer.write(frame(0), Boxes.empty())
    assert read_boxes(path) == {}
    assert read_boxes(path, names=["a.jpg"]) == {}


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), BoxWriter(tmp_path / "b.json", video=VIDEO, provenance={}):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ({"frame_index": 4, "image_name": "9.jpg"}, 4),
        ({"image_id": 4}, 4),
        ({"image_name": "images/val/000342_mpii_test/00000004.jpg"}, 4),
        ({"image_id": "clip2_00000004.jpg"}, 4),  # some lists put the name there
    ],
)
def test_the_frame_of_a_detection(tmp_path: Path, picture: dict, expected: int) -> None:
    path = write_json(tmp_path / "b.json", [picture | {"bbox": [1, 2, 3, 4], "score": 0.5}])
    found = read_boxes(path)
    assert list(found) == [expected]
    np.testing.assert_array_equal(found[expected].xyxy, [[1, 2, 4, 6]])


def test_names_select_the_pictures_of_the_source(tmp_path: Path) -> None:
    names = ["000342_mpii_test/000000.jpg", "000342_mpii_test/000004.jpg"]
    entries = [
        {"image_name": "images/val/000342_mpii_test/000004.jpg", "bbox": [1, 2, 3, 4], "score": 0.5},
        {"image_name": "images/val/000522_mpii_test/000004.jpg", "bbox": [9, 9, 9, 9], "score": 0.5},
    ]
    path = write_json(tmp_path / "b.json", entries)
    found = read_boxes(path, names=names)
    assert list(found) == [1]
    assert len(found[1]) == 1
    with pytest.raises(PosecliError, match="none of its boxes"):
        read_boxes(path, names=["other.jpg"])


def test_other_things_than_people_and_boxes_without_area_are_left_out(tmp_path: Path) -> None:
    entries = [
        {"image_id": 0, "category_id": 3, "bbox": [0, 0, 9, 9], "score": 0.9},  # a car
        {"image_id": 0, "category_id": 1, "bbox": [0, 0, 0, 9], "score": 0.9},  # no width
        {"image_id": 0, "category_id": 1, "bbox": [0, 0, 5, 9], "score": 0.9},
    ]
    records = list(read_box_records(write_json(tmp_path / "b.json", entries)))
    assert [record.xyxy.tolist() for record in records] == [[0, 0, 5, 9]]


def test_a_coco_dataset_serves_as_boxes(tmp_path: Path) -> None:
    images = [{"id": 139, "file_name": "a.jpg"}, {"id": 285, "file_name": "b.jpg"}]
    annotations = [{"id": 1, "image_id": 285, "category_id": 1, "bbox": [1, 2, 3, 4]}]
    path = write_json(tmp_path / "gt.json", {"images": images, "annotations": annotations})
    assert list(read_boxes(path, names=["a.jpg", "b.jpg"])) == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": 1}', "no boxes"),
        ('[{"image_id": 0, "score": 1}]', r'\[0\]: "bbox" is missing'),
        ('[{"image_id": 0, "bbox": [1, 2, 3]}]', r"\[0\].bbox: 4 numbers expected, found 3"),
        ('[{"image_id": 0, "bbox": [1, 2, 3, NaN]}]', "NaN"),
        ('[{"image_id": 0, "bbox": [1, 2, 3, 1e999]}]', r"\[0\].bbox\[3\]: the number is too large"),
        ('[{"image_id": 0, "bbox": [1, 2, 3, "4"]}]', r"\[0\].bbox\[3\]: a number expected, found a text"),
        ('[{"bbox": [1, 2, 3, 4]}]', "none of"),
        ('[{"image_name": "a.jpg", "bbox": [1, 2, 3, 4]}]', "no frame number"),
        ('[7]', r"\[0\]: an object expected|none of"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(PosecliError, match=message) as caught:
        read_boxes(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
