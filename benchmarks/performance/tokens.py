"""Table 7: GLSMamba against six ViT-B blocks on more and more tokens, in time and in memory.

Both stand between the same features and the same heatmaps, five frames of 1/16, 1/8, 1/4 and 1/2 of 256 x 192. The
Transformer runs with plain attention, which holds all pairs of tokens, and with PyTorch's fused one, which does not.
A measurement is a process of its own, so that its peak memory is its own; what surely does not fit is not tried.

    python -m benchmarks.performance.tokens glsmamba 960
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.performance.timing import spread
from posecli.errors import PosecliError
from posecli.nn.glsmamba import GLSMamba
from posecli.nn.vitpose import VITPOSE_SIZES, Block

# Legend: B windows, T frames, C channels, H and W height and width of the token grid, L tokens, D width.

FRAMES, CHANNELS, JOINTS = 5, 256, 15
VIT_BLOCKS = 6
GRIDS = {
    FRAMES * height * width: (height, width) for height, width in ((16, 12), (32, 24), (64, 48), (128, 96))
}
NETWORKS = ("glsmamba", "transformer, plain attention", "transformer, fused attention")
GIBIBYTE = 2**30
MOST_MEMORY_GIB = 12
LONGEST_S = 100.0  # of one pass: what would take longer is not tried
RUN_BUDGET_S = 12.0
MOST_RUNS = 5


class Transformer(nn.Module):
    """Six ViT-B blocks in place of GSM and LRM: all tokens of all frames attend to each other."""

    def __init__(self) -> None:
        super().__init__()
        config = VITPOSE_SIZES["B"]
        self.stem = nn.Linear(CHANNELS, config.dim)
        self.blocks = nn.Sequential(*(Block(config) for _ in range(VIT_BLOCKS)))
        self.head = nn.Conv2d(config.dim, JOINTS, kernel_size=3, padding=1)

    def forward(self, features_BTCHW: Tensor) -> Tensor:
        grid = features_BTCHW.shape[1], *features_BTCHW.shape[3:]
        x_BLD = self.stem(features_BTCHW.permute(0, 1, 3, 4, 2).flatten(1, 3))
        x_BTHWD = self.blocks(x_BLD).unflatten(1, grid)
        return self.head(x_BTHWD.sum(1).permute(0, 3, 1, 2))


def build(network: str, grid: tuple[int, int]) -> nn.Module:
    """One of NETWORKS, with random weights."""
    torch.manual_seed(0)
    if network == "glsmamba":
        config = GLSMamba.Config(channels=CHANNELS, frames=FRAMES, grid=grid, joints=JOINTS)
        return GLSMamba(config).eval()
    return Transformer().eval()


def attention_gib(tokens: int) -> float:
    """What plain attention holds at once: scores and weights of all heads, float32."""
    return 2 * VITPOSE_SIZES["B"].num_heads * tokens**2 * 4 / GIBIBYTE


@torch.inference_mode()
def measure_here(network: str, tokens: int) -> dict[str, Any]:
    """Time and peak memory of a forward pass in float32, in this process."""
    model = build(network, GRIDS[tokens])
    features_BTCHW = torch.randn(1, FRAMES, CHANNELS, *GRIDS[tokens])
    is_plain = "plain" in network
    with sdpa_kernel(SDPBackend.MATH) if is_plain else nullcontext():
        before = _peak_megabytes()
        milliseconds = _repeated(lambda: model(features_BTCHW))
    peak = _peak_megabytes()
    return spread(milliseconds) | {"peak_mb": peak, "work_mb": peak - before}


def _repeated(run: Callable[[], Any]) -> list[float]:
    """Milliseconds of some runs; the first counts only where it takes long."""
    taken: list[float] = []
    while sum(taken) < 1000 * RUN_BUDGET_S and len(taken) <= MOST_RUNS:
        started = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - started))
    return taken[1:] or taken


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)  # kilobytes on Linux, bytes on macOS


def measure_tokens(told: Callable[[str], None] = lambda line: None) -> list[dict[str, Any]]:
    """A row for each network and number of tokens; "skipped" says why it has no figures."""
    rows: list[dict[str, Any]] = []
    for tokens in GRIDS:
        for network in NETWORKS:
            told(f"{network}, {tokens} tokens")
            reason = _why_not(network, tokens, rows)
            figures = {"skipped": reason} if reason else _in_own_process(network, tokens)
            rows.append({"network": network, "tokens": tokens} | figures)
    return rows


def _why_not(network: str, tokens: int, rows: list[dict[str, Any]]) -> str | None:
    if "plain" in network and attention_gib(tokens) > MOST_MEMORY_GIB:
        return f"attention alone needs {attention_gib(tokens):,.0f} GiB, more than {MOST_MEMORY_GIB}"
    smaller = [row for row in rows if row["network"] == network and "ms" in row]
    if smaller and network != "glsmamba":
        seconds = smaller[-1]["ms"] / 1000 * (tokens / smaller[-1]["tokens"]) ** 2
        if seconds > LONGEST_S:
            return f"it would take {seconds:,.0f} s, by the square of the tokens"
    return None


def _in_own_process(network: str, tokens: int) -> dict[str, Any]:
    command = [sys.executable, "-m", __spec__.name, network, str(tokens)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise PosecliError(f"{network} on {tokens} tokens failed: {run.stderr.strip().splitlines()[-1:]}")
    return dict(json.loads(run.stdout))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("tokens", type=int, choices=list(GRIDS))
    arguments = parser.parse_args()
    print(json.dumps(measure_here(arguments.network, arguments.tokens)))
