"""What is in a file of weights, whether it is whole, and the same ViTPose as safetensors of our own spelling."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from posecli.errors import PosecliError
from posecli.weights.files import load_metadata, load_tensors, save_tensors, sha256_of
from posecli.weights.locate import embedded_weights
from posecli.weights.models import load_model, read_config
from posecli.weights.vitpose import load_vitpose, vitpose_config, vitpose_state

SAFETENSORS_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """What is known of a file of weights."""

    path: Path
    bytes: int
    sha256: str
    kind: str  # "posecli model glsmamba-t", "ViTPose, 768 channels, 12 blocks, classic head", "other weights"
    tensors: int
    parameters: int  # numbers in all of them


def examine(name_or_path: str) -> WeightsFile:
    """Reads all of a file, runs nothing in it, and builds the network that it is for.

    Args:
        name_or_path: a model that comes with posecli ("glsmamba-t", "detector"), or a checkpoint.

    Raises:
        PosecliError: there is none, it is damaged, does not fit its network, or holds numbers that are not finite.
    """
    path = find_weights(name_or_path)
    tensors = load_tensors(path)
    wrong = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if wrong:
        raise PosecliError(f"{path}: {wrong[0]} has numbers that are not finite ({len(wrong)} tensors have)")
    kind = _kind(path, tensors)
    parameters = sum(tensor.numel() for tensor in tensors.values())
    return WeightsFile(path, path.stat().st_size, sha256_of(path), kind, len(tensors), parameters)


def find_weights(name_or_path: str) -> Path:
    """The file of that name, or the weights inside posecli.

    Raises:
        PosecliError: there is neither.
    """
    path = Path(name_or_path)
    if path.is_file():
        return path
    inside = None if path.suffix or path.name != name_or_path else embedded_weights(name_or_path)
    if inside is None:
        raise PosecliError(f"{name_or_path}: no such file, and no weights of that name come with posecli")
    return inside


def import_vitpose(source: Path, target: Path) -> None:
    """A ViTPose checkpoint in any of the three spellings, as safetensors that can hold no code.

    Raises:
        PosecliError: it is no ViTPose, holds more than tensors, or the target cannot be written.
    """
    if target.suffix != SAFETENSORS_SUFFIX:
        raise PosecliError(f"{target}: give a name that ends in {SAFETENSORS_SUFFIX}")
    notes = {"source": source.name, "source_sha256": sha256_of(source)}
    save_tensors(target, vitpose_state(load_tensors(source), source=str(source)), notes)


def _kind(path: Path, tensors: dict[str, Tensor]) -> str:
    if path == embedded_weights("detector"):
        from posecli.detect.embedded import EmbeddedDetector

        EmbeddedDetector.load(device="cpu", threshold=0.5)
        return "posecli detector"
    if _has_config(path):
        config = read_config(path)
        if any(name.startswith("encoder.") for name in tensors):
            load_model(str(path))
            return f"posecli model {config.name}"
        return f"temporal part of posecli model {config.name}, without its encoder"
    try:
        size = vitpose_config(tensors, source=str(path))
    except PosecliError:
        return "other weights: nothing that posecli knows"
    load_vitpose(path)
    return f"ViTPose, {size.dim} channels, {size.depth} blocks, {size.head} head"


def _has_config(path: Path) -> bool:
    try:
        return "config" in load_metadata(path)
    except PosecliError:  # a file of torch.save
        return False
