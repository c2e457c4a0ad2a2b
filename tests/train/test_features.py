"""Cached features: what training sees with them is what it sees without."""

import shutil

import numpy as np
import pytest
import torch

from posecli.data.datasets import load_dataset
from posecli.data.windows import SequenceWindows, make_window
from posecli.errors import PosecliError
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.skeletons import POSETRACK17
from posecli.train.features import cached_features, stack_encoded
from tests.train.tasks.making import KEYFRAME, TINY, config, keys, write_tree18


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_tree18(folder)
    return folder


def model_of(overrides=KEYFRAME):
    torch.manual_seed(0)
    return PoseModel(config(overrides))


def make(data, root, model=None, skeleton=POSETRACK17, stride=1, bf16=False, said=None):
    model = model or model_of()
    sequences = [
        footage.in_skeleton(skeleton) for footage in load_dataset("posetrack18", data, "train", root)
    ]
    windows = SequenceWindows(sequences, 3, (stride,), keyframe=True)
    say = (lambda text: None) if said is None else said.append
    return cached_features(model, sequences, windows, stride, root, bf16, say)


def directly(model, data, bf16):
    """The encoder's features of the same windows without a cache, and the windows."""
    (sequence,) = load_dataset("posetrack18", data, "train")
    source = SequenceWindows([sequence.in_skeleton(POSETRACK17)], 3, keyframe=True)
    rng = np.random.default_rng(5)
    samples = [make_window(source.load(i, rng), (64, 64), rng, skeleton=POSETRACK17) for i in range(3)]
    images = torch.from_numpy(np.stack([sample.images for sample in samples]))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return model.eval().encode(images), samples


@pytest.mark.parametrize(("bf16", "relative"), [(True, 2**-8), (False, 2**-11)])
def test_features_are_the_encoders_to_the_storages_precision(data, tmp_path, bf16, relative):
    model = model_of()
    cache = make(data, tmp_path, model, bf16=bf16)
    encoded, samples = directly(model, data, bf16)
    batch = stack_encoded([cache[key] for key in keys(3)])
    assert batch["features_BTCHW"].dtype == (torch.bfloat16 if bf16 else torch.float16)
    expected = encoded.features_BTCHW.float()
    assert expected.std() > 0
    torch.testing.assert_close(batch["features_BTCHW"].float(), expected, rtol=relative, atol=1e-6)
    assert "heatmaps_BTkHW" not in batch
    for index, sample in enumerate(samples):
        np.testing.assert_array_equal(cache[keys(3)[index]].keypoints, sample.keypoints)
        np.testing.assert_array_equal(cache[keys(3)[index]].weights, sample.weights)


def test_the_encoders_heatmaps_are_kept_where_the_model_builds_on_them(data, tmp_path):
    joints = {"skeleton": "posetrack17", "encoder.skeleton": "posetrack17", "temporal.output": "keyframe"}
    model = model_of(TINY | joints)
    cache = make(data, tmp_path, model)
    encoded, _ = directly(model, data, bf16=False)
    batch = stack_encoded([cache[key] for key in keys(3)])
    torch.testing.assert_close(
        batch["heatmaps_BTkHW"].float(), encoded.heatmaps_BTKHW, rtol=2**-11, atol=1e-6
    )


def test_a_second_run_uses_the_first_ones_files(data, tmp_path):
    first, second = [], []
    make(data, tmp_path, said=first)
    assert (
        "0.1 MB for the features of 3 windows" in first[0]
    )  # 3 windows of 3 x 64 x 8 x 8 numbers of 2 bytes
    make(data, tmp_path, said=second)
    assert second == []
    assert len(list(tmp_path.glob("features-*"))) == 1


def test_whatever_shapes_the_features_names_the_cache(data, tmp_path):
    make(data, tmp_path)
    other = model_of()
    with torch.no_grad():
        next(other.encoder.parameters())[0, 0, 0, 0] += 1.0
    make(data, tmp_path, other)
    make(data, tmp_path, stride=2)
    make(data, tmp_path, bf16=True)
    moved = tmp_path / "moved"
    shutil.copytree(data, moved)
    annotation = next(moved.glob("annotations/train/*.json"))
    annotation.write_text(annotation.read_text().replace("20, 30, 1", "21, 30, 1"))
    make(moved, tmp_path)
    assert len(list(tmp_path.glob("features-*"))) == 5


def test_too_little_room_is_said_before_anything_is_written(data, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6 - 10, 10))
    with pytest.raises(
        PosecliError, match=r"0\.1 MB for the features of 3 windows are needed, 0\.0 MB are free"
    ):
        make(data, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ends_in_the_middle_leaves_nothing(data, tmp_path, monkeypatch):
    monkeypatch.setattr(PoseModel, "encode", lambda self, images: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        make(data, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_fp16_cannot_hold_are_refused(data, tmp_path, monkeypatch):
    large = EncodedWindows(torch.full((3, 3, 64, 8, 8), 1e5), None)
    monkeypatch.setattr(PoseModel, "encode", lambda self, images: large)
    with pytest.raises(PosecliError, match="do not fit into fp16: train with bf16"):
        make(data, tmp_path)
