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
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.performance.machine import machine
from benchmarks.performance.parts import PARTS, Figures, tell
from benchmarks.performance.report import PARTS as ORDER
from benchmarks.performance.report import read_results, write_report
from benchmarks.quality.report import write_figures
from posecli.errors import PosecliError

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    arguments = make_parser().parse_args()
    results = arguments.results or arguments.document / "performance"
    try:
        results.mkdir(parents=True, exist_ok=True)
        for part in ORDER:
            path = results / f"{part}.json"
            if part in arguments.parts and (arguments.again or not path.is_file()):
                tell(part)
                write_figures(path, measured(part, arguments))
        if arguments.docs:
            write_report(arguments.document, read_results(results))
    except PosecliError as error:
        print(f"performance: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def measured(part: str, arguments: argparse.Namespace) -> Figures:
    """A part's figures, from a fresh process: a program's peak counts what the one that starts it holds (Linux)."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return {"machine": machine()} | process.submit(PARTS[part], arguments).result()


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


if __name__ == "__main__":
    main()
