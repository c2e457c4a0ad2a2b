"""PoseTrack 2018's and PoseTrack21's layout."""

import json
from pathlib import Path

import numpy as np
import pytest

from posecli.data.posetrack18 import load_posetrack18, load_posetrack21
from posecli.errors import PosecliError
from tests.data.trees import person18, write_json, write_posetrack18

FIRST = 10003420000
FIXTURE = Path(__file__).parents[3] / "shared/data/fixtures/tests_data/posetrack18"


def test_a_sequence_is_read(tmp_path):
    people = [person18(FIRST, 50), person18(FIRST, 300, track_id=2), person18(FIRST + 2, 60)]
    write_posetrack18(tmp_path, people, unlabelled=(1, 3), ignored=([[0, 5, 5], [9, 8]], [[0, 0, 5], [1, 2]]))
    (sequence,) = load_posetrack18(tmp_path, "val")
    assert (sequence.name, sequence.skeleton.name, len(sequence)) == ("000342_mpii_test", "posetrack18", 4)
    assert sequence.annotation == tmp_path / "annotations/val/000342_mpii_test.json"
    assert [frame.labelled for frame in sequence.frames] == [True, False, True, False]
    assert [frame.image_id for frame in sequence.frames] == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    assert sequence.frames[2].name == "images/val/000342_mpii_test/000002.jpg"
    assert round(float(sequence.image(3).mean())) == 60
    assert list(sequence.people) == [0, 2]
    one = sequence.people[0][0]
    assert one.box.tolist() == [42, 92, 218, 268]
    assert one.head_box.tolist() == [46, 94, 66, 124]
    assert one.keypoints[16].tolist() == [210, 260]
    assert np.flatnonzero(one.labelled == 0).tolist() == [3, 4]
    assert {track: list(places) for track, places in sequence.tracks().items()} == {1: [0, 2], 2: [0]}
    assert [polygon.tolist() for polygon in sequence.ignored[0]] == [
        [[0, 0], [5, 0], [5, 5]],
        [[9, 1], [8, 2]],
    ]
    assert sequence.ignored[1] == ()


def test_sequences_come_by_name(tmp_path):
    for name in ("000530_mpii_test", "000342_mpii_test", "024154_mpii_test"):
        write_posetrack18(tmp_path, [], name=name, length=1)
    names = [sequence.name for sequence in load_posetrack18(tmp_path, "val")]
    assert names == ["000342_mpii_test", "000530_mpii_test", "024154_mpii_test"]


def test_a_person_without_a_box_gets_one_around_the_joints(tmp_path):
    without = person18(FIRST, 50)
    del without["bbox"]
    empty = person18(FIRST, 50, bbox=[], keypoints=[0] * 51)
    nothing = person18(FIRST, 50, bbox=[], bbox_head=[], keypoints=[])
    write_posetrack18(tmp_path, [without, empty, nothing], length=1)
    (sequence,) = load_posetrack18(tmp_path, "val")
    boxes = [person.box.tolist() for person in sequence.people[0]]
    # Joints from 50, 100 to 210, 260: 160 pixels, of which 15 % are 24.
    assert boxes == [[26, 76, 234, 284], [46, 94, 66, 124], [0, 0, 0, 0]]
    assert [int(person.labelled.sum()) for person in sequence.people[0]] == [15, 0, 0]
    assert sequence.people[0][2].head_box is None


def test_a_joint_is_unlabelled_if_all_of_it_is_zero(tmp_path):
    keypoints = [0] * 51
    keypoints[:9] = [5, 5, 0, 0, 7, 1, 0, 0, 2]
    write_posetrack18(tmp_path, [person18(FIRST, 0, keypoints=keypoints)], length=1)
    (sequence,) = load_posetrack18(tmp_path, "val")
    assert np.flatnonzero(sequence.people[0][0].labelled).tolist() == [0, 1, 2]
    (sequence,) = load_posetrack21(tmp_path, "val")  # whose kit wants x > 0 and y > 0
    assert np.flatnonzero(sequence.people[0][0].labelled).tolist() == [0]


def test_people_without_a_track_are_alone_in_theirs(tmp_path):
    people = [person18(FIRST, 50 + 10 * i, id=7 + i) for i in range(2)]
    for person in people:
        del person["track_id"]
    people.append(person18(FIRST, 90, person_id=5))
    del people[2]["track_id"]
    write_posetrack18(tmp_path, people, length=1)
    (sequence,) = load_posetrack18(tmp_path, "val")
    assert list(sequence.tracks()) == [-8, -9, 5]


def test_pictures_that_are_not_listed_are_neighbours(tmp_path):
    write_posetrack18(tmp_path, [person18(FIRST + 2, 50)], length=5, unlisted=(1, 4))
    (sequence,) = load_posetrack18(tmp_path, "val")
    assert len(sequence) == 5
    assert [frame.labelled for frame in sequence.frames] == [True, False, True, True, False]
    assert [frame.image_id for frame in sequence.frames] == [FIRST, -2, FIRST + 2, FIRST + 3, -5]
    assert list(sequence.people) == [2]


@pytest.mark.parametrize(
    ("load", "place"),
    [
        (load_posetrack18, "annotations"),
        (load_posetrack18, "posetrack_data/annotations"),
        (load_posetrack21, "posetrack_data"),
        (load_posetrack21, "annotations"),
    ],
)
def test_annotations_lie_in_several_places(tmp_path, load, place):
    write_posetrack18(tmp_path, [person18(FIRST, 50)], annotation_folder=place)
    assert [len(sequence.people) for sequence in load(tmp_path, "val")] == [1]


def test_pictures_may_lie_beside_the_annotations(tmp_path):
    write_posetrack18(tmp_path / "posetrack_data", [person18(FIRST, 50)])
    (sequence,) = load_posetrack18(tmp_path, "val")
    assert sequence.image(0).shape == (24, 32, 3)


def test_one_file_for_all_sequences(tmp_path):
    for name in ("b", "a"):
        write_posetrack18(tmp_path, [], name=name, length=2)
    files = [tmp_path / "annotations" / "val" / f"{name}.json" for name in ("b", "a")]
    contents = [json.loads(file.read_text()) for file in files]
    for image in contents[1]["images"]:
        image["id"] += 100
    images = contents[0]["images"] + contents[1]["images"]
    for file in files:
        file.unlink()
    people = [person18(FIRST, 50), person18(FIRST + 101, 60)]
    write_json(tmp_path / "annotations/posetrack18_val.json", {"images": images, "annotations": people})
    first, second = load_posetrack18(tmp_path, "val")
    assert (first.name, list(first.people), second.name, list(second.people)) == ("a", [1], "b", [0])


def test_nothing_there_names_what_was_looked_for(tmp_path):
    with pytest.raises(PosecliError, match="there is no such folder"):
        load_posetrack18(tmp_path / "nowhere", "val")
    with pytest.raises(
        PosecliError,
        match=r"no posetrack18 annotations of 'val'; looked for annotations/val/\*\.json, posetrack",
    ):
        load_posetrack18(tmp_path, "val")
    with pytest.raises(
        PosecliError, match=r"posetrack21 annotations of 'train'.*posetrack_data/train/\*\.json"
    ):
        load_posetrack21(tmp_path, "train")


def test_annotations_without_pictures_are_counted(tmp_path):
    write_posetrack18(tmp_path, [], name="000001_mpii_test")
    write_posetrack18(tmp_path, [], name="000002_mpii_test", pictures=False)
    write_posetrack18(tmp_path, [], name="000003_mpii_test", pictures=False)
    for i in (1, 3):
        (tmp_path / f"images/val/000001_mpii_test/{i:06d}.jpg").unlink()
    with pytest.raises(PosecliError) as caught:
        load_posetrack18(tmp_path, "val")
    assert str(caught.value) == (
        f"{tmp_path}: posetrack18 val (3 sequences) is not complete. Missing "
        "pictures: 2 (first: images/val/000001_mpii_test/000001.jpg, named by annotations/val/000001_mpii_test.json); "
        "folders of pictures: 2 (first: images/val/000002_mpii_test, named by annotations/val/000002_mpii_test.json)"
    )


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"images": []}',
        '{"images": [{}], "annotations": []}',
        '{"images": [], "annotations": [{"image_id": 1, "keypoints": [1, 2]}]}',
        '{"images": [], "annotations": [{"image_id": 1, "bbox": [1, 2]}]}',
        '{"images": [3], "annotations": []}',
    ],
)
def test_broken_files_are_named(tmp_path, content):
    write_posetrack18(tmp_path, [])
    (tmp_path / "annotations/val/000342_mpii_test.json").write_text(content)
    with pytest.raises(PosecliError, match=r"000342_mpii_test\.json: "):
        load_posetrack18(tmp_path, "val")


@pytest.mark.skipif(not FIXTURE.is_dir(), reason="the fixtures are not here")
def test_real_annotations_are_read():
    footage = load_posetrack18(FIXTURE, "val")
    assert [sequence.name for sequence in footage] == [
        "003418_mpii_test",
        "009473_mpii_test",
        "012834_mpii_test",
    ]
    assert [len(sequence.people[0]) for sequence in footage] == [1, 2, 11]
    assert [sequence.image(0).shape for sequence in footage] == [(1080, 1920, 3)] * 3
    first = footage[0].people[0][0]
    assert first.box.tolist() == [214.25, 15.0, 1572.75, 1107.0]
    assert first.head_box.tolist() == [346, 337, 642, 574]
    assert int(first.labelled.sum()) == 11
    assert len(footage[2].ignored[0]) == 4


@pytest.mark.skipif(not FIXTURE.is_dir(), reason="the fixtures are not here")
def test_real_boxes_are_the_joints_with_our_margin(tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/val").mkdir()
    for file in (FIXTURE / "annotations/val").glob("*.json"):
        content = json.loads(file.read_text())
        for annotation in content["annotations"]:
            del annotation["bbox"]
        (tmp_path / "annotations/val" / file.name).write_text(json.dumps(content))
    (tmp_path / "images").symlink_to(FIXTURE / "images")
    for given, made in zip(load_posetrack18(FIXTURE, "val"), load_posetrack18(tmp_path, "val"), strict=True):
        for one, other in zip(given.people[0], made.people[0], strict=True):
            np.testing.assert_allclose(other.box, one.box, atol=1e-3)
