"""The datasets that posecli knows, and where they lie on this machine.

To add one: write a file here with a reader that makes Footage, add its name to posecli.config.DatasetName, and an entry
to DATASETS.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from posecli.config import DATASET_NAMES, DatasetName, config_paths, default_paths, read_configs, user_folder
from posecli.errors import PosecliError, UsageError
from posecli.skeletons import COCO, JHMDB, POSETRACK17, POSETRACK18, Skeleton

if TYPE_CHECKING:
    from posecli.data.footage import Footage

ENVIRONMENT_VARIABLE = "POSECLI_DATA"
MetricName = Literal["posetrack", "pck", "oks"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """One dataset: how it is read and how it is scored."""

    name: DatasetName
    load: Callable[[Path, str, Path], list[Footage]]  # folder, split, cache
    skeleton: Skeleton
    metric: MetricName
    splits: tuple[str, ...] = ("train", "val")
    # Suffixes of the splits whose mean is the dataset's result: for sub-jhmdb val1, val2 and val3.
    folds: tuple[str, ...] = ("",)
    markers: tuple[str, ...]  # folders by which its layout is recognised; any is enough
    layout: str  # how its folders lie, for messages
    description: str  # one line


def _posetrack17(folder: Path, split: str, cache: Path) -> list[Footage]:
    from posecli.data.posetrack17 import load_posetrack17

    return load_posetrack17(folder, split)


def _posetrack18(folder: Path, split: str, cache: Path) -> list[Footage]:
    from posecli.data.posetrack18 import load_posetrack18

    return load_posetrack18(folder, split)


def _posetrack21(folder: Path, split: str, cache: Path) -> list[Footage]:
    from posecli.data.posetrack18 import load_posetrack21

    return load_posetrack21(folder, split)


def _sub_jhmdb(folder: Path, split: str, cache: Path) -> list[Footage]:
    from posecli.data.jhmdb import load_sub_jhmdb

    return load_sub_jhmdb(folder, split)


def _coco(folder: Path, split: str, cache: Path) -> list[Footage]:
    from posecli.data.footage import still_footage
    from posecli.data.people import load_coco

    return [still_footage(picture) for picture in load_coco(folder, split)]


def _clips(folder: Path, split: str, cache: Path) -> list[Footage]:
    from posecli.data.clips import clip_footage, load_clips

    return [clip_footage(clip, cache) for clip in load_clips(folder, split)]


_ENTRIES = (
    Dataset(
        name="posetrack17",
        load=_posetrack17,
        skeleton=POSETRACK17,
        metric="posetrack",
        markers=("annotations", "posetrack_data"),
        layout="images/FOLDER/SEQUENCE/00000001.jpg and annotations/{train,val}/SEQUENCE*.json",
        description="PoseTrack 2017: 250 and 50 sequences, 15 joints, sparsely labelled",
    ),
    Dataset(
        name="posetrack18",
        load=_posetrack18,
        skeleton=POSETRACK18,
        metric="posetrack",
        markers=("annotations", "posetrack_data"),
        layout="images/{train,val}/SEQUENCE/000000.jpg and annotations/{train,val}/SEQUENCE.json",
        description="PoseTrack 2018: 593 sequences, 17 slots of which 15 are labelled",
    ),
    Dataset(
        name="posetrack21",
        load=_posetrack21,
        skeleton=POSETRACK18,
        metric="posetrack",
        markers=("posetrack_data", "annotations"),
        layout="images/{train,val}/SEQUENCE/000000.jpg and posetrack_data/{train,val}/SEQUENCE.json",
        description="PoseTrack21: PoseTrack 2018's layout with denser labels",
    ),
    Dataset(
        name="sub-jhmdb",
        load=_sub_jhmdb,
        skeleton=JHMDB,
        metric="pck",
        splits=("train", "val", "train1", "val1", "train2", "val2", "train3", "val3"),
        folds=("1", "2", "3"),
        markers=("joint_positions", "Rename_Images"),
        layout="Rename_Images/ACTION/CLIP/00001.png, joint_positions/ACTION/CLIP/joint_positions.mat and "
        "sub_splits/ACTION_test_split1.txt",
        description="sub-JHMDB: 316 clips of one person, three splits",
    ),
    Dataset(
        name="coco",
        load=_coco,
        skeleton=COCO,
        metric="oks",
        markers=("annotations",),
        layout="annotations/{train,val}.json and images/{train,val}/, or COCO's own names",
        description="stills in COCO's layout",
    ),
    Dataset(
        name="clips",
        load=_clips,
        skeleton=COCO,
        metric="oks",
        markers=("clips",),
        layout="clips/{train,val}/NAME.mp4 and clips/{train,val}/NAME.json",
        description="videos, each with a COCO-style JSON beside it",
    ),
)
DATASETS: dict[str, Dataset] = {entry.name: entry for entry in _ENTRIES}


def get_dataset(name: str) -> Dataset:
    """
    Raises:
        UsageError: there is no such dataset; lists those that there are.
    """
    if name not in DATASETS:
        raise UsageError(f"unknown dataset '{name}'; known: {', '.join(DATASET_NAMES)}")
    return DATASETS[name]


def load_dataset(name: str, folder: Path | None, split: str, cache: Path | None = None) -> list[Footage]:
    """The labelled sequences of a split, sorted by name. No picture is decoded.

    Args:
        name: a DatasetName.
        folder: where it lies; None: see find_data.
        split: one of the dataset's splits.
        cache: for the decoded frames of `clips`; None: a folder in the user's cache.

    Raises:
        UsageError: no such dataset or split.
        PosecliError: the dataset is not found, or is not there as a whole.
    """
    dataset = get_dataset(name)
    if split not in dataset.splits:
        raise UsageError(f"{name} has no split '{split}'; known: {', '.join(dataset.splits)}")
    folder = find_data(name, folder)
    if not _has_layout(dataset, folder):
        raise PosecliError(f"{folder}: no {name} here; looked for {_markers(dataset)}. {_needs(dataset)}")
    if cache is None:
        # Clips of two datasets may have the same name.
        cache = (
            user_folder("cache") / "clips" / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        )
    return dataset.load(folder, split, cache)


def find_data(name: str, explicit: Path | None) -> Path:
    """The folder of a dataset.

    The first of these that is set counts: `explicit`, $POSECLI_DATA_NAME (POSECLI_DATA_SUB_JHMDB for sub-jhmdb),
    $POSECLI_DATA/NAME if it is there, $POSECLI_DATA if it has the dataset's folders, the config file's [data] NAME.

    Raises:
        PosecliError: none is set, or what is set is no folder; says what was looked for, where, and how the dataset's
            folders must lie.
    """
    dataset = get_dataset(name)
    if explicit is not None:
        return _existing(dataset, explicit, "--data")
    variable = f"{ENVIRONMENT_VARIABLE}_{name.upper().replace('-', '_')}"
    if os.environ.get(variable):
        return _existing(dataset, Path(os.environ[variable]), variable)
    if os.environ.get(ENVIRONMENT_VARIABLE):
        parent = Path(os.environ[ENVIRONMENT_VARIABLE])
        if (parent / name).is_dir():
            return parent / name
        if _has_layout(dataset, parent):
            return parent
    for config in reversed(read_configs()):
        if name in config.data:
            return _existing(dataset, config.data[name], f"{config.path}, [data] {name}")
    raise PosecliError(
        f"{name}: no folder given. Looked for --data; {variable} (not set); {_parent_said(dataset)}; "
        f"{_config_said(name)}. {_needs(dataset)}"
    )


def _existing(dataset: Dataset, folder: Path, source: str) -> Path:
    if not folder.is_dir():
        raise PosecliError(f"{source}: {folder}: there is no such folder. {_needs(dataset)}")
    return folder


def _has_layout(dataset: Dataset, folder: Path) -> bool:
    """Whether any of the folders is there that the dataset is recognised by."""
    return any((folder / marker).is_dir() for marker in dataset.markers)


def _markers(dataset: Dataset) -> str:
    return " or ".join(f"{marker}/" for marker in dataset.markers)


def _parent_said(dataset: Dataset) -> str:
    parent = os.environ.get(ENVIRONMENT_VARIABLE)
    if not parent:
        return f"{ENVIRONMENT_VARIABLE} (not set)"
    return f"{ENVIRONMENT_VARIABLE}={parent} (has no {dataset.name}/ and no {_markers(dataset)})"


def _config_said(name: str) -> str:
    paths = config_paths()
    if not paths:
        return f"a config file (none at {' or '.join(str(path) for path in reversed(default_paths()))})"
    return f"{' and '.join(map(str, paths))} (no {name} in [data])"


def _needs(dataset: Dataset) -> str:
    """How the folders lie, and where copies come from."""
    needs = f"The folder must hold {dataset.layout} (docs/datasets.md)"
    if dataset.name.startswith("posetrack"):
        needs += "; posetrack.net has been offline for years: ask a group that holds a copy"
    return needs
