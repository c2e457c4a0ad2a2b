"""sub-JHMDB's layout."""

import json
from pathlib import Path

import numpy as np
import pytest

from posecli.data.jhmdb import load_sub_jhmdb
from posecli.errors import PosecliError
from posecli.skeletons import JHMDB
from tests.data.trees import jhmdb_joints, write_jhmdb_clip, write_jhmdb_split

FIXTURE = Path(__file__).parents[3] / "shared/data/fixtures/tests_data/jhmdb"


@pytest.fixture
def tree(tmp_path):
    write_jhmdb_clip(tmp_path, "golf", "swing_f_0", mask=(40, 30, 140, 150))
    write_jhmdb_clip(tmp_path, "golf", "putt_f_1")
    write_jhmdb_clip(tmp_path, "catch", "frisbee_0", length=6, labelled=4)
    for number, swing in ((1, 1), (2, 2), (3, 1)):
        write_jhmdb_split(tmp_path, "golf", {"swing_f_0": swing, "putt_f_1": 3 - swing}, number)
        write_jhmdb_split(tmp_path, "catch", {"frisbee_0": 1 if number == 3 else 2}, number)
    return tmp_path


def names(tree, split):
    return [sequence.name for sequence in load_sub_jhmdb(tree, split)]


def test_three_splits(tree):
    assert names(tree, "train1") == names(tree, "train") == ["swing_f_0"]
    assert names(tree, "val1") == names(tree, "val") == ["frisbee_0", "putt_f_1"]
    assert names(tree, "val2") == ["frisbee_0", "swing_f_0"]
    assert names(tree, "train3") == ["frisbee_0", "swing_f_0"]


def test_a_clip_is_read(tree):
    (swing,) = load_sub_jhmdb(tree, "train1")
    assert (swing.skeleton, len(swing), swing.frame_rate) == (JHMDB, 5, 30)
    assert swing.frames[0].name == "Rename_Images/golf/swing_f_0/00001.png"
    assert [round(float(swing.image(i).mean()) / 20) for i in range(5)] == list(range(5))
    for i, joints in enumerate(jhmdb_joints(5)):
        (person,) = swing.people[i]
        np.testing.assert_allclose(person.keypoints, joints, atol=1e-4)  # MATLAB's 1 is our 0
        assert person.labelled.all()
        assert person.box.tolist() == [40, 30, 140, 150]
    assert swing.box_source == "mask"
    assert list(swing.tracks()) == [1]


def test_without_masks_the_box_is_the_joints_extent(tree):
    _, putt = load_sub_jhmdb(tree, "val1")
    assert putt.box_source == "joints"
    # Joint 0 at 50, 40; joint 14 at 120, 124; on frame 3 6 pixels to the right.
    assert putt.people[3][0].box.tolist() == [56, 40, 126, 124]


def test_pictures_after_the_last_joints_are_not_labelled(tree):
    frisbee, _ = load_sub_jhmdb(tree, "val1")
    assert [frame.labelled for frame in frisbee.frames] == [True] * 4 + [False] * 2
    assert list(frisbee.people) == [0, 1, 2, 3]


def test_a_clip_of_one_frame(tmp_path):
    write_jhmdb_clip(tmp_path, "golf", "one", length=1, mask=(1, 2, 3, 4))
    write_jhmdb_split(tmp_path, "golf", {"one": 1})
    (one,) = load_sub_jhmdb(tmp_path, "train")
    assert one.people[0][0].box.tolist() == [1, 2, 3, 4]


def test_nothing_there_names_what_was_looked_for(tmp_path):
    with pytest.raises(PosecliError, match=r"lists of split 2; looked for sub_splits/\*_test_split2\.txt"):
        load_sub_jhmdb(tmp_path, "val2")
    with pytest.raises(PosecliError, match="no split 'val4'; known: train1, val1"):
        load_sub_jhmdb(tmp_path, "val4")


def test_what_is_missing_is_counted(tree):
    (tree / "joint_positions/golf/putt_f_1/joint_positions.mat").unlink()
    for i in range(4, 7):
        (tree / f"Rename_Images/catch/frisbee_0/{i:05d}.png").unlink()
    with pytest.raises(PosecliError) as caught:
        load_sub_jhmdb(tree, "val1")
    assert str(caught.value) == (
        f"{tree}: sub-jhmdb val1 (2 sequences) is not complete. Missing pictures: 1 (first: "
        "Rename_Images/catch/frisbee_0/00004.png, named by joint_positions/catch/frisbee_0/joint_positions.mat); "
        "joint_positions.mat: 1 (first: joint_positions/golf/putt_f_1/joint_positions.mat)"
    )


def test_broken_files_are_named(tree):
    file = tree / "joint_positions/golf/swing_f_0/joint_positions.mat"
    file.write_bytes(b"no .mat file")
    with pytest.raises(PosecliError, match=r"joint_positions\.mat: can't be read as a \.mat file"):
        load_sub_jhmdb(tree, "train1")
    file.write_bytes((tree / "puppet_mask/golf/swing_f_0/puppet_mask.mat").read_bytes())
    with pytest.raises(PosecliError, match=r"joint_positions\.mat: has no pos_img"):
        load_sub_jhmdb(tree, "train1")
    (tree / "sub_splits/golf_test_split1.txt").write_text("swing_f_0.avi\n")
    with pytest.raises(PosecliError, match=r"golf_test_split1\.txt: not a list of clips"):
        load_sub_jhmdb(tree, "train1")


@pytest.mark.skipif(not FIXTURE.is_dir(), reason="the fixtures are not here")
def test_real_frames_in_a_written_tree(tmp_path):
    """The fixture's frames and joints (COCO style), put into JHMDB's own layout, come out again."""
    from scipy.io import savemat

    content = json.loads((FIXTURE / "test_jhmdb_sub1.json").read_text())
    expected = {}
    for image, annotation in zip(content["images"], content["annotations"], strict=True):
        clip = Path(image["file_name"]).parent.name
        place = tmp_path / "Rename_Images/catch" / clip
        place.mkdir(parents=True)
        (place / "00001.png").symlink_to(FIXTURE / image["file_name"])
        joints = np.array(annotation["keypoints"]).reshape(15, 3)[:, :2]
        file = tmp_path / "joint_positions/catch" / clip / "joint_positions.mat"
        file.parent.mkdir(parents=True)
        savemat(file, {"pos_img": joints.T[..., None]})
        expected[clip] = joints - 1
    write_jhmdb_split(tmp_path, "catch", dict.fromkeys(expected, 2))
    footage = load_sub_jhmdb(tmp_path, "val")
    assert [sequence.name for sequence in footage] == sorted(expected)
    for sequence in footage:
        assert sequence.image(0).shape == (240, 320, 3)
        np.testing.assert_allclose(sequence.people[0][0].keypoints, expected[sequence.name], atol=1e-4)
