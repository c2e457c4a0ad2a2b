"""Whole models from files: the embedded one, and those that users trained.

A model file is safetensors whose metadata hold the configuration (as JSON, key "config"); its tensors are named
encoder.* and temporal.*. A file without encoder.* is a temporal part: its encoder comes from a second file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from posecli.errors import PosecliError
from posecli.nn.config import ModelConfig
from posecli.nn.pose_model import PoseModel
from posecli.weights.files import load_metadata, load_tensors, save_tensors, sha256_of
from posecli.weights.half import half_state
from posecli.weights.locate import embedded_weights
from posecli.weights.presets import config_from_table, config_to_table, load_preset


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to run, and where it came from."""

    model: PoseModel
    name: str
    sha256: str


def load_model(name_or_path: str) -> LoadedModel:
    """A model by its preset's name, or from a .safetensors file that `posecli train` wrote; on the CPU, for inference.

    Raises:
        PosecliError: the name is unknown, its weights do not ship with posecli, or the file is not a model.
    """
    path = Path(name_or_path)
    if path.is_file():
        config = read_config(path)
    else:
        config = load_preset(name_or_path)
        inside = embedded_weights(config.name)
        if inside is None:
            raise PosecliError(f"model '{name_or_path}' has no weights here; train it, and give the file")
        path = inside
    model = PoseModel(config)
    load_into(model, path)
    return LoadedModel(model.optimize_for_inference(), config.name, sha256_of(path))


def read_config(path: Path) -> ModelConfig:
    """The configuration that a model file carries.

    Raises:
        PosecliError: the file carries none.
    """
    metadata = load_metadata(path)
    try:
        table = json.loads(metadata["config"])
        name = metadata.get("name", path.stem)
    except (KeyError, ValueError):
        raise PosecliError(f"{path}: no posecli model (its metadata hold no configuration)") from None
    return config_from_table(name, table, str(path))


def load_into(module: nn.Module, path: Path, what: str = "this model") -> None:
    """Fill a module from a file, in the module's own precision.

    Args:
        what: the module's name, for messages.

    Raises:
        PosecliError: names or shapes do not match; says which.
    """
    load_state(module, load_tensors(path), path, what)


def load_state(module: nn.Module, tensors: Mapping[str, Tensor], path: Path, what: str) -> None:
    """Fill a module from tensors that were read from `path`.

    Raises:
        PosecliError: names or shapes do not match; says which.
    """
    try:
        missing, unexpected = module.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise PosecliError(f"{path}: not the weights of {what} ({first})") from None
    # BatchNorm's counters are only needed in training; shipped files leave them out.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        problem = f"lacks {missing[0]}" if missing else f"holds an unknown {unexpected[0]}"
        count = len(missing) + len(unexpected)
        raise PosecliError(f"{path}: not the weights of {what} ({problem}; {count} names differ)")


def copy_with_config(source: Path, target: Path, config: ModelConfig) -> None:
    """The same tensors, bit for bit, with another configuration; `target` may be `source`.

    Raises:
        PosecliError: `source` is no model, or `target` cannot be written.
    """
    read_config(source)
    metadata = load_metadata(source) | {"config": json.dumps(config_to_table(config))}
    save_tensors(target, load_tensors(source), metadata)


def save_model(path: Path, model: PoseModel, notes: dict[str, str]) -> None:
    """Write a whole model as fp16 safetensors with its configuration, atomically."""
    config = json.dumps(config_to_table(model.config))
    save_tensors(path, half_state(model), {"name": model.config.name, "config": config, **notes})
