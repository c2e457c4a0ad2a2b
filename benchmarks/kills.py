"""`posecli estimate` killed at random moments and resumed: whether the bytes are those of an unbroken run.

    python benchmarks/kills.py CLIP [--kills 20] [--frames 300] [--section 120] [--seed 0]

The clip is looped to --frames frames. Every trial runs the command in a process of its own, sends SIGKILL after a time
drawn evenly from the duration of an unbroken run, resumes, and compares. The processes are copies (fork) of one that
has imported PyTorch: all their time is the command's own work. The result is a table in Markdown on standard output.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from estimate import loop_clip

import posecli.pipeline.options
from posecli.cli import main as posecli_main
from posecli.pipeline.estimator import DEFAULT_SECTION
from posecli.pipeline.journal import journal_folder

CRASHED = 99


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--section", type=int, default=DEFAULT_SECTION, help="frames")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    options = functools.partial(posecli.pipeline.options.Options, section=arguments.section)
    posecli.pipeline.options.Options = options  # type: ignore[assignment,misc]
    with tempfile.TemporaryDirectory() as name:
        trials(Path(name), arguments)


def trials(folder: Path, arguments: argparse.Namespace) -> None:
    clip, whole = folder / "clip.mp4", folder / "whole.json"
    loop_clip(arguments.clip, clip, arguments.frames, height=arguments.height)
    seconds = finish(clip, whole)
    print(
        f"{arguments.frames} frames in sections of {arguments.section}; an unbroken run takes {seconds:.1f} s\n"
    )
    print("| kill | after (s) | frames kept | resumed in (s) | same bytes |\n|---|---|---|---|---|")
    same = 0
    for number in range(1, arguments.kills + 1):
        output = folder / f"{number}.json"
        after = random.uniform(0, seconds)
        was_done = killed(start(clip, output), after)
        sections = len(list(journal_folder(output).glob("*.npz")))
        kept = "all: it was done" if was_done else str(arguments.section * sections)
        again = finish(clip, output, "--resume")
        equal = digest(output) == digest(whole)
        same += equal
        print(f"| {number} | {after:.1f} | {kept} | {again:.1f} | {'yes' if equal else 'NO'} |", flush=True)
    print(f"\n{same} of {arguments.kills}: the same bytes")


def start(clip: Path, output: Path, *flags: str) -> int:
    """The process that runs the command."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = CRASHED
    try:
        sys.argv = ["posecli", "estimate", str(clip), "-o", str(output), "-q", *flags]
        posecli_main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        os._exit(code)


def finish(clip: Path, output: Path, *flags: str) -> float:
    """Seconds of a run that must go well."""
    started = time.perf_counter()
    _, status = os.waitpid(start(clip, output, *flags), 0)
    if status:
        raise SystemExit(f"the command failed: {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - started


def killed(child: int, after: float) -> bool:
    """Kills a process after a time; whether it came to its end before."""
    time.sleep(after)
    os.kill(child, signal.SIGKILL)  # a process that has ended is there until it is waited for
    _, status = os.waitpid(child, 0)
    return not os.WIFSIGNALED(status)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
