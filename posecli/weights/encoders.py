"""The frozen encoder under a model that is to be trained: from a file, the hub, or the package itself."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from posecli.errors import PosecliError
from posecli.nn.config import EncoderSize, ModelConfig
from posecli.nn.vitpose import ViTPose
from posecli.weights.files import load_tensors, sha256_of
from posecli.weights.hub import VITPOSE_FILES, pull
from posecli.weights.locate import embedded_weights
from posecli.weights.models import load_state
from posecli.weights.vitpose import vitpose_state

NO_WEIGHTS = "none"
FROM_HUB = "hub"
WHOLE_MODEL_PREFIX = "encoder."  # of the encoder's tensors in a file of a whole model

# ViTPose+ where there is no plain ViTPose with the classic head; their expert for COCO is a plain ViTPose.
HUB_NAMES: dict[EncoderSize, str] = {
    "s": "vitpose-plus-small",
    "b": "vitpose-base",
    "l": "vitpose-plus-large",
    "h": "vitpose-plus-huge",
}


def load_encoder(encoder: nn.Module, config: ModelConfig, source: str) -> str:
    """Fill the encoder of a model.

    Args:
        encoder: as build_encoder(config) makes it.
        source: a checkpoint's path (of ViTPose in any of posecli.weights.vitpose.SPELLINGS, of an encoder that
            `posecli train` wrote, or of a whole model), "hub", "none" for random weights, or "" for those that come
            with posecli.

    Returns:
        The file's SHA-256, or "none".

    Raises:
        PosecliError: there is no such file, it does not fit, or posecli has no weights of this encoder.
    """
    path = find_encoder(config, source)
    if path is None:
        return NO_WEIGHTS
    tensors = _of_encoder(load_tensors(path))
    if isinstance(encoder, ViTPose):
        tensors = vitpose_state(tensors, encoder.config, source=str(path))
    load_state(encoder, tensors, path, f"the encoder of {config.name}")
    return sha256_of(path)


def find_encoder(config: ModelConfig, source: str) -> Path | None:
    """The file of load_encoder's source, fetched if it comes from the hub; None for random weights.

    Raises:
        PosecliError: there is no such file, or posecli has no weights of this encoder.
    """
    size = config.encoder.size
    if source == NO_WEIGHTS:
        return None
    if source == FROM_HUB and size is not None:
        file = VITPOSE_FILES[HUB_NAMES[size]]
        return pull(file.repo_id, file.filename, file.revision, file.sha256)
    if source and source != FROM_HUB:
        if not Path(source).is_file():
            raise PosecliError(f"--encoder {source}: there is no such file")
        return Path(source)
    embedded = embedded_weights(config.name)
    if source == FROM_HUB or embedded is None:
        raise PosecliError(_how_to_get(config))
    return embedded


def _how_to_get(config: ModelConfig) -> str:
    fetch = ", --encoder hub to fetch one" if config.encoder.size else ""
    kind = (
        "a checkpoint of it"
        if config.encoder.size
        else "the file that `posecli train --recipe encoder-t` wrote"
    )
    return (
        f"{config.name} stands on a frozen {config.encoder.title}, whose weights do not come with posecli: give "
        f"{kind} with --encoder FILE{fetch}, or --encoder none to start from random weights (docs/weights.md)"
    )


def _of_encoder(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's tensors of a whole model's; all of them where the file is of an encoder alone."""
    inside = {
        name.removeprefix(WHOLE_MODEL_PREFIX): tensor
        for name, tensor in tensors.items()
        if name.startswith(WHOLE_MODEL_PREFIX)
    }
    is_whole = any(name.startswith("temporal.") for name in tensors)
    return inside if is_whole else tensors
