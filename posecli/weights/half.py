"""Trained weights as they are shipped: fp16 safetensors with their provenance."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from posecli.weights.files import save_tensors


def export_half(model: nn.Module, path: Path, notes: dict[str, str]) -> Path:
    """Write a model's state as fp16 safetensors, atomically."""
    save_tensors(path, half_state(model), notes)
    return path


def half_state(model: nn.Module) -> dict[str, Tensor]:
    """A model's tensors in fp16; integers (batch norms' counters) are left out.

    Raises:
        ValueError: a value does not fit into fp16.
    """
    state = {
        name: value.half().contiguous()
        for name, value in model.state_dict().items()
        if value.is_floating_point()
    }
    overflow = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if overflow:
        raise ValueError(f"not representable in fp16: {', '.join(overflow)}")
    return state
