"""Poses of a dataset's labelled frames, with a model that reads from the crops where they were cut."""

import json

import numpy as np
import pytest

from posecli.data.box_lists import DatasetBoxes
from posecli.data.recent import RecentPictures
from posecli.nn.flip_test import FlipTested
from posecli.pipeline.footage import FootageFrames, pose_footage
from posecli.pipeline.options import Options
from posecli.pipeline.people import BoxesOfFile, FoundPeople, TruePeople
from posecli.skeletons import COCO, POSETRACK17
from posecli.types import Boxes, Tracks
from tests.pipeline.oracle import Oracle, make_footage, person_at, walk

TOLERANCE = 0.25  # pixels: what DARK loses next to a heatmap's border, in cells of 5 pixels


def run(footage, model, people=None, **options):
    return list(pose_footage(footage, people or TruePeople(), model, Options(**options)))


@pytest.mark.parametrize("every_frame", [False, True])
def test_true_boxes_and_true_heatmaps_give_the_true_joints(tmp_path, every_frame):
    footage = make_footage(tmp_path, walk(6), 6)
    found = run(footage, Oracle(footage, every_frame=every_frame))
    assert [poses.frame_index for poses in found] == list(range(6))
    assert [poses.name for poses in found] == [frame.name for frame in footage.frames]
    for index, poses in enumerate(found):
        assert poses.tracks.ids.tolist() == [person.track_id for person in footage.people[index]]
        np.testing.assert_array_equal(poses.tracks.scores, 1)
        for row, person in enumerate(footage.people[index]):
            np.testing.assert_allclose(poses.keypoints[row], person.keypoints, atol=TOLERANCE)


def test_windows_lie_around_labelled_frames_and_repeat_the_ends(tmp_path):
    footage = make_footage(tmp_path, walk(9), 9, labelled={0, 1, 4, 8})
    model = Oracle(footage)
    found = run(footage, model, batch=1)
    assert [poses.frame_index for poses in found] == [0, 1, 4, 8]
    expected = {0: [0, 0, 0, 1, 2], 1: [0, 0, 1, 2, 3], 4: [2, 3, 4, 5, 6], 8: [6, 7, 8, 8, 8]}
    people = {0: 1, 1: 1, 4: 2, 8: 2}
    assert model.windows == [window for i, window in expected.items() for _ in range(people[i])]


def test_the_keyframes_box_cuts_all_frames(tmp_path):
    """The person walks on, the window stays: an oracle for every frame sees one place through it."""
    footage = make_footage(tmp_path, {i: (person_at(60 + 8 * i, 90, 7),) for i in range(5)}, 5, labelled={2})
    seen = []

    class Watching(Oracle):
        def forward(self, images_BTHWC):
            seen.append(images_BTHWC.numpy())
            return super().forward(images_BTHWC)

    run(footage, Watching(footage))
    (windows,) = seen
    for crop in windows[0]:
        np.testing.assert_array_equal(crop[..., :2], windows[0, 2, ..., :2])
    # 30 x 60 at (76, 90): as high as it is, 45 wide for the crop's aspect, enlarged by 1.25.
    left, right = 76 - 1.25 * 45 / 2, 76 + 1.25 * 45 / 2
    np.testing.assert_allclose(windows[0, 2, 0, [0, -1], 0], [left, right], atol=0.51)
    top, bottom = 90 - 1.25 * 60 / 2, 90 + 1.25 * 60 / 2
    np.testing.assert_allclose(windows[0, 2, [0, -1], 0, 1], [top, bottom], atol=0.51)


def test_batches_go_over_frames_and_do_not_change_the_result(tmp_path):
    footage = make_footage(tmp_path, walk(7), 7)
    reference = run(footage, Oracle(footage), batch=1, chunk=1)
    for batch in (2, 3, 64):
        model = Oracle(footage)
        for a, b in zip(reference, run(footage, model, batch=batch), strict=True):
            assert a.frame_index == b.frame_index
            np.testing.assert_array_equal(a.tracks.ids, b.tracks.ids)
            np.testing.assert_array_equal(a.keypoints, b.keypoints)
            np.testing.assert_array_equal(a.scores, b.scores)
        assert model.batches[0] == min(batch, 11)


def test_frames_without_people_have_empty_poses(tmp_path):
    footage = make_footage(tmp_path, {1: (person_at(60, 90, 7),)}, 3)
    assert [len(poses) for poses in run(footage, Oracle(footage))] == [0, 1, 0]


def test_poses_are_in_the_datasets_skeleton(tmp_path):
    """COCO's joints on PoseTrack 2017's frames: limbs by name, neck and head top derived."""
    footage = make_footage(tmp_path, walk(1, skeleton=COCO), 1, skeleton="coco")
    footage17 = footage.in_skeleton(POSETRACK17)
    (poses,) = run(footage17, Oracle(footage, COCO))
    person = footage.people[0][0]
    assert poses.keypoints.shape == (1, 15, 2)
    for joint in ("left_wrist", "right_ankle", "nose"):
        np.testing.assert_allclose(
            poses.keypoints[0, POSETRACK17.index(joint)],
            person.keypoints[COCO.index(joint)],
            atol=TOLERANCE,
        )
    assert np.isfinite(poses.keypoints).all()


def test_flip_test_of_a_symmetric_model_changes_nothing(tmp_path):
    footage = make_footage(tmp_path, walk(4), 4)
    for a, b in zip(run(footage, Oracle(footage)), run(footage, FlipTested(Oracle(footage))), strict=True):
        np.testing.assert_allclose(a.keypoints, b.keypoints, atol=0.02)  # colours are whole numbers
        np.testing.assert_allclose(a.scores, b.scores, atol=0.01)


class Counting:
    """Finds two people, one better than the other, and counts pictures."""

    name = "counting"

    def __init__(self, footage):
        self.footage, self.seen = footage, []

    def detect(self, images):
        self.seen += [int(image[0, 0, 2]) for image in images]
        return [
            Boxes(np.stack([p.box for p in self.footage.people[int(i[0, 0, 2])]]), np.array([0.9, 0.4], "f4"))
            for i in images
        ]

    def provenance(self):
        return {}


def test_detector_sees_the_keyframes_only(tmp_path):
    footage = make_footage(
        tmp_path, {i + 3: p for i, p in enumerate(list(walk(9).values())[3:])}, 9, labelled={4, 7}
    )
    detector = Counting(footage)
    found = run(footage, Oracle(footage), FoundPeople(detector, chunk=3))
    assert detector.seen == [4, 7]
    for poses in found:
        np.testing.assert_array_equal(poses.tracks.scores, np.array([0.9, 0.4], np.float32))
        assert poses.tracks.ids.tolist() == [1, 2]


def test_tracker_sees_every_frame(tmp_path):
    everyone = {i: (person_at(60 + i, 90, 7), person_at(180 - i, 100, 9)) for i in range(9)}
    footage = make_footage(tmp_path, everyone, 9, labelled={4, 7})
    detector, rates, updates = Counting(footage), [], []

    class ByPlace:
        def update(self, boxes, frame):
            updates.append(frame.index)
            return Tracks(np.array([5, 6]), boxes.xyxy, boxes.scores)

    def make_tracker(rate):
        rates.append(rate)
        return ByPlace()

    found = run(footage, Oracle(footage), FoundPeople(detector, 4, make_tracker))
    assert detector.seen == updates == list(range(9))
    assert rates == [footage.frame_rate]
    assert [poses.frame_index for poses in found] == [4, 7]
    assert all(poses.tracks.ids.tolist() == [5, 6] for poses in found)


def test_boxes_of_a_file_are_tracked_over_the_frames_that_have_some(tmp_path):
    """Of unlabelled frames too; ids that the file has are kept."""
    everyone = {i: (person_at(60 + i, 90, 7),) for i in range(6)}
    footage = make_footage(tmp_path, everyone, 6, labelled={1, 5})
    frames = FootageFrames(footage, RecentPictures())
    updates = []

    class Tracker:
        def update(self, boxes, frame):
            updates.append((frame.index, len(boxes)))
            return Tracks(np.arange(len(boxes)) + 40, boxes.xyxy, boxes.scores)

    def located(**ids):
        entries = [
            {"image_id": footage.frames[i].image_id, "bbox": [45, 60, 30, 60], "score": 0.5} | ids
            for i in (0, 1, 2)
        ]
        (tmp_path / "boxes.json").write_text(json.dumps(entries))
        source = BoxesOfFile(DatasetBoxes(tmp_path / "boxes.json"), lambda rate: Tracker())
        return [(frame.index, tracks.ids.tolist()) for frame, tracks in source.locate(frames, [1, 5])]

    assert located() == [(1, [40]), (5, [])]
    assert updates == [(0, 1), (1, 1), (2, 1), (5, 0)]
    assert located(track_id=3) == [(1, [3]), (5, [])]


def test_true_people_are_those_with_labels(tmp_path):
    unlabelled, crowd, twin = person_at(60, 90, 1), person_at(120, 90, 2), person_at(180, 90, 3)
    unlabelled.labelled[:] = 0
    crowd = type(crowd)(**{f: getattr(crowd, f) for f in crowd.__slots__} | {"crowd": True})
    footage = make_footage(tmp_path, {0: (unlabelled, crowd, twin, person_at(60, 90, 3))}, 1)
    (located,) = TruePeople().locate(FootageFrames(footage, RecentPictures()), [0])
    np.testing.assert_array_equal(located[1].xyxy[:, 0], [165, 45])
    assert located[1].ids.tolist() == [1, 2]  # 3 and 3 would be one person


def test_frames_are_decoded_once_while_they_are_held(tmp_path, monkeypatch):
    footage = make_footage(tmp_path, walk(12), 12, labelled={1, 4, 5, 6, 10})
    decoded = []
    image = type(footage).image
    monkeypatch.setattr(type(footage), "image", lambda self, i: decoded.append(i) or image(self, i))
    run(footage, Oracle(footage), chunk=2)
    assert sorted(decoded) == sorted({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
