"""What the streaming modes (docs/streaming.md) cost and bring: accuracy, jitter, encoder passes, frames a second.

    python -m benchmarks.streaming_modes LABELS_FOLDER [--true-boxes] [--model NAME] [--modes tubelet reuse exact]

LABELS_FOLDER has NAME.mp4 and NAME.json in the `clips` layout. People are whom the detector finds, or those of the
labels with --true-boxes; everyone counts who is taller than --min-height of the picture on at least half of a clip's
frames. PCK@0.1 is the share of their labelled keypoints within a tenth of the box's height, jitter the mean second
difference of keypoints, in box heights (benchmarks/people.py). Passes are crops that went through the encoder for each
pose, and each look of the flip test. Modes take turns, clip by clip; times are of the whole pipeline without its start.
The processor's time, on which the last column goes, hardly depends on what else a machine does. A model without weights
inside gets random ones and is only timed. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import posecli
from benchmarks.people import follow, load_tracks
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.pipeline.window_modes import WindowMode
from posecli.skeletons import COCO
from posecli.types import Poses
from posecli.weights.locate import embedded_weights
from posecli.weights.models import save_model
from posecli.weights.presets import load_preset

HEAD = (
    "| windows | poses | PCK@0.1 | jitter | encoder passes a pose | frames/s | CPU ms a pose | of the most |"
)
LOOKS = 2  # of the flip test, which is on


@dataclass(slots=True)
class Figures:
    """Sums over clips, for one mode."""

    near: list[np.ndarray] = field(default_factory=list)  # a person's keypoints: hit or miss
    jitter: list[float] = field(default_factory=list)  # and its jitter
    poses: int = 0
    passes: int = 0
    frames: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def cost(self) -> float:
        """Processor's milliseconds a pose."""
        return 1000 * self.cpu_seconds / self.poses

    def row(self, mode: str, most: float, *, is_trained: bool) -> str:
        """most: the cost that counts as 1."""
        accuracy = ["–", "–"]
        if is_trained:
            accuracy = [f"{np.concatenate(self.near).mean():.4f}", f"{np.nanmean(self.jitter):.4f}"]
        speed = [f"{self.passes / self.poses:.2f}", f"{self.frames / self.seconds:.2f}"]
        cost = [f"{self.cost:.0f}", f"{self.cost / most:.2f}"]
        return f"| {' | '.join([mode, str(self.poses), *accuracy, *speed, *cost])} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("--modes", nargs="+", default=["tubelet", "reuse", "exact"])
    parser.add_argument("--model", default="glsmamba-t")
    parser.add_argument("--true-boxes", action="store_true")
    parser.add_argument("--clips", nargs="+", help="names without suffix; all unless given")
    parser.add_argument("--end", help="of each clip, seconds; all of it unless given")
    parser.add_argument("--min-height", type=float, default=0.25)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--output", type=Path, help="where the table goes, beside standard output")
    arguments = parser.parse_args()
    files = sorted(arguments.labels.glob("*.json"))
    files = [file for file in files if arguments.clips is None or file.stem in arguments.clips]
    if not files:
        raise SystemExit(f"{arguments.labels}: no labels of these clips")
    figures: dict[WindowMode, Figures] = {mode: Figures() for mode in arguments.modes}
    with model_file(arguments.model) as (model, is_trained):
        # Compiled kernels and caches, once: the first mode would pay for all.
        measure(files[0], arguments.modes[0], Figures(), model, arguments)
        for file in files:
            for mode, of_mode in figures.items():
                measure(file, mode, of_mode, model, arguments)
    most = max(of_mode.cost for of_mode in figures.values())
    rows = [of_mode.row(mode, most, is_trained=is_trained) for mode, of_mode in figures.items()]
    table = "\n".join([HEAD, "|---" * (HEAD.count("|") - 1) + "|", *rows]) + "\n"
    print(table, end="")
    if arguments.output is not None:
        arguments.output.write_text(table)


@contextmanager
def model_file(name: str) -> Iterator[tuple[str, bool]]:
    """The model as `--model` takes it, and whether it is trained."""
    if embedded_weights(name) is not None:
        yield name, True
        return
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        path = Path(folder) / f"{name}.safetensors"
        save_model(path, PoseModel(load_preset(name)), {})
        yield str(path), False


def measure(
    file: Path, mode: WindowMode, figures: Figures, model: str, arguments: argparse.Namespace
) -> None:
    """One clip in one mode, into the figures."""
    with (
        posecli.estimate(
            file.with_suffix(".mp4"),
            model=model,
            windows=mode,
            boxes=file if arguments.true_boxes else None,
            end=arguments.end,
            threads=arguments.threads,
        ) as estimation,
        counted_passes(figures),
    ):
        height = estimation.video.height
        started, cpu_started = time.perf_counter(), time.process_time()
        poses = {frame.frame_index: frame for frame in estimation}
        figures.seconds += time.perf_counter() - started
        figures.cpu_seconds += time.process_time() - cpu_started
    figures.frames += len(poses)
    figures.poses += sum(len(frame) for frame in poses.values())
    if estimation.skeleton == COCO:  # the labels'; the larger models have PoseTrack's
        compare(file, poses, figures, arguments.min_height * height)


def compare(file: Path, poses: dict[int, Poses], figures: Figures, min_height: float) -> None:
    """A clip's poses with its labels. min_height: pixels."""
    for track in load_tracks(file).values():
        seen = {index: person for index, person in track.items() if index in poses}
        tall = [person for person in seen.values() if person.box[3] - person.box[1] > min_height]
        if len(tall) * 2 >= len(poses):
            _, _, near, jitter = follow(seen, poses)
            figures.near.append(near)
            figures.jitter.append(jitter)


@contextmanager
def counted_passes(figures: Figures) -> Iterator[None]:
    """Within this block, the crops that go through the encoder are counted, once for both looks."""
    encode = PoseModel.encode
    crops: list[int] = []  # by call: both looks may run at once

    def counting(self: PoseModel, images_BTHWC: Tensor) -> EncodedWindows:
        crops.append(images_BTHWC.shape[0] * images_BTHWC.shape[1])
        return encode(self, images_BTHWC)

    with patch.object(PoseModel, "encode", counting):
        yield
    figures.passes += sum(crops) // LOOKS


if __name__ == "__main__":
    main()
