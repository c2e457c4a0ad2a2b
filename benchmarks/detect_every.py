"""What it costs to detect people on every Nth frame only: people followed, accuracy, identities, frames a second.

    python -m benchmarks.detect_every LABELS_FOLDER [--every 1 2 3 4] [--clips NAME...] [--output TABLE.md]

LABELS_FOLDER has NAME.mp4 and NAME.json in the `clips` layout. Everyone counts who is taller than --min-height of the
picture on at least half of a clip's frames, as in benchmarks/people.py: followed is who has one track on more than half
of these frames; switches are changes of the track that lies on a person, from one frame to the next that it is seen on.
Frames a second are those of the whole pipeline, decoding to poses, without the start. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

import posecli
from benchmarks.people import MIN_IOU, follow, load_tracks
from posecli.data.people import Person
from posecli.metrics.boxes import iou
from posecli.types import Poses

HEAD = "| N | people | followed | mean coverage | ids a person | switches | PCK@0.1 | frames/s |"


@dataclass(slots=True)
class Figures:
    """Sums over clips, for one N."""

    covered: list[float] = field(default_factory=list)  # a person's share under its most frequent id
    tracks: list[int] = field(default_factory=list)  # and its number of ids
    near: list[np.ndarray] = field(default_factory=list)  # and its keypoints: hit or miss
    switches: int = 0
    frames: int = 0
    seconds: float = 0.0

    def row(self, every: int) -> str:
        hits = np.concatenate(self.near) if self.near else np.zeros(0)
        cells = [
            str(every),
            str(len(self.covered)),
            str(sum(share > 0.5 for share in self.covered)),
            f"{np.mean(self.covered):.3f}",
            f"{np.mean(self.tracks):.2f}",
            str(self.switches),
            f"{hits.mean():.3f}",
            f"{self.frames / self.seconds:.1f}",
        ]
        return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("--every", nargs="+", type=int, default=[1, 2, 3, 4])
    parser.add_argument("--clips", nargs="+", help="names without suffix; all unless given")
    parser.add_argument("--min-height", type=float, default=0.25)
    parser.add_argument("--no-flip", action="store_true", help="half of the model's work")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--output", type=Path, help="where the table goes, beside standard output")
    arguments = parser.parse_args()
    files = sorted(arguments.labels.glob("*.json"))
    files = [file for file in files if arguments.clips is None or file.stem in arguments.clips]
    if not files:
        raise SystemExit(f"{arguments.labels}: no labels of these clips")
    lines = [HEAD, "|---" * (HEAD.count("|") - 1) + "|"]
    # Compiled kernels and caches, once: the first N would pay for all.
    measure(files[0], max(arguments.every), Figures(), arguments)
    for every in arguments.every:
        figures = Figures()
        for file in files:
            measure(file, every, figures, arguments)
        lines.append(figures.row(every))
        print(lines[-1], file=sys.stderr, flush=True)  # the whole takes long
    table = "\n".join(lines) + "\n"
    print(table, end="")
    if arguments.output is not None:
        arguments.output.write_text(table)


def measure(file: Path, every: int, figures: Figures, arguments: argparse.Namespace) -> None:
    """One clip into the figures."""
    options = {"threads": arguments.threads, "flip": not arguments.no_flip}
    with posecli.estimate(file.with_suffix(".mp4"), detect_every=every, **options) as estimation:
        height = estimation.video.height
        started = time.perf_counter()
        poses = {frame.frame_index: frame for frame in estimation}
        figures.seconds += time.perf_counter() - started
    figures.frames += len(poses)
    for track in load_tracks(file).values():
        tall = [p for p in track.values() if p.box[3] - p.box[1] > arguments.min_height * height]
        if len(tall) * 2 < len(poses):
            continue
        covered, tracks, near, _ = follow(track, poses)
        figures.covered.append(covered)
        figures.tracks.append(tracks)
        figures.near.append(near)
        figures.switches += switches(track, poses)


def switches(track: dict[int, Person], poses: dict[int, Poses]) -> int:
    """How often the id changes that lies on a person."""
    ids = []
    for index, person in sorted(track.items()):
        people = poses.get(index)
        if people is None or len(people) == 0:
            continue
        overlap = iou(person.box, people.tracks.xyxy)
        if overlap.max() >= MIN_IOU:
            ids.append(int(people.tracks.ids[int(overlap.argmax())]))
    return sum(a != b for a, b in pairwise(ids))


if __name__ == "__main__":
    main()
