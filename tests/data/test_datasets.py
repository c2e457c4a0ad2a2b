"""The registry of datasets: what is known, where it is looked for, what workers see of it."""

import subprocess
import sys

import numpy as np
import pytest
from torch.utils.data import DataLoader

from posecli.config import DATASET_NAMES
from posecli.data.augment import Augmentation
from posecli.data.datasets import DATASETS, find_data, get_dataset, load_dataset
from posecli.data.mixture import Mixture, sample_rng
from posecli.data.windows import SequenceWindows, make_window
from posecli.errors import PosecliError, UsageError
from posecli.skeletons import POSETRACK17
from tests.data.making import annotation, write_clip, write_coco
from tests.data.trees import (
    person17,
    person18,
    write_jhmdb_clip,
    write_jhmdb_split,
    write_posetrack17,
    write_posetrack18,
)


@pytest.fixture(autouse=True)
def no_settings(tmp_path, monkeypatch):
    """Nothing is set, nothing is written to the user's own folders."""
    for name in DATASET_NAMES:
        monkeypatch.delenv(f"POSECLI_DATA_{name.upper().replace('-', '_')}", raising=False)
    for name in ("POSECLI_DATA", "POSECLI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def write_every_layout(root):
    """A small dataset of every kind below root, in folders of their names."""
    write_posetrack17(root / "posetrack17", {0: [person17(5)]})
    write_posetrack18(root / "posetrack18", [person18(10003420000, 5)])
    write_posetrack18(root / "posetrack21", [person18(10003420000, 5)], annotation_folder="posetrack_data")
    write_jhmdb_clip(root / "sub-jhmdb", "golf", "swing")
    write_jhmdb_split(root / "sub-jhmdb", "golf", {"swing": 2})
    grey = np.full((48, 64, 3), 90, np.uint8)
    write_coco(root / "coco", [(7, grey, {}), (8, grey, {})], [annotation(7, (5, 5, 20, 30))], split="val")
    write_clip(root / "clips", "walk", [grey] * 3, [annotation(100, (5, 5, 20, 30), track_id=1)], split="val")


def test_every_name_has_an_entry():
    assert tuple(DATASETS) == DATASET_NAMES
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.description
        assert all(f"val{fold}" in dataset.splits for fold in dataset.folds)


def test_every_dataset_is_loaded_as_footage(tmp_path, monkeypatch):
    write_every_layout(tmp_path / "data")
    monkeypatch.setenv("POSECLI_DATA", str(tmp_path / "data"))
    for name, dataset in DATASETS.items():
        for fold in dataset.folds[:1]:
            footage = load_dataset(name, None, f"val{fold}")
            assert footage[0].skeleton == dataset.skeleton
            assert len(footage[0].people[0]) == 1
            assert footage[0].image(0).dtype == np.uint8
            assert len(SequenceWindows(footage, 3, keyframe=True)) == len(footage[0].people)


def test_stills_are_footage_of_one_frame(tmp_path):
    write_every_layout(tmp_path)
    first, second = load_dataset("coco", tmp_path / "coco", "val")
    assert (len(first), first.frames[0].image_id, first.frames[0].labelled) == (1, 7, True)
    assert (second.frames[0].image_id, dict(second.people)) == (8, {})


def test_unknown_datasets_and_splits_list_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match="unknown dataset 'posetrack'; known: posetrack17, posetrack18"):
        get_dataset("posetrack")
    with pytest.raises(UsageError, match="coco has no split 'val1'; known: train, val"):
        load_dataset("coco", tmp_path, "val1")


def test_a_folder_of_something_else_is_told_how_it_must_lie(tmp_path):
    with pytest.raises(PosecliError) as caught:
        load_dataset("posetrack21", tmp_path, "val")
    assert str(caught.value) == (
        f"{tmp_path}: no posetrack21 here; looked for posetrack_data/ or annotations/. The folder must hold "
        "images/{train,val}/SEQUENCE/000000.jpg and posetrack_data/{train,val}/SEQUENCE.json (docs/datasets.md); "
        "posetrack.net has been offline for years: ask a group that holds a copy"
    )
    for name in DATASETS:
        with pytest.raises(PosecliError, match=f"no {name} here; looked for "):
            load_dataset(name, tmp_path, "train")


def test_clips_of_two_datasets_do_not_share_their_cache(tmp_path):
    for shade, name in ((60, "a"), (120, "b")):
        write_clip(tmp_path / name, "walk", [np.full((48, 64, 3), shade, np.uint8)] * 2, [])
    shades = [
        round(float(load_dataset("clips", tmp_path / name, "train")[0].image(0).mean()), -1)
        for name in ("a", "b", "a")
    ]
    assert shades == [60, 120, 60]
    load_dataset("clips", tmp_path / "a", "train", tmp_path / "mine")[0].image(0)
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["train-walk.npy"]


def test_the_folder_given_comes_before_variables_and_those_before_the_config(tmp_path, monkeypatch):
    for name in ("given", "own", "all/posetrack17", "config", "parent/annotations"):
        (tmp_path / name).mkdir(parents=True)
    config = tmp_path / "config/posecli/config.toml"
    config.parent.mkdir()
    config.write_text('[data]\nposetrack17 = "../../config"\nsub-jhmdb = "nowhere"\n')
    assert find_data("posetrack17", None).resolve() == tmp_path / "config"
    monkeypatch.setenv("POSECLI_DATA", str(tmp_path / "parent"))
    assert find_data("posetrack17", None) == tmp_path / "parent"
    monkeypatch.setenv("POSECLI_DATA", str(tmp_path / "all"))
    assert find_data("posetrack17", None) == tmp_path / "all/posetrack17"
    monkeypatch.setenv("POSECLI_DATA_POSETRACK17", str(tmp_path / "own"))
    assert find_data("posetrack17", None) == tmp_path / "own"
    assert find_data("posetrack17", tmp_path / "given") == tmp_path / "given"
    with pytest.raises(
        PosecliError, match=r"config\.toml, \[data\] sub-jhmdb: .*nowhere: there is no such folder"
    ):
        find_data("sub-jhmdb", None)
    # A folder of other datasets is not this one: the config file has its say.
    config.write_text('[data]\nsub-jhmdb = "../../own"\n')
    assert find_data("sub-jhmdb", None).resolve() == tmp_path / "own"


def test_a_folder_given_must_be_there(tmp_path, monkeypatch):
    with pytest.raises(
        PosecliError, match=r"--data: .*gone: there is no such folder\. The folder must hold images/"
    ):
        find_data("posetrack17", tmp_path / "gone")
    monkeypatch.setenv("POSECLI_DATA_SUB_JHMDB", "gone")
    with pytest.raises(PosecliError, match="POSECLI_DATA_SUB_JHMDB: gone: there is no such folder"):
        find_data("sub-jhmdb", None)


def test_without_a_folder_all_places_are_named(tmp_path, monkeypatch):
    with pytest.raises(PosecliError) as caught:
        find_data("posetrack18", None)
    assert str(caught.value) == (
        "posetrack18: no folder given. Looked for --data; POSECLI_DATA_POSETRACK18 (not set); POSECLI_DATA (not set); "
        f"a config file (none at posecli.toml or {tmp_path}/config/posecli/config.toml). The folder must hold "
        "images/{train,val}/SEQUENCE/000000.jpg and annotations/{train,val}/SEQUENCE.json (docs/datasets.md); "
        "posetrack.net has been offline for years: ask a group that holds a copy"
    )
    monkeypatch.setenv("POSECLI_DATA", str(tmp_path))
    (tmp_path / "work/posecli.toml").write_text("[data]\n")
    with pytest.raises(PosecliError) as caught:
        find_data("sub-jhmdb", None)
    assert f"POSECLI_DATA={tmp_path} (has no sub-jhmdb/ and no joint_positions/ or Rename_Images/)" in str(
        caught.value
    )
    assert "posecli.toml (no sub-jhmdb in [data])" in str(caught.value)
    assert "posetrack.net" not in str(caught.value)


def test_the_registry_is_light():
    code = "import sys, posecli.data.datasets; print(*sorted({'torch', 'cv2', 'av', 'scipy'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


class Samples:
    """Augmented keyframe windows, by Key, as a training task makes them."""

    def __init__(self, footage):
        self.windows = SequenceWindows(footage, 3, keyframe=True)

    def __getitem__(self, key):
        rng = sample_rng(5, key)
        raw = self.windows.load(key.index, rng)
        return make_window(raw, (32, 24), rng, Augmentation(), skeleton=POSETRACK17)


def test_samples_are_the_same_for_any_number_of_workers(tmp_path):
    for number in (1, 2):
        people = {i: [person17(2 + i, 1), person17(4, 3 + i, track_id=2)] for i in range(4)}
        write_posetrack17(tmp_path, people, place=f"images/a/{number}", name=f"{number}")
    footage = load_dataset("posetrack17", tmp_path, "val")

    def epoch(workers, seed):
        samples = Samples(footage)
        order = Mixture([len(samples.windows)], [1], 4, seed, 0, 5)
        return list(DataLoader(samples, batch_sampler=order, num_workers=workers, collate_fn=list))

    alone, shared, other = epoch(0, 1), epoch(2, 1), epoch(0, 2)
    assert len(alone) == 5
    for batch, again in zip(alone, shared, strict=True):
        for one, two in zip(batch, again, strict=True):
            np.testing.assert_array_equal(one.images, two.images)
            np.testing.assert_array_equal(one.keypoints, two.keypoints)
    assert any(
        not np.array_equal(one.keypoints, two.keypoints)
        for batch, again in zip(alone, other, strict=True)
        for one, two in zip(batch, again, strict=True)
    )
