"""Which file of predictions belongs to which file of ground truth, and which picture to which."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from posecli.errors import PosecliError
from posecli.formats.openpose import is_openpose
from posecli.formats.registry import DEFAULT_BY_SUFFIX
from posecli.types import Poses

PREDICTION_SUFFIXES = tuple(DEFAULT_BY_SUFFIX)


def file_pairs(truth: Path, predicted: Path) -> list[tuple[Path, Path]]:
    """(ground truth, predictions) in sorted order of the ground truth's names: two files, or by name in two folders.

    Raises:
        PosecliError: one of them does not exist, they are of different kinds, or a sequence has no predictions.
    """
    for path, flag in ((truth, "--gt"), (predicted, "--pred")):
        if not path.exists():
            raise PosecliError(f"{flag} {path}: there is no such file or folder")
    if truth.is_file():
        is_one = predicted.is_file() or is_openpose(predicted)
        chosen = predicted if is_one else _of_name(predicted, truth)
        return [(truth, chosen)]
    files = sorted(path for path in truth.glob("*.json") if not path.name.startswith("."))
    if not files:
        raise PosecliError(f"--gt {truth}: there are no .json files in this folder")
    if predicted.is_file() and len(files) > 1:
        raise PosecliError(
            f"--pred {predicted} is one file, but --gt {truth} has {len(files)}; give a folder of files"
        )
    return [(file, predicted if predicted.is_file() else _of_name(predicted, file)) for file in files]


def _of_name(folder: Path, truth: Path) -> Path:
    for suffix in PREDICTION_SUFFIXES:
        path = folder / f"{truth.stem}{suffix}"
        if path.is_file():
            return path
    if is_openpose(folder / truth.stem):
        return folder / truth.stem
    raise PosecliError(f"{folder / truth.name}: there is no such file, but {truth} is in the ground truth")


def picture_places(poses: Sequence[Poses], names: Sequence[str]) -> list[int | None]:
    """Where each picture of the predictions stands among the ground truth's, which are named; None where it does not.

    By the last part of their names if there is one in common, else by the frame's index.
    """
    named = {PurePosixPath(name).name: place for place, name in enumerate(names)}
    own = [PurePosixPath(frame.name or "").name for frame in poses]
    if len(named) == len(names) and any(name in named for name in own):
        return [named.get(name) for name in own]
    return [frame.frame_index if 0 <= frame.frame_index < len(names) else None for frame in poses]


def check_places(
    predicted: Path, poses: Sequence[Poses], places: Sequence[int | None], truth: Path | None
) -> None:
    """Warns of people on pictures that the ground truth lacks.

    Raises:
        PosecliError: all of them are.
    """
    peopled = [(frame, place) for frame, place in zip(poses, places, strict=True) if len(frame)]
    strangers = [frame.name or f"picture {frame.frame_index}" for frame, place in peopled if place is None]
    if strangers and len(strangers) == len(peopled):
        raise PosecliError(
            f"{predicted}: {strangers[0]} is not in the ground truth {truth}, nor is any other"
        )
    if strangers:
        warnings.warn(
            f"{predicted}: {strangers[0]} is not in the ground truth {truth}; left out, "
            f"with {len(strangers) - 1} others",
            stacklevel=2,
        )
