"""PoseTrack 2017's layout."""

import json

import numpy as np
import pytest

from posecli.data.posetrack17 import load_posetrack17
from posecli.errors import PosecliError
from posecli.skeletons import POSETRACK17
from tests.data.trees import person17, write_posetrack17

NAME = "00342_mpii_relpath_5sec_testsub"


def test_a_sequence_is_read(tmp_path):
    people = {2: [person17(50), person17(300, track_id=4)], 3: [person17(60)], 5: []}
    write_posetrack17(tmp_path, people, length=7, ignored=[[(0, 0), (9, 0), (9, 9)]])
    (sequence,) = load_posetrack17(tmp_path, "val")
    assert (sequence.name, sequence.skeleton, len(sequence)) == (NAME, POSETRACK17, 7)
    assert sequence.annotation == tmp_path / f"annotations/val/{NAME}.json"
    # The folder has pictures before, between and after the labelled ones.
    assert [frame.labelled for frame in sequence.frames] == [False, False, True, True, False, True, False]
    assert sequence.frames[2].name == "images/mpii_5sec/00342_mpii/00000003.jpg"
    assert [round(float(sequence.image(i).mean()) / 20) for i in range(7)] == list(range(7))
    assert list(sequence.people) == [2, 3]
    one = sequence.people[2][0]
    assert one.keypoints[POSETRACK17.index("head_top")].tolist() == [190, 240]
    assert one.labelled.all()
    assert one.box.tolist() == [29, 79, 211, 261]  # 140 pixels, 15 % are 21
    assert one.head_box.tolist() == [46, 94, 66, 124]
    assert sequence.box_source == "joints"
    assert {track: list(places) for track, places in sequence.tracks().items()} == {1: [2, 3], 4: [2]}
    assert [polygon.tolist() for polygon in sequence.ignored[5]] == [[[0, 0], [9, 0], [9, 9]]]


def test_people_may_lack_joints_boxes_and_visibility(tmp_path):
    people = [
        person17(50, joints=(0, 13), visible=False),
        person17(50, joints=()),
        person17(50, joints=(), head=False),
        person17(50, joints=(14,)),
    ]
    write_posetrack17(tmp_path, {0: people}, length=1)
    (sequence,) = load_posetrack17(tmp_path, "val")
    assert [np.flatnonzero(person.labelled).tolist() for person in sequence.people[0]] == [
        [0, 13],
        [],
        [],
        [14],
    ]
    assert [person.box.tolist() for person in sequence.people[0]] == [
        [30.5, 80.5, 199.5, 249.5],
        [46, 94, 66, 124],
        [0, 0, 0, 0],
        [46, 94, 190, 240],  # one joint spans nothing: head and joint
    ]


def test_is_labeled_and_what_matlab_writes(tmp_path):
    write_posetrack17(tmp_path, {0: [person17(50)], 1: [], 2: []}, length=3)
    file = tmp_path / f"annotations/val/{NAME}.json"
    content = json.loads(file.read_text())
    content["annolist"][1] |= {"is_labeled": [0], "annorect": {}}
    content["annolist"][2] |= {"is_labeled": [1], "annorect": person17(70), "ignore_regions": []}
    file.write_text(json.dumps(content))
    (sequence,) = load_posetrack17(tmp_path, "val")
    assert [frame.labelled for frame in sequence.frames] == [True, False, True]
    assert sequence.people[2][0].keypoints[0].tolist() == [70, 100]


def test_sequences_of_one_number_keep_apart(tmp_path):
    for place, name in (("mpii_5sec", "02279_mpii_step2"), ("bonn_mpii_test_v2_5sec", "02279_mpii")):
        write_posetrack17(tmp_path, {0: [person17(50)]}, place=f"images/{place}/02279_mpii", name=name)
    assert [sequence.name for sequence in load_posetrack17(tmp_path, "val")] == [
        "02279_mpii",
        "02279_mpii_step2",
    ]


def test_a_copy_below_posetrack_data_is_found(tmp_path):
    write_posetrack17(tmp_path / "posetrack_data", {0: [person17(50)]})
    (sequence,) = load_posetrack17(tmp_path, "val")
    assert sequence.image(0).shape == (24, 32, 3)


def test_nothing_there_names_what_was_looked_for(tmp_path):
    with pytest.raises(
        PosecliError, match=r"looked for annotations/train/\*\.json, posetrack_data/annotations/train"
    ):
        load_posetrack17(tmp_path, "train")


def test_what_is_missing_is_counted(tmp_path):
    write_posetrack17(tmp_path, {0: [person17(50)], 4: []}, place="images/a/1", name="a")
    write_posetrack17(tmp_path, {0: [person17(50)]}, place="images/b/2", name="b", pictures=False)
    (tmp_path / "images/a/1/00000005.jpg").unlink()
    with pytest.raises(PosecliError) as caught:
        load_posetrack17(tmp_path, "val")
    assert str(caught.value) == (
        f"{tmp_path}: posetrack17 val (2 sequences) is not complete. Missing "
        "pictures: 1 (first: images/a/1/00000005.jpg, named by annotations/val/a.json); "
        "folders of pictures: 1 (first: images/b/2, named by annotations/val/b.json)"
    )


@pytest.mark.parametrize(
    "content",
    [
        "[",
        "{}",
        '{"annolist": []}',
        '{"annolist": [{"image": []}]}',
        '{"annolist": [{"image": [{"name": "a/1.jpg"}], "annorect": [{"annopoints": [{"point": [{"id": [15], '
        '"x": [1], "y": [1]}]}]}]}]}',
        '{"annolist": [{"image": [{"name": "a/1.jpg"}], "annorect": [{"annopoints": [{"point": [{"id": [1]}]}]}]}]}',
    ],
)
def test_broken_files_are_named(tmp_path, content):
    write_posetrack17(tmp_path, {0: []})
    (tmp_path / f"annotations/val/{NAME}.json").write_text(content)
    with pytest.raises(PosecliError, match=rf"{NAME}\.json: "):
        load_posetrack17(tmp_path, "val")
