"""Broken and hostile files through posecli's commands: docs/robustness.md's table.

    python -m benchmarks.fuzz [--count 500] [--groups videos poses smoothed settings] [--first 0] [--keep FOLDER]

Every case is a seed: `--first N --count 1 --groups videos` runs one of them again, and --keep leaves its files there.
Each command runs in a fork of this process, which has imported everything once, under limits of time and memory.
Cases that did not end well are listed on standard error with the last that the command said; Ctrl-C ends it
with the table of what was done. Run it in a copy of the repository that nobody edits meanwhile.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from benchmarks.fuzz.trial import Limits, Outcome, Trial, run_trial

Make = Callable[[random.Random, Path], Trial]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=500, help="cases of each group")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--groups", nargs="+", default=["videos", "poses", "smoothed", "settings"])
    parser.add_argument("--seconds", type=float, default=60, help="limit of one command")
    parser.add_argument("--keep", type=Path, help="an empty folder for the cases' files")
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.count)
    cases = [(group, number) for group in arguments.groups for number in numbers]
    limits = Limits(seconds=arguments.seconds)
    warm_up()
    found: list[tuple[str, Outcome]] = []
    with suppress(KeyboardInterrupt):
        found.extend(_told(run_case(case, limits, arguments.keep) for case in cases))
    print(table(found, arguments.groups))
    sys.exit(any(not outcome.is_clean for _, outcome in found))


def makers() -> dict[str, Make]:
    """What makes the cases of each group."""
    from benchmarks.fuzz.poses import poses_trial, smoothed_trial
    from benchmarks.fuzz.settings import settings_trial
    from benchmarks.fuzz.videos import video_trial

    return {
        "videos": video_trial,
        "poses": poses_trial,
        "smoothed": smoothed_trial,
        "settings": settings_trial,
    }


def warm_up() -> None:
    """Imports what commands import by themselves, once for all cases."""
    # pyarrow's own allocator reserves gigabytes of addresses that it never fills, and addresses are what is limited.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    import pandas  # noqa: F401
    import torch

    import posecli.cli.estimation
    import posecli.draw.renderer
    import posecli.metrics.from_files
    import posecli.pipeline.estimator
    import posecli.view
    import posecli.weights.models  # noqa: F401
    from posecli.weights.locate import embedded_weights

    assert embedded_weights("glsmamba-t") is not None
    torch.set_num_threads(1)  # a fork has none of the threads of its parent


def run_case(
    case: tuple[str, int], limits: Limits, keep: Path | None = None
) -> tuple[str, int, Trial, Outcome, str]:
    """Makes the case of this group and number in a folder, and runs its command there."""
    group, number = case
    with tempfile.TemporaryDirectory() as name:
        root = keep / f"{group}{number}" if keep else Path(name) / "case"
        (root / "work").mkdir(parents=True)
        (root / "secret.txt").write_text("not a command's business")
        trial = makers()[group](random.Random(f"{group} {number}"), root / "work")
        outcome, said = run_trial(trial, root, limits)
    return group, number, trial, outcome, said


def _told(cases: Iterable[tuple[str, int, Trial, Outcome, str]]) -> Iterable[tuple[str, Outcome]]:
    for group, number, trial, outcome, said in cases:
        if not outcome.is_clean:
            print(f"{group} {number}: {outcome}: {trial.harm}: posecli {' '.join(trial.arguments)}\n    {said}",
                  file=sys.stderr, flush=True)  # fmt: skip
        yield group, outcome


def table(found: Iterable[tuple[str, Outcome]], groups: list[str]) -> str:
    """Markdown: a row an outcome, a column a group."""
    counts = Counter(found)
    rows = [f"| outcome | {' | '.join(groups)} |", "|---|" + "---|" * len(groups)]
    rows += [
        f"| {outcome} | {' | '.join(str(counts[group, outcome]) for group in groups)} |"
        for outcome in Outcome
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
