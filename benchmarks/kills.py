"""`posecli estimate` killed at random moments and resumed: whether the bytes are those of an unbroken run.

    python benchmarks/kills.py CLIP [--kills 20] [--frames 360] [--seed 0]

The clip is looped to --frames frames. Every trial starts the command, sends SIGKILL after a time drawn evenly from the
duration of an unbroken run, resumes, and compares. The result is a table in Markdown on standard output.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from estimate import loop_clip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--frames", type=int, default=360)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        loop_clip(arguments.clip, clip, arguments.frames, height=arguments.height)
        run(clip, folder / "start.json")  # fills the disk's cache
        whole = folder / "whole.json"
        seconds = run(clip, whole)
        print(f"{arguments.frames} frames; an unbroken run takes {seconds:.1f} s\n")
        print("| kill | after (s) | frames kept | resumed in (s) | same bytes |\n|---|---|---|---|---|")
        same = 0
        for number in range(1, arguments.kills + 1):
            output = folder / f"{number}.json"
            after = random.uniform(0, seconds)
            survived = kill(clip, output, after)
            kept = 120 * len(list(output.with_name(output.name + ".journal").glob("*.npz")))
            again = run(clip, output, "--resume")
            equal = digest(output) == digest(whole)
            same += equal
            kept_text = "all: it was done" if survived else str(kept)
            print(
                f"| {number} | {after:.1f} | {kept_text} | {again:.1f} | {'yes' if equal else 'NO'} |",
                flush=True,
            )
    print(f"\n{same} of {arguments.kills}: the same bytes")


def command(clip: Path, output: Path, *flags: str) -> list[str]:
    return [sys.executable, "-m", "posecli", "estimate", str(clip), "-o", str(output), "-q", *flags]


def run(clip: Path, output: Path, *flags: str) -> float:
    """Seconds of a run that must go well."""
    started = time.perf_counter()
    subprocess.run(command(clip, output, *flags), check=True)
    return time.perf_counter() - started


def kill(clip: Path, output: Path, after: float) -> bool:
    """Starts a run and kills it; whether it came to its end before."""
    process = subprocess.Popen(command(clip, output))
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == 0


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
