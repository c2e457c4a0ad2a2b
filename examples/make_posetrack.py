"""Renders a small dataset in PoseTrack 2018's layout, with exact ground truth.

python examples/make_posetrack.py synthetic
python examples/make_posetrack.py tiny --train 2 --val 1 --frames 8 --size 256x192
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from posecli.cli.exits import run
from posecli.data.synthetic.posetrack import write_dataset


def parse_size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT."""
    width, height = text.lower().split("x")
    return int(width), int(height)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path, metavar="OUT", help="the folder to write; new or empty")
    parser.add_argument("--train", type=int, default=48, help="sequences to train on (default: 48)")
    parser.add_argument("--val", type=int, default=16, help="sequences to validate on (default: 16)")
    parser.add_argument("--frames", type=int, default=24, help="pictures in a sequence (default: 24)")
    parser.add_argument(
        "--size", type=parse_size, default=(320, 240), metavar="WxH", help="(default: 320x240)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed, another dataset (default: 0)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    arguments = parser.parse_args()
    started, total = time.perf_counter(), arguments.train + arguments.val
    done = 0

    def report(name: str) -> None:
        nonlocal done
        done += 1
        print(f"{done:3d} of {total}  {name}  {time.perf_counter() - started:.0f} s", flush=True)

    write_dataset(
        arguments.output,
        train=arguments.train,
        val=arguments.val,
        frames=arguments.frames,
        size=arguments.size,
        seed=arguments.seed,
        workers=arguments.workers,
        report=report,
    )
    print(f"{arguments.output}: {total} sequences of {arguments.frames} frames")


if __name__ == "__main__":
    sys.exit(run(main))
