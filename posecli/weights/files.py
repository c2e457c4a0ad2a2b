"""Tensors in files: what is read, what is refused, and how it is written.

A checkpoint is either safetensors, which can hold nothing but tensors and text, or a file of torch.save: a
pickle, which could hold code, and is therefore read by
torch.load(weights_only=True) alone. The first bytes tell which of the two it is, never the file's name.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import warnings
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from posecli.errors import PosecliError

# Where training programs put the weights, when the file holds more than those.
WRAPPERS = ("state_dict", "model")


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors or torch.save file, on the CPU; of its "state_dict" where it has one.

    Raises:
        PosecliError: no such file, empty, truncated, no checkpoint, or one that holds more than tensors.
    """
    path = Path(path)
    with _open(path) as file:
        start = file.read(64)
    # safetensors: eight bytes of length, then a JSON object (github.com/huggingface/safetensors, "Format").
    if start[8:9] == b"{":
        return _load_safetensors(path)
    # torch.save: a zip archive since PyTorch 1.6, a bare pickle before.
    if start.startswith((b"PK\x03\x04", b"\x80")):
        return _load_torch(path)
    raise PosecliError(f"{path}: {_what_it_is(start)}")


def load_metadata(path: str | Path) -> dict[str, str]:
    """The text that save_tensors put beside the tensors; empty where there is none.

    Raises:
        PosecliError: no such file, or it isn't a whole safetensors file.
    """
    _open(Path(path)).close()
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except SafetensorError as error:
        raise PosecliError(f"{path}: not a whole safetensors file ({error})") from None


def save_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write safetensors. The file appears under its name only when it is whole.

    Raises:
        PosecliError: the folder does not exist or cannot be written, or the disk is full.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    # safetensors refuses tensors that share memory (tied weights, slices of one buffer): copies share none.
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        unfinished.touch()
        mode = unfinished.stat().st_mode
        save_file(copies, unfinished, dict(metadata or {}))
        unfinished.chmod(mode)  # safetensors leaves a file that only its owner may read
        unfinished.replace(path)
    except (OSError, SafetensorError) as error:
        raise PosecliError(f"{path}: cannot be written ({error})") from None
    finally:
        unfinished.unlink(missing_ok=True)


def sha256_of(path: str | Path) -> str:
    """The file's SHA-256 in lower-case hexadecimal.

    Raises:
        PosecliError: no such file, or it cannot be read.
    """
    with _open(Path(path)) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise PosecliError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise PosecliError(f"{path}: a folder, not a checkpoint; name the file inside it") from None
    except OSError as error:
        raise PosecliError(f"{path}: cannot be read ({error.strerror})") from None


def _what_it_is(start: bytes) -> str:
    if not start:
        return "empty (0 bytes); copy or download it again"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the weights themselves; run `git lfs pull` where it came from"
    if start.lstrip().startswith(b"<"):
        return "a web page, not a checkpoint; download the file itself"
    return "not a checkpoint; posecli reads safetensors and what torch.save writes (.pth, .pt, .bin)"


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise PosecliError(
            f"{path}: truncated or damaged safetensors ({error}); copy or download it again"
        ) from None
    if not tensors:
        raise PosecliError(f"{path}: holds no tensors")
    return tensors


def _load_torch(path: Path) -> dict[str, Tensor]:
    try:
        # An open file, since torch.load would judge a path by its name.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to programmers about old formats
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PosecliError(f"{path}: {_refusal(str(error))}") from None
    except Exception as error:
        # PyTorch has no error of its own for a broken file: it fails wherever its reader happens to stand.
        reason = re.split(r"\.\s", str(error))[0] or type(error).__name__
        raise PosecliError(f"{path}: truncated, damaged, or not a checkpoint of PyTorch ({reason})") from None
    return _only_tensors(checkpoint, path)


def _refusal(reason: str) -> str:
    """Tell a pickle that wants to run something from one that is merely broken, by PyTorch's message."""
    if "unsupported" not in reason.lower():
        return "truncated or damaged checkpoint of PyTorch; copy or download it again"
    wanted = re.search(r"GLOBAL (\S+)", reason)
    return (
        f"refused: it holds code or objects besides tensors{f' ({wanted[1]})' if wanted else ''}; "
        "save only its state_dict, as safetensors, with the program that made it"
    )


def _only_tensors(checkpoint: Any, path: Path) -> dict[str, Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(wrapper), dict):
            checkpoint = checkpoint[wrapper]
            break
    if not isinstance(checkpoint, dict) or not checkpoint:
        raise PosecliError(f"{path}: holds no tensors by name, but {type(checkpoint).__name__}")
    others = [str(name) for name, value in checkpoint.items() if not isinstance(value, Tensor)]
    if others:
        raise PosecliError(
            f"{path}: not a set of weights: {len(others)} of its {len(checkpoint)} entries are no tensors "
            f"({', '.join(others[:3])}{', ...' if len(others) > 3 else ''})"
        )
    return {str(name): tensor.detach() for name, tensor in checkpoint.items()}
