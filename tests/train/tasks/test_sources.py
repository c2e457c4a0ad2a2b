"""The samples that a recipe names, in the skeleton that is trained."""

import numpy as np
import pytest

from posecli.data.rendered import RenderedScenes
from posecli.errors import PosecliError
from posecli.skeletons import COCO, JHMDB, POSETRACK17
from posecli.train.recipe import DataShare
from posecli.train.tasks.quality import validation_entries
from posecli.train.tasks.sources import Sources, WindowShape
from tests.data.making import annotation, blob, write_coco
from tests.train.tasks.making import write_jhmdb, write_tree18


def sources(folder, skeleton):
    return Sources(folder, folder / "cache", skeleton, "encoder")


def test_people_of_sequences_have_the_trained_joints(tmp_path):
    write_tree18(tmp_path)
    source = sources(tmp_path, POSETRACK17).people(DataShare(name="posetrack18"), "train")
    assert len(source) == 3
    _, person, group = source.load(1, np.random.default_rng(0))
    # The nose is the first slot of PoseTrack 2018, at (20 + 1, 30) on the second frame.
    assert person.keypoints[POSETRACK17.index("nose")].tolist() == [21, 30]
    assert person.labelled.tolist() == [1] * 15
    assert group == "posetrack18"


def test_every_stride_th_frame(tmp_path):
    write_tree18(tmp_path)
    assert len(sources(tmp_path, POSETRACK17).people(DataShare(name="posetrack18"), "train", stride=2)) == 2


def test_stills_are_turned_to_other_joints(tmp_path):
    write_coco(tmp_path, [(1, blob(96, 128, 60, 50), {})], [annotation(1, (30, 20, 50, 70))])
    entry = DataShare(name="coco")
    windows = sources(tmp_path, JHMDB).windows(entry, "train", WindowShape(length=3))
    raw = windows.load(0, np.random.default_rng(0))
    assert raw.keypoints.shape == (3, 15, 2)
    known = [name in COCO.keypoints for name in JHMDB.keypoints]
    assert raw.weights[0].tolist() == [float(k) for k in known]


def test_windows_of_a_split_by_number(tmp_path):
    write_jhmdb(tmp_path)
    shape = WindowShape(length=3, keyframe=True)
    for split, shade in (("1", "first"), ("2", "second")):
        entry = DataShare(name="sub-jhmdb", split=split)
        (footage,) = sources(tmp_path, JHMDB).footage(entry, "train")
        assert footage.name.endswith(shade)
        assert len(sources(tmp_path, JHMDB).windows(entry, "train", shape)) == 3


def test_rendered_people_have_cocos_joints_only(tmp_path):
    entry = DataShare(name="synthetic", size=7)
    assert isinstance(sources(tmp_path, COCO).people(entry, "train"), RenderedScenes)
    with pytest.raises(PosecliError, match="'synthetic' has the keypoints of coco, the model those of jhmdb"):
        sources(tmp_path, JHMDB).people(entry, "train")


def test_validation_takes_each_real_dataset_once():
    data = [
        DataShare(name="coco", share=0.5),
        DataShare(name="coco", share=0.2, labels="human"),
        DataShare(name="synthetic"),
        DataShare(name="clips", stride=3),
    ]
    assert validation_entries(data) == [DataShare(name="clips"), DataShare(name="coco")]
