"""Boxes of whole datasets, by the names and ids that people's files use."""

import json
from pathlib import Path

import numpy as np
import pytest

from posecli.data.box_lists import DatasetBoxes
from posecli.data.footage import Footage, FootageFrame
from posecli.errors import PosecliError
from posecli.formats.boxes import BoxWriter
from posecli.skeletons import POSETRACK18
from posecli.types import Boxes, Frame, Tracks, VideoInfo


def sequence(name="000342_mpii_test", first_id=10003420000, length=3):
    """PoseTrack's names of files and ids of pictures; nothing is on disk."""
    frames = tuple(
        FootageFrame(
            Path(f"/data/images/val/{name}/{i:06d}.jpg"),
            f"images/val/{name}/{i:06d}.jpg",
            first_id + i,
            labelled=True,
        )
        for i in range(length)
    )
    return Footage(name, POSETRACK18, frames, {}, {})


def box(x, score=0.5, **fields):
    return {"bbox": [x, 2, 10, 20], "score": score, "category_id": 1} | fields


def write(folder, boxes):
    path = folder / "boxes.json"
    path.write_text(json.dumps(boxes))
    return path


def left_sides(boxes):
    return {place: found.xyxy[:, 0].tolist() for place, found in boxes.items()}


@pytest.mark.parametrize(
    "named",
    [
        lambda i: {"image_id": 10003420000 + i},
        lambda i: {"image_name": f"images/val/000342_mpii_test/{i:06d}.jpg"},
        lambda i: {"image_name": f"000342_mpii_test/{i:06d}.jpg"},
        lambda i: {"image_id": f"/elsewhere/000342_mpii_test/{i:06d}.jpg"},
        lambda i: {"image_name": f"{i:06d}.jpg"},
        lambda i: {"image_name": f"000342_mpii_test/{i:06d}.jpg", "image_id": 7},  # the name is surer
    ],
)
def test_boxes_find_their_pictures(tmp_path, named):
    entries = [box(4, 0.5, **named(2)), box(5, 0.9, **named(0)), box(6, 0.7, **named(2))]
    found = DatasetBoxes(write(tmp_path, entries)).of(sequence())
    assert left_sides(found) == {0: [5], 2: [4, 6]}
    assert isinstance(found[2], Boxes)
    np.testing.assert_array_equal(found[2].xyxy[0], [4, 2, 14, 22])
    np.testing.assert_array_equal(found[2].scores, np.array([0.5, 0.7], np.float32))


def test_one_list_serves_several_sequences(tmp_path):
    entries = [box(4, image_id=10003420001), box(5, image_name="images/val/000500_mpii_test/000001.jpg")]
    boxes = DatasetBoxes(write(tmp_path, entries))
    assert left_sides(boxes.of(sequence())) == {1: [4]}
    assert left_sides(boxes.of(sequence("000500_mpii_test", 10005000000))) == {1: [5]}
    assert boxes.of(sequence("000600_mpii_test", 10006000000)) == {}
    boxes.check_used()


def test_ids_of_tracks_are_kept(tmp_path):
    entries = [box(4, image_id=10003420001, track_id=8), box(5, image_id=10003420001, track_id=2)]
    found = DatasetBoxes(write(tmp_path, entries)).of(sequence())[1]
    assert isinstance(found, Tracks)
    assert found.ids.tolist() == [8, 2]


def test_weak_boxes_are_left_out(tmp_path):
    entries = [box(4, 0.2, image_id=10003420001), box(5, 0.3, image_id=10003420001)]
    path = write(tmp_path, [*entries, box(6, 0.1, image_id=10003420002)])
    assert left_sides(DatasetBoxes(path, threshold=0.3).of(sequence())) == {1: [5]}


@pytest.mark.parametrize("named", [{"image_id": 1}, {"image_name": "000001.jpg"}])
def test_names_that_fit_two_sequences_are_refused(tmp_path, named):
    boxes = DatasetBoxes(write(tmp_path, [box(4, **named)]))
    assert left_sides(boxes.of(sequence(first_id=0))) == {1: [4]}
    assert left_sides(boxes.of(sequence(first_id=0))) == {1: [4]}  # the same one again is no other
    with pytest.raises(PosecliError, match="fits pictures of 000342_mpii_test and of 000500_mpii_test"):
        boxes.of(sequence("000500_mpii_test", first_id=0))


def test_a_list_for_another_dataset_is_told(tmp_path):
    boxes = DatasetBoxes(write(tmp_path, [box(4, image_id=99)]))
    assert boxes.of(sequence()) == {}
    with pytest.raises(PosecliError, match=r"none of its boxes is on a picture of the dataset.*image_id 99"):
        boxes.check_used()


def test_boxes_that_name_no_picture_are_refused(tmp_path):
    path = write(tmp_path, {"boxes": [box(4, frame_index=1)]})
    with pytest.raises(PosecliError, match=r"name no picture.*folder"):
        DatasetBoxes(path)


def test_a_folder_has_a_file_a_sequence(tmp_path):
    """As `posecli detect` writes them over a folder of pictures."""
    video = VideoInfo("000342_mpii_test", 64, 48, None, None, 3)
    with BoxWriter(tmp_path / "000342_mpii_test.json", video=video, provenance={}) as writer:
        frame = Frame(0, 0.0, np.zeros((1, 1, 3), np.uint8), name="000002.jpg")
        writer.write(frame, Boxes(np.array([[4, 2, 14, 22]], np.float32), np.array([0.5], np.float32)))
    boxes = DatasetBoxes(tmp_path)
    assert left_sides(boxes.of(sequence())) == {2: [4]}
    with pytest.raises(PosecliError, match=r"000500_mpii_test\.json is not there"):
        boxes.of(sequence("000500_mpii_test"))
