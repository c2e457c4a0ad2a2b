"""What each part of the measurement measures: from the command's arguments to the part's figures.

Each imports what it needs by itself: a part's process should hold nothing of the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

PEOPLE = (1, 4, 10)
Figures = dict[str, Any]


def tell(line: str) -> None:
    print(f"performance: {line}", file=sys.stderr, flush=True)


def measure_scan(arguments: argparse.Namespace) -> Figures:
    from benchmarks import scan

    words = ["--rounds", str(arguments.rounds)] if arguments.rounds else []
    return scan.measure(scan.make_parser().parse_args(words))


def measure_encoder(arguments: argparse.Namespace) -> Figures:
    from benchmarks.performance import encoders, windows

    small, large = windows.load_small(), windows.load_large()
    models = {"EfficientNet-Lite0 (glsmamba-t)": small, "ViTPose-B (glsmamba-b)": large}
    return {"rows": encoders.measure_encoders(models, **_rounds(arguments))}


def measure_windows(arguments: argparse.Namespace) -> Figures:
    from benchmarks.performance import windows

    return {"rows": windows.measure_windows(windows.load_small(), windows.load_large(), **_rounds(arguments))}


def measure_table7(arguments: argparse.Namespace) -> Figures:
    from benchmarks.performance import tokens

    return {"rows": tokens.measure_tokens(tell)}


def measure_stages(arguments: argparse.Namespace) -> Figures:
    from benchmarks.performance import clips, stages

    paths = {n: clips.people_clip(arguments.cache, n, arguments.frames) for n in PEOPLE}
    return {"rows": stages.measure_stages(paths, told=tell, **_rounds(arguments))}


def measure_startup(arguments: argparse.Namespace) -> Figures:
    from benchmarks.performance import clips, startup

    clip = clips.people_clip(arguments.cache, 1, 1)
    return {"rows": startup.measure_startup(clip, told=tell, **_rounds(arguments))}


def measure_memory(arguments: argparse.Namespace) -> Figures:
    """A clip of one person, small and without the flip test: what grows with the length does not depend on either."""
    from benchmarks import estimate
    from benchmarks.performance import clips

    clip = clips.people_clip(arguments.cache, 1, arguments.frames)
    settings = argparse.Namespace(
        clip=clip, seconds=[60 * m for m in arguments.minutes], rate=10, height=360, no_flip=True
    )
    return {"rows": estimate.measure_memory(settings)}


def _rounds(arguments: argparse.Namespace) -> dict[str, int]:
    return {"rounds": arguments.rounds} if arguments.rounds else {}


PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "scan": measure_scan,
    "encoder": measure_encoder,
    "windows": measure_windows,
    "table7": measure_table7,
    "stages": measure_stages,
    "startup": measure_startup,
    "memory": measure_memory,
}
