"""The dataset layouts: what is found, and what is said where nothing is."""

import json

import numpy as np
import pytest

from posecli.data.clips import ClipFrames, load_clips
from posecli.data.people import find_coco, load_coco
from posecli.errors import PosecliError
from tests.data.making import K, annotation, blob, write_clip, write_coco

PICTURE = blob(40, 60, 20, 20)


def test_coco_is_read(tmp_path):
    labels = [
        annotation(7, (10, 5, 20, 30)),
        annotation(7, (0, 0, 8, 8), visible=0, kp_source="teacher"),
        annotation(9, (1, 2, 3, 4), iscrowd=1),
    ]
    write_coco(tmp_path, [(7, PICTURE, {"group": "sport", "complete": False}), (9, PICTURE, {})], labels)
    first, second = load_coco(tmp_path, "train")
    assert (first.group, first.complete) == ("sport", False)
    assert (second.group, second.complete) == ("coco", True)
    assert first.path.is_file()
    assert first.people[0].box.tolist() == [10, 5, 30, 35]
    assert first.people[0].keypoints.tolist() == [[20, 20]] * K
    assert first.people[0].labelled.sum() == K
    assert (first.people[0].human, first.people[1].human) == (True, False)
    assert first.people[1].labelled.sum() == 0  # v = 0 is no label
    assert second.people[0].crowd


@pytest.mark.parametrize("pictures", ["val2017", "images/val2017"])
def test_cocos_own_names_are_found(tmp_path, pictures):
    (tmp_path / "annotations").mkdir()
    (tmp_path / pictures).mkdir(parents=True)
    labels = tmp_path / "annotations" / "person_keypoints_val2017.json"
    labels.write_text("{}")
    assert find_coco(tmp_path, "val") == (labels, tmp_path / pictures)


def test_missing_coco_names_what_was_looked_for(tmp_path):
    with pytest.raises(
        PosecliError, match=r"annotations/val\.json with images/val/.*person_keypoints_val2017"
    ):
        load_coco(tmp_path, "val")


@pytest.mark.parametrize("content", ["{", '{"images": []}', '{"images": [{}], "annotations": []}', "[]"])
def test_broken_coco_is_named(tmp_path, content):
    write_coco(tmp_path, [], [])
    (tmp_path / "annotations" / "train.json").write_text(content)
    with pytest.raises(PosecliError, match=r"train\.json"):
        load_coco(tmp_path, "train")


def test_clip_is_read(tmp_path):
    images = [np.full((48, 64, 3), 30 * i, np.uint8) for i in range(5)]
    labels = [annotation(100 + i, (i, 5, 30, 40), track_id=3) for i in (0, 1, 4)]
    labels += [
        annotation(101, (0, 0, 9, 9), track_id=8),
        annotation(102, (0, 0, 9, 9), track_id=8, iscrowd=1),
    ]
    write_clip(tmp_path, "walk", images, labels)
    (clip,) = load_clips(tmp_path, "train")
    assert (clip.name, clip.frame_count) == ("walk", 5)
    tracks = clip.tracks()
    assert {track: list(frames) for track, frames in tracks.items()} == {3: [0, 1, 4], 8: [1]}
    assert tracks[3][4].box.tolist() == [4, 5, 34, 45]


def test_frames_come_at_random_and_are_decoded_once(tmp_path):
    write_clip(tmp_path, "walk", [np.full((48, 64, 3), 30 * i, np.uint8) for i in range(5)], [])
    (clip,) = load_clips(tmp_path, "train")
    frames = ClipFrames(clip, tmp_path / "cache")
    assert [round(float(frames[i].mean()) / 30) for i in (4, 0, 2)] == [4, 0, 2]
    clip.path.unlink()
    again = ClipFrames(clip, tmp_path / "cache")  # another process, another day
    assert round(float(again[3].mean()) / 30) == 3
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".npy"]


def test_sparse_labels_keep_their_frames(tmp_path):
    images = [np.full((48, 64, 3), 30 * i, np.uint8) for i in range(7)]
    write_clip(tmp_path, "walk", images, [annotation(106, (5, 5, 9, 9))], frames=[0, 3, 6])
    (clip,) = load_clips(tmp_path, "train")
    assert list(clip.people) == [6]
    assert round(float(ClipFrames(clip, tmp_path / "cache")[6].mean()) / 30) == 6


def test_video_shorter_than_its_labels_is_named(tmp_path):
    write_clip(tmp_path, "walk", [np.zeros((48, 64, 3), np.uint8)] * 3, [], frames=range(5))
    (clip,) = load_clips(tmp_path, "train")
    with pytest.raises(PosecliError, match=r"walk\.mp4: has 3 frames, but 5 are labelled"):
        ClipFrames(clip, tmp_path / "cache")[0]
    assert list((tmp_path / "cache").iterdir()) == []


def test_missing_clips_name_what_was_looked_for(tmp_path):
    with pytest.raises(PosecliError, match=r"clips/val/NAME\.json with NAME\.mp4"):
        load_clips(tmp_path, "val")


def test_labels_without_their_video_and_broken_ones_are_named(tmp_path):
    root = tmp_path / "clips" / "train"
    root.mkdir(parents=True)
    (root / "run.json").write_text(json.dumps({"images": [], "annotations": []}))
    with pytest.raises(PosecliError, match=r"run\.mp4: not there"):
        load_clips(tmp_path, "train")
    (root / "run.json").write_text(json.dumps({"images": [{"id": 1}], "annotations": []}))
    with pytest.raises(PosecliError, match=r"run\.json: not a labelled clip \(KeyError: 'frame'\)"):
        load_clips(tmp_path, "train")
