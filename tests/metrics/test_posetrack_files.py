"""PoseTrack's two forms as they are read, and what is said of files that do not fit."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.formats import open_writer
from posecli.formats.document import read_document
from posecli.metrics.posetrack import PoseTrackMetric
from posecli.metrics.posetrack_files import compared_sequences
from posecli.metrics.posetrack_forms import frames_from
from posecli.metrics.posetrack_frames import MISSING_SCORE, UNKNOWN_TRACK
from posecli.skeletons import COCO, POSETRACK17, POSETRACK18
from posecli.types import Poses, Tracks, VideoInfo
from tests.metrics.scenes import Moment, Someone, as_poses, document17, document18, write_both

NOSE, HIP = POSETRACK17.index("nose"), POSETRACK17.index("left_hip")
MOMENTS = [
    Moment(
        [Someone({"nose": (0, 5), "left_hip": (7.25, 8)}, 3, (10, 20, 13, 24))],
        [
            Someone({"nose": (1, 2, 0.5), "left_hip": (3, 4)}, 4, None),
            Someone({"left_hip": (5, 6, 0.25)}, None, None),
        ],
        [[(0, 0), (9, 0), (0, 9)]],
    ),
    Moment(),
]


def read(tmp_path, document):
    (tmp_path / "file.json").write_text(json.dumps(document))
    return frames_from(read_document(tmp_path / "file.json"))


def ap(truth, found):
    metric = PoseTrackMetric()
    for frames in compared_sequences(truth, found):
        metric.update_frames(frames)
    return metric.report()["joints"]


@pytest.mark.parametrize("document", [document17, document18])
def test_what_is_read(tmp_path, document):
    frames = read(tmp_path, document(MOMENTS, "truth"))
    people = frames[0].people
    assert [frame.has_entries for frame in frames] == [True, False]
    assert people.present[0].nonzero()[0].tolist() == [HIP, NOSE]
    assert people.keypoints[0, [NOSE, HIP]].tolist() == [[0, 5], [7.25, 8]]
    assert people.head_sizes == pytest.approx([0.6 * 5])
    assert people.track_ids.tolist() == [3]
    np.testing.assert_array_equal(frames[0].ignored, [[(0, 0), (9, 0), (0, 9)]])
    assert not len(frames[1].ignored)
    found = read(tmp_path, document(MOMENTS, "found"))[0].people
    assert found.scores[0, [NOSE, HIP]].tolist() == [0.5, MISSING_SCORE]
    assert found.track_ids.tolist() == [4, UNKNOWN_TRACK]
    assert np.isnan(found.head_sizes).all()


def test_2018_a_keypoint_is_absent_only_if_all_three_numbers_are_0(tmp_path):
    document = document18([Moment([Someone({})])], "truth")
    for slot, triple in enumerate([(0, 0, 1), (5, 0, 0), (0, 0, 0)]):  # nose, neck, head top
        document["annotations"][0]["keypoints"][3 * slot : 3 * slot + 3] = triple
    people = read(tmp_path, document)[0].people
    assert people.present[0, [NOSE, 12, 14]].tolist() == [True, True, False]


@pytest.mark.parametrize("scores", [None, [], [None] * 17])
def test_2018_scores_that_are_not_there(tmp_path, scores):
    document = document18([Moment(found=[Someone({"nose": (1, 1, 0.5)})])], "found")
    document["annotations"][0]["scores"] = scores
    assert read(tmp_path, document)[0].people.scores[0, NOSE] == MISSING_SCORE


def test_2018_keypoints_are_found_by_their_names(tmp_path):
    """Fifteen of them in another order; whole lists of keypoints, and scores, follow the names."""
    names = list(reversed(POSETRACK17.keypoints))
    document = document18([Moment(found=[Someone({})])], "found")
    document["categories"][0]["keypoints"] = names
    document["annotations"][0] |= {
        "keypoints": [n for i in range(15) for n in (i, 50 + i, 1)],
        "scores": list(range(15)),
    }
    people = read(tmp_path, document)[0].people
    assert people.keypoints[0, NOSE].tolist() == [names.index("nose"), 50 + names.index("nose")]
    assert people.scores[0, NOSE] == names.index("nose")


def test_2018_annotations_belong_to_pictures_by_id(tmp_path):
    document = document18([Moment([Someone({"nose": (i, 1)})]) for i in range(3)], "truth")
    document["annotations"].reverse()
    assert [frame.people.keypoints[0, NOSE, 0] for frame in read(tmp_path, document)] == [0, 1, 2]


def test_2018_one_region_may_be_a_bare_list(tmp_path):
    document = document18(MOMENTS, "truth")
    document["images"][0] |= {"ignore_regions_x": [0, 9, 0], "ignore_regions_y": [0, 0, 9]}
    np.testing.assert_array_equal(read(tmp_path, document)[0].ignored, [[(0, 0), (9, 0), (0, 9)]])


@pytest.mark.parametrize("empty", [{}, {"annopoints": []}, {"annopoints": [{}]}])
def test_2017_people_without_a_list_of_joints_keep_their_picture_in(tmp_path, empty):
    document = document17([Moment([Someone({"nose": (1, 1)})])], "truth")
    document["annolist"][0]["annorect"] = [
        {"x1": [0], "y1": [0], "x2": [3], "y2": [4], "track_id": [1]} | empty
    ]
    (frame,) = read(tmp_path, document)
    assert frame.has_entries
    assert len(frame.people) == 0


def test_2017_joints_of_other_ids_are_passed_over_and_of_doubles_the_first_counts(tmp_path):
    document = document17([Moment([Someone({"nose": (1, 1)})])], "truth")
    points = document["annolist"][0]["annorect"][0]["annopoints"][0]["point"]
    points += [
        {"id": [NOSE], "x": [5], "y": [5]},
        {"id": [15], "x": [6], "y": [6]},
        {"id": [HIP + 0.0], "x": [7], "y": [7]},
    ]
    people = read(tmp_path, document)[0].people
    assert people.keypoints[0, [NOSE, HIP]].tolist() == [[1, 1], [7, 7]]
    assert people.present.sum() == 2


def test_the_forms_may_be_mixed(tmp_path):
    moments = [Moment([Someone({"nose": (9, 9)})], [Someone({"nose": (9, 9, 0.5)})])]
    truth, _ = write_both(tmp_path, "17", {"clip": moments})
    _, found = write_both(tmp_path, "18", {"clip": moments})
    assert ap(truth, found)["nose"] == 100


@pytest.mark.parametrize("name", ["poses.json", "poses.csv"])
def test_poses_in_our_own_forms(tmp_path, name):
    """Frames without people have no rows in CSV: frames are found by their index. COCO's joints are converted."""
    moments = [Moment([Someone({"left_hip": (50, 50)})]) for _ in range(3)]
    truth, _ = write_both(tmp_path, "18", {"clip": moments})
    keypoints = np.full((1, len(COCO), 2), 50, np.float32)
    scores = np.full((1, len(COCO)), 0.5, np.float32)
    box = np.array([[0, 0, 99, 99]], np.float32)
    people = Poses(2, 2.0, Tracks(np.array([1]), box, np.ones(1, np.float32)), keypoints, scores)
    video = VideoInfo("clip.mp4", 100, 100, 1.0, "1/1", 3)
    with open_writer(tmp_path / name, video=video, skeleton=COCO, provenance={}) as writer:
        for index in (0, 1):
            writer.write(Poses.empty(index, float(index), len(COCO)))
        writer.write(people)
    assert ap(truth / "clip.json", tmp_path / name)["left_hip"] == pytest.approx(100 / 3)


def test_our_own_form_with_posetracks_joints(tmp_path):
    """Its scores are keypoint_scores, which count times the box's: the wrong nose at 0.9 x 0.5 comes last."""
    moments = [
        Moment([Someone({"nose": (9, 9)})], [Someone({"nose": (9 + 90 * i, 9, 0.6 + 0.3 * i)})])
        for i in range(2)
    ]
    truth, _ = write_both(tmp_path, "18", {"clip": moments})
    video = VideoInfo("clip.mp4", 100, 100, 1.0, "1/1", 2)
    with open_writer(tmp_path / "poses.json", video=video, skeleton=POSETRACK18, provenance={}) as writer:
        for index, poses in as_poses(moments).items():
            poses.tracks.scores[:] = 1 - index / 2
            writer.write(poses)
    assert ap(truth / "clip.json", tmp_path / "poses.json")["nose"] == 50


def test_poses_of_pictures_by_their_names(tmp_path):
    """The ground truth lists every other picture."""
    moments = [
        Moment([Someone({"nose": (10 * i, 9)})], [Someone({"nose": (10 * i, 9, 0.5)})]) for i in range(6)
    ]
    document = document18(moments, "truth")
    document["images"] = document["images"][::2]
    document["annotations"] = document["annotations"][::2]
    (tmp_path / "truth.json").write_text(json.dumps(document))
    video = VideoInfo("clip", 100, 100, None, None, 6)
    named = [replace(poses, name=f"{i:06d}.jpg") for i, poses in as_poses(moments).items()]
    with open_writer(tmp_path / "poses.json", video=video, skeleton=POSETRACK18, provenance={}) as writer:
        for poses in named:
            writer.write(poses)
    with pytest.warns(UserWarning, match=r"000001\.jpg is not in the ground truth .*with 2 others"):
        assert ap(tmp_path / "truth.json", tmp_path / "poses.json")["nose"] == 100


def test_2018_results_without_categories_have_posetracks_slots(tmp_path):
    moments = [Moment([Someone({"left_ankle": (9, 9)})], [Someone({"left_ankle": (9, 9, 0.5)})])]
    truth, found = write_both(tmp_path, "18", {"clip": moments})
    document = json.loads((found / "clip.json").read_text())
    document.pop("categories")
    (found / "clip.json").write_text(json.dumps(document))
    assert ap(truth, found)["left_ankle"] == 100


def refused(tmp_path, truth, found):
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "found.json").write_text(json.dumps(found))
    with pytest.raises(PosecliError) as caught:
        ap(tmp_path / "truth.json", tmp_path / "found.json")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_of_different_lengths(tmp_path):
    message = refused(tmp_path, document17(MOMENTS, "truth"), document17(MOMENTS[:1], "found"))
    assert "found.json" in message
    assert "1 frames" in message
    assert "truth.json has 2" in message


def test_frames_in_another_order_are_warned_of(tmp_path):
    (tmp_path / "truth.json").write_text(json.dumps(document17(MOMENTS, "truth")))
    turned = document17(MOMENTS, "found")
    turned["annolist"].reverse()
    (tmp_path / "found.json").write_text(json.dumps(turned))
    with pytest.warns(UserWarning, match="in another order"):
        ap(tmp_path / "truth.json", tmp_path / "found.json")
    turned["annolist"][0]["image"][0]["name"] = "elsewhere.jpg"  # other names say nothing
    (tmp_path / "found.json").write_text(json.dumps(turned))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ap(tmp_path / "truth.json", tmp_path / "found.json")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda d: d["annotations"][0].update(keypoints=[1, 2]),
            r"annotations[0].keypoints: 51 numbers expected",
        ),
        (
            lambda d: d["annotations"][0].update(keypoints="none"),
            r"annotations[0].keypoints: a list of numbers",
        ),
        (lambda d: d["annotations"][0].update(image_id=5), r"annotations[0].image_id: there is no image 5"),
        (
            lambda d: d["annotations"][0].update(bbox_head=[1]),
            r"annotations[0].bbox_head: 4 numbers expected",
        ),
        (lambda d: d["images"][0].update(ignore_regions_y=[[0]]), r"images[0].ignore_regions"),
        (
            lambda d: d["categories"][0].update(keypoints=list(COCO.keypoints)),
            r"'head_bottom' is not among them",
        ),
        (lambda d: d.pop("annotations"), "no PoseTrack annotations"),
    ],
)
def test_ground_truth_that_is_wrong(tmp_path, change, expected):
    document = document18(MOMENTS, "truth")
    change(document)
    assert expected in refused(tmp_path, document, document18(MOMENTS, "found"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda rect: rect["annopoints"][0]["point"][0].pop("x"),
            "annorect[0].annopoints: joints with id, x and y",
        ),
        (lambda rect: rect["annopoints"][0]["point"].append(None), "annorect[0].annopoints"),
        (lambda rect: rect.update(track_id=[]), "annorect[0].track_id: a list of one element expected"),
    ],
)
def test_2017_people_that_are_wrong(tmp_path, change, expected):
    document = document17(MOMENTS, "truth")
    change(document["annolist"][0]["annorect"][0])
    assert expected in refused(tmp_path, document, document17(MOMENTS, "found"))


def test_a_combined_file_holds_several_sequences(tmp_path):
    """MOTA leaves out the last frame of each: of two sequences of two frames two frames are left."""
    pytest.importorskip("motmetrics")
    moment = Moment([Someone({"nose": (9, 9)})], [Someone({"nose": (9, 9, 0.5)})])
    for side in ("truth", "found"):
        parts = [document17([moment, moment], side, name)["annolist"] for name in ("a", "b")]
        (tmp_path / f"{side}.json").write_text(json.dumps({"annolist": parts[0] + parts[1]}))
    sequences = [list(s) for s in compared_sequences(tmp_path / "truth.json", tmp_path / "found.json")]
    assert [len(sequence) for sequence in sequences] == [2, 2]


def test_the_ears_are_passed_over(tmp_path):
    assert [name for name in POSETRACK18.keypoints if name not in POSETRACK17.keypoints] == [
        "left_ear",
        "right_ear",
    ]
    (frame,) = read(tmp_path, document18([Moment([Someone({"left_ear": (5, 5), "nose": (1, 1)})])], "truth"))
    assert frame.people.present.sum() == 1
