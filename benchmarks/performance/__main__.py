"""Measures how fast posecli is, and writes docs/performance.md's tables and figures.

    python -m benchmarks.performance --cache FOLDER --docs
    python -m benchmarks.performance --cache FOLDER --parts scan windows --again

Each part writes docs/performance/PART.json as soon as it is done. A part that has its file is not measured again, so
that the command can be stopped and run once more; --again measures the parts all the same. CACHE keeps the rendered
clips. Figures mean something on a machine that does nothing else; `load` in the files tells how busy it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.performance.report import PARTS as ORDER
from benchmarks.performance.report import read_results, write_report
from benchmarks.quality.report import write_figures
from posecli.errors import PosecliError

DOCS = Path(__file__).parents[2] / "docs"
PEOPLE = (1, 4, 10)
Figures = dict[str, Any]


def main() -> None:
    arguments = make_parser().parse_args()
    results = arguments.results or arguments.document / "performance"
    try:
        results.mkdir(parents=True, exist_ok=True)
        for part in ORDER:
            path = results / f"{part}.json"
            if part in arguments.parts and (arguments.again or not path.is_file()):
                tell(part)
                write_figures(path, {"machine": _machine()} | PARTS[part](arguments))
        if arguments.docs:
            write_report(arguments.document, read_results(results))
    except PosecliError as error:
        print(f"performance: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.performance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for the clips, which are rendered once"
    )
    parser.add_argument("--parts", nargs="*", choices=ORDER, default=ORDER)
    parser.add_argument("--again", action="store_true", help="measure parts again that were measured")
    parser.add_argument("--docs", action="store_true", help="write the document's tables and figures, too")
    parser.add_argument("--rounds", type=int, help="of each part (default: its own)")
    parser.add_argument("--frames", type=int, default=60, help="of each clip with people (default: 60)")
    parser.add_argument(
        "--minutes",
        type=int,
        nargs="+",
        default=[1, 30],
        help="lengths of the clips whose memory is compared",
    )
    parser.add_argument("--results", type=Path, help="folder of the JSON files (default: docs/performance)")
    parser.add_argument("--document", type=Path, default=DOCS, help="folder of performance.md")
    return parser


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


def _machine() -> Figures:
    from benchmarks.performance.machine import machine

    return machine()


PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "scan": measure_scan,
    "encoder": measure_encoder,
    "windows": measure_windows,
    "table7": measure_table7,
    "stages": measure_stages,
    "startup": measure_startup,
    "memory": measure_memory,
}


if __name__ == "__main__":
    main()
