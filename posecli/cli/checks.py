"""Mistakes that show before anything is loaded: said within a moment instead of after PyTorch's start."""

from __future__ import annotations

import os
import re
from pathlib import Path

from posecli.errors import PosecliError, UsageError


def check_output(output: Path, *inputs: str | Path | None, what: str = "file", force: bool = True) -> None:
    """Whether a file can be written there.

    Args:
        inputs: files that are read, and must not be the one that is written.
        what: which file it is, for messages: "pose file".
        force: whether a file that is there already may be replaced (--force).

    Raises:
        UsageError: it is a folder, or one of the inputs.
        PosecliError: its folder does not exist or may not be written to, or it is there already.
    """
    if output.is_dir():
        raise UsageError(f"{output} is a folder: give the name of the {what}")
    for path in inputs:
        if path is not None and output.is_file() and Path(path).is_file() and output.samefile(path):
            raise UsageError(f"{output} would be written over the input: give another name")
    # A symbolic link is written where it points to.
    folder = Path(os.path.realpath(output)).parent
    if not folder.is_dir():
        raise PosecliError(f"{output}: the folder {output.parent} does not exist; create it first")
    is_replaced = output.is_file() or not output.exists()  # a pipe is written to, its folder is not
    if not os.access(folder if is_replaced else output, os.W_OK):
        raise PosecliError(f"{output} cannot be written: {output.parent} is not yours to write to")
    if not force:
        check_absent(output)


def check_absent(output: Path) -> None:
    """Whether nothing would be overwritten; a pipe or device never is.

    Raises:
        PosecliError: the file (or folder) is there.
    """
    if output.is_file() or output.is_dir():
        raise PosecliError(f"{output} exists: give --force to replace it, or another name")


def check_pose_output(
    output: Path,
    format_name: str | None,
    *inputs: str | Path | None,
    force: bool = True,
    flag: str = "--format",
) -> None:
    """The same for a file of poses (or OpenPose's folder), whose suffix may have to tell the format.

    Args:
        flag: the option that names the format, for messages.

    Raises:
        UsageError: neither the suffix nor a name tells the format; or as check_output.
        PosecliError: as check_output.
    """
    from posecli.formats.registry import DEFAULT_BY_SUFFIX, FORMATS

    if format_name is not None and FORMATS[format_name].is_folder:
        _check_folder_output(output, *inputs, force=force)
        return
    check_output(output, *inputs, what="pose file", force=force)
    if format_name is None and output.suffix.lower() not in DEFAULT_BY_SUFFIX:
        known = " or ".join(DEFAULT_BY_SUFFIX)
        raise UsageError(
            f"{output}: no format is known by its suffix; use a name in {known}, or name one with {flag}"
        )


def _check_folder_output(output: Path, *inputs: str | Path | None, force: bool) -> None:
    if any(
        path is not None and Path(path).exists() and output.exists() and output.samefile(path)
        for path in inputs
    ):
        raise UsageError(f"{output} would be written over the input: give another name")
    if not output.resolve().parent.is_dir():
        raise PosecliError(f"{output}: the folder {output.parent} does not exist; create it first")
    if not force:
        check_absent(output)


def check_model(name_or_path: str) -> None:
    """Whether there is a model file of this name, or a preset with weights.

    Raises:
        PosecliError: there is none.
    """
    from posecli.weights.locate import embedded_weights, models_dir

    path = Path(name_or_path)
    if path.is_file():
        return
    if path.suffix or os.sep in name_or_path:
        raise PosecliError(f"--model {name_or_path}: there is no such file")
    presets = sorted(preset.stem for preset in models_dir().glob("*.toml"))
    inside = [preset for preset in presets if embedded_weights(preset)]
    use = f"use {' or '.join(inside)}" if inside else "none is inside this copy"
    if name_or_path not in presets:
        known = ", ".join(presets)
        raise PosecliError(
            f"--model {name_or_path}: unknown; known are {known}; or give a file that posecli train wrote"
        )
    if name_or_path not in inside:
        raise PosecliError(
            f"--model {name_or_path}: comes without weights, since nobody published any; train it "
            f"(posecli train) and give the file, or {use}"
        )


def check_device(name: str) -> None:
    """Whether this is the spelling of a device; posecli.device knows whether it is there.

    Raises:
        PosecliError: it is not.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise PosecliError(f"--device {name}: no such device; use auto, cpu, cuda, cuda:N or mps")
