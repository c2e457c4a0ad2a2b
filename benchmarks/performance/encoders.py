"""The encoders in float32 and bf16, a crop of 256 x 192 at a time and many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.performance.timing import ROUNDS, Timed, side_by_side, with_ratios
from posecli.nn.pose_model import PoseModel

WINDOWS = (1, 8)  # of five crops


def measure_encoders(
    models: dict[str, PoseModel], windows: Sequence[int] = WINDOWS, rounds: int = ROUNDS
) -> list[dict[str, Any]]:
    """A row for each encoder, number of crops and precision; ratios are to float32."""
    things = [
        _encoding(name, model, count, bf16)
        for name, model in models.items()
        for count in windows
        for bf16 in (False, True)
    ]
    rows = side_by_side(things, rounds)
    in_float32 = {(row["encoder"], row["crops"]): row for row in rows if row["precision"] == "fp32"}
    return with_ratios(rows, lambda row: in_float32[row["encoder"], row["crops"]])


def _encoding(name: str, model: PoseModel, windows: int, bf16: bool) -> Timed:
    images_BTHWC = random_crops(model, windows)

    @torch.inference_mode()
    def run() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            model.encode(images_BTHWC)

    crops = windows * model.config.input.frames
    return Timed({"encoder": name, "crops": crops, "precision": "bf16" if bf16 else "fp32"}, run)


def random_crops(model: PoseModel, windows: int) -> Tensor:
    """(B, T, H, W, C) uint8 noise of the model's input size."""
    crop = model.config.input
    shape = (windows, crop.frames, crop.height, crop.width, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
