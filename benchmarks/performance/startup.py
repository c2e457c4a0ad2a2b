"""How long it takes from the command to the first frame's poses.

The command estimates a video of one frame: what it takes to write and to end is in the figure too. It runs first with
no compiled kernels on the disk, then with those that the first run left there, as every later run does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.estimate import run
from benchmarks.performance.timing import spread

ROUNDS = 5


def measure_startup(
    clip: Path, rounds: int = ROUNDS, told: Callable[[str], None] = lambda line: None
) -> list[dict[str, Any]]:
    """Rows of the first and of later runs, with the flip test and without it.

    Args:
        clip: of one frame.
    """
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, NUMBA_CACHE_DIR=folder):
        told("first run")
        first = run(clip, folder)
        later: dict[bool, list[dict[str, float]]] = {True: [], False: []}
        for number in range(rounds):
            told(f"round {number + 1} of {rounds}")
            for flip, measured in later.items():
                measured.append(run(clip, folder, [] if flip else ["--no-flip"]))
    return [
        {"run": "first", "flip": True} | _summary([first]),
        *({"run": "later", "flip": flip} | _summary(measured) for flip, measured in later.items()),
    ]


def _summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    peak = max(one["peak_megabytes"] for one in runs)
    return spread([1000 * one["seconds"] for one in runs]) | {"peak_mb": peak}
