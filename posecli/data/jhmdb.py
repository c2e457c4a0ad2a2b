"""sub-JHMDB: the 316 clips of JHMDB in which the whole body is seen, with 15 joints on every picture.

Layout, below the dataset's folder:
    Rename_Images/ACTION/CLIP/00001.png                  the pictures
    joint_positions/ACTION/CLIP/joint_positions.mat      pos_img (2, 15, F), pixels counted from 1
    sub_splits/ACTION_test_split{1,2,3}.txt              "CLIP.avi 1" (train) or "CLIP.avi 2" (val)
    puppet_mask/ACTION/CLIP/puppet_mask.mat              part_mask (height, width, F); not needed

There are three splits: train1 and val1, train2 and val2, train3 and val3; train and val are the first. Results are the
mean of three. A person's box is the extent of the mask where there is one, else that of the joints (Footage.box_source
says which); neither is enlarged, since PCK is measured against it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecli.data.footage import BoxSource, Footage, FootageFrame
from posecli.data.layout import Missing, box_around, first_with, picture_names
from posecli.data.packed import PackedPeople
from posecli.data.people import Person
from posecli.errors import PosecliError
from posecli.skeletons import JHMDB
from posecli.types import FloatArray

FRAME_RATE = 30.0  # HMDB51's
TRACK_ID = 1  # one person is labelled in each clip
_PART_NUMBERS = {"train": "1", "val": "2"}


def load_sub_jhmdb(folder: Path, split: str) -> list[Footage]:
    """The clips of a split, sorted by name.

    Args:
        split: "train" or "val" and 1, 2 or 3; without a number 1 is meant.

    Raises:
        PosecliError: the layout is not there or not complete, or a file is not of this form.
    """
    match = re.fullmatch(r"(train|val)([123]?)", split)
    if match is None:
        raise PosecliError(
            f"sub-jhmdb has no split '{split}'; known: train1, val1, train2, val2, train3, val3"
        )
    part, number = match[1], match[2] or "1"
    lists = first_with(folder, [f"sub_splits/*_test_split{number}.txt"], f"sub-jhmdb lists of split {number}")
    clips = sorted(
        (clip, file.name.removesuffix(f"_test_split{number}.txt"))
        for file in lists
        for clip in _clips_in(file, _PART_NUMBERS[part])
    )
    missing = Missing(folder, f"sub-jhmdb {part}{number}", sequences=len(clips))
    footage = [_read_clip(folder, action, clip, missing) for clip, action in clips]
    missing.check()
    return [sequence for sequence in footage if sequence is not None]


def _clips_in(file: Path, part_number: str) -> list[str]:
    """The clips of a list that belong to a part."""
    try:
        lines = [line.split() for line in file.read_text("utf-8").splitlines() if line.strip()]
        return [clip.removesuffix(".avi") for clip, number in lines if number == part_number]
    except (OSError, ValueError) as error:
        raise PosecliError(
            f"{file}: not a list of clips, 'CLIP.avi 1' or 'CLIP.avi 2' a line ({error})"
        ) from None


def _read_clip(folder: Path, action: str, clip: str, missing: Missing) -> Footage | None:
    """A clip; None where something of it is missing."""
    place = Path("Rename_Images", action, clip)
    joints = folder / "joint_positions" / action / clip / "joint_positions.mat"
    names = picture_names(folder / place)
    if not names:
        missing.add("folders of pictures", [folder / place])
    if not joints.is_file():
        missing.add("joint_positions.mat", [joints])
    if not names or not joints.is_file():
        return None
    keypoints_F152 = _read_joints(joints)
    if len(keypoints_F152) > len(names):
        expected = [folder / place / f"{i + 1:05d}.png" for i in range(len(keypoints_F152))]
        missing.add("pictures", (path for path in expected if path.name not in names), joints)
        return None
    boxes_F4, box_source = _boxes(folder / "puppet_mask" / action / clip / "puppet_mask.mat", keypoints_F152)
    everything = np.ones(len(JHMDB), np.float32)
    people = {
        i: [Person(boxes_F4[i], points, everything, human=True, track_id=TRACK_ID)]
        for i, points in enumerate(keypoints_F152)
    }
    frames = tuple(
        FootageFrame(folder / place / name, (place / name).as_posix(), i, i < len(keypoints_F152))
        for i, name in enumerate(names)
    )
    return Footage(clip, JHMDB, frames, PackedPeople(people), {}, joints, FRAME_RATE, box_source)


def _read_joints(file: Path) -> FloatArray:
    """(F, 15, 2) pixels, pixel centres at integers from 0."""
    positions = _read_mat(file, "pos_img")
    if positions.ndim == 2:  # MATLAB drops the last axis of a single frame
        positions = positions[..., None]
    if positions.ndim != 3 or positions.shape[:2] != (2, len(JHMDB)):
        raise PosecliError(
            f"{file}: pos_img is {positions.shape}, where (2, {len(JHMDB)}, frames) is expected"
        )
    return (positions.transpose(2, 1, 0) - 1).astype(np.float32)


def _boxes(mask_file: Path, keypoints_F152: FloatArray) -> tuple[list[FloatArray], BoxSource]:
    """Each frame's box: of the mask's pixels, where the clip has masks that are not empty; else of the joints."""
    extents = [box_around(points, margin=0) for points in keypoints_F152]
    if not mask_file.is_file():
        return extents, "joints"
    masks = _read_mat(mask_file, "part_mask")
    masks = masks[..., None] if masks.ndim == 2 else masks
    for i in range(min(len(extents), masks.shape[2])):
        rows, columns = np.nonzero(masks[..., i])
        if len(rows):
            extents[i] = np.array([columns.min(), rows.min(), columns.max(), rows.max()], np.float32)
    return extents, "mask"


def _read_mat(file: Path, name: str) -> NDArray[Any]:
    try:
        from scipy.io import loadmat
    except ImportError:
        raise PosecliError("sub-jhmdb's .mat files need scipy: pip install scipy") from None
    try:
        return np.asarray(loadmat(file, variable_names=[name])[name])
    except KeyError:
        raise PosecliError(f"{file}: has no {name}") from None
    except Exception as error:  # scipy lets whatever a damaged file raises through
        raise PosecliError(
            f"{file}: can't be read as a .mat file ({type(error).__name__}: {error})"
        ) from None
