"""Which file of predictions belongs to which file of ground truth."""

from __future__ import annotations

from pathlib import Path

from posecli.errors import PosecliError

PREDICTION_SUFFIXES = (".json", ".csv")


def file_pairs(truth: Path, predicted: Path) -> list[tuple[Path, Path]]:
    """(ground truth, predictions) in sorted order of the ground truth's names: two files, or by name in two folders.

    Raises:
        PosecliError: one of them does not exist, they are of different kinds, or a sequence has no predictions.
    """
    for path, flag in ((truth, "--gt"), (predicted, "--pred")):
        if not path.exists():
            raise PosecliError(f"{flag} {path}: there is no such file or folder")
    if truth.is_file():
        chosen = predicted if predicted.is_file() else _of_name(predicted, truth)
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
    raise PosecliError(f"{folder / truth.name}: there is no such file, but {truth} is in the ground truth")
