"""Whole models on one window of one person: exact and fast modes, and GLSMamba-B on other scans.

The paper's mode looks at five frames for each one that it answers ("exact"); the embedded model answers all five of a
window at once ("every frame"), with or without its mirror image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.performance.encoders import random_crops
from benchmarks.performance.timing import BUDGET_S, ROUNDS, Timed, side_by_side, with_ratios
from benchmarks.scan_peers import mambapy_scan, plain_loop
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.weights.models import load_model
from posecli.weights.presets import load_preset

Scan = Callable[..., Tensor]
OURS = "numba"
PEERS: dict[str, Scan] = {"reference loop": plain_loop, "mambapy": mambapy_scan}


def measure_windows(
    small: PoseModel, large: PoseModel, rounds: int = ROUNDS, budget_s: float = BUDGET_S
) -> list[dict[str, Any]]:
    """A row for each way to run a window; ratios are to the first row of the same network.

    Args:
        small: GLSMamba-T, which answers every frame.
        large: GLSMamba-B, which answers the middle one.
    """
    rows = side_by_side([*_small(small), *_large(large)], rounds, budget_s)
    for row in rows:
        row["ms_per_frame"] = row["ms"] / row["answers"]
    first = {row["network"]: row for row in reversed(rows)}
    return with_ratios(rows, lambda row: first[row["network"]])


def load_small() -> PoseModel:
    return load_model("glsmamba-t").model


def load_large() -> PoseModel:
    """GLSMamba-B with random weights: its speed does not depend on them."""
    torch.manual_seed(0)
    return PoseModel(load_preset("glsmamba-b")).optimize_for_inference()


def _small(model: PoseModel) -> Iterator[Timed]:
    name = model.config.name
    yield _thing(name, "every frame", model, bf16=True)
    yield _thing(name, "every frame", model)
    yield _thing(name, "every frame, flip test", FlipTested(model), bf16=True)
    yield _thing(name, "exact", as_keyframe(model), bf16=True)


def _large(model: PoseModel) -> Iterator[Timed]:
    name = model.config.name
    yield _thing(name, "exact", model, bf16=True)
    yield _thing(name, "exact", model)
    for peer, scan in PEERS.items():
        if peer != "mambapy" or find_spec("mambapy"):
            yield _thing(name, "exact", model, scan=peer, replacement=scan)


def _thing(
    network: str,
    mode: str,
    model: PoseModel | FlipTested,
    *,
    bf16: bool = False,
    scan: str = OURS,
    replacement: Scan | None = None,
) -> Timed:
    plain = model.model if isinstance(model, FlipTested) else model
    images_BTHWC = random_crops(plain, 1)

    @torch.inference_mode()
    def run() -> None:
        with scanned_by(replacement), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            model(images_BTHWC)

    precision = "bf16" if bf16 else "fp32"
    labels = {"network": network, "mode": mode, "scan": scan, "precision": precision}
    return Timed(labels | {"answers": len(model.output_frames)}, run)


def as_keyframe(model: PoseModel) -> PoseModel:
    """The same network in the paper's mode: only the middle frame is answered."""
    keyframe = deepcopy(model)
    temporal = replace(model.config.temporal, output="keyframe")
    keyframe.config = replace(model.config, temporal=temporal)
    keyframe.temporal.config = temporal
    return keyframe


@contextmanager
def scanned_by(scan: Scan | None) -> Iterator[None]:
    """Within this block, all scans of the network are done by another function; None: by posecli's own."""
    if scan is None:
        yield
        return

    def replaced(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, **options: Any) -> Tensor:
        return scan(
            x, delta, A, B, C,
            options["D_GD"], options["delta_bias_GD"], options["delta_softplus"], options["order_GL"],
        )  # fmt: skip

    with patch("posecli.nn.s6.scan_routes", replaced):
        yield
