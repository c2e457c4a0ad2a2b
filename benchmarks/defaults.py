"""The measurements behind the defaults of the model and the detector; docs/defaults.md holds their tables.

    python -m benchmarks.defaults DATA --cache FOLDER [--parts decode ends batch detector] [--every N]

decode: how a heatmap becomes a keypoint, with and without the flip test. ends: what stands in for the frames that a
clip's last window lacks. batch: time by windows at once. detector: input size and threshold. Times are CPU seconds of
this process, so that other programs do not count: run it with OMP_NUM_THREADS=1. Markdown on standard output.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from benchmarks.validation import Crops, Place, Predictions, answer, compare, cut_out, load_windows, places
from posecli.data.people import Picture, load_coco
from posecli.detect.embedded import EMBEDDED_INPUT, EmbeddedDetector
from posecli.detect.tracking import DEFAULT_THRESHOLD
from posecli.device import prefers_bf16
from posecli.geometry.heatmaps import DecodeMethod
from posecli.metrics.boxes import BoxMetric, greedy_match
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.types import Boxes, FloatArray
from posecli.video.pictures import read_picture
from posecli.weights.models import load_model

CPU = torch.device("cpu")
SIDES = (384, 448, 512)  # pixels
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
BATCHES = (1, 2, 4, 8, 16, 32)
REPEATS = 3
# Frames of a window of T that takes the place of a whole one, when only the last r are new: their numbers.
ENDS: dict[str, Callable[[int, int], list[int]]] = {
    "the nearest frame again": lambda T, r: [min(T - r + i, T - 1) for i in range(T)],
    "mirrored in time": lambda T, r: [T - 1 - abs(T - 1 - (T - r + i)) for i in range(T)],
    "the frames before, again": lambda T, r: list(range(T)),
}


def main() -> None:
    parts = {"decode": decode, "ends": ends, "batch": batch, "detector": detector}
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.defaults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded clips")
    parser.add_argument("--model", default="glsmamba-t")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--every", type=int, default=1, help="only every N-th picture and clip window")
    arguments = parser.parse_args()
    for name in arguments.parts:
        print(f"{name}\n\n{table(parts[name](arguments))}", flush=True)


def table(rows: list[dict[str, object]]) -> str:
    def cell(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    lines = [" | ".join(rows[0]), " | ".join("---" for _ in rows[0])]
    lines += [" | ".join(cell(value) for value in row.values()) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def chosen_places(arguments: argparse.Namespace, model: PoseModel) -> list[Place]:
    """Every N-th picture, and of each clip every N-th window."""
    step = 10 * arguments.every
    found = places(arguments.data, arguments.cache, model, step=step)
    stills = [place for place in found if place.still][:: arguments.every]
    return stills + [place for place in found if not place.still]


def pck(said: Predictions, near: float) -> float:
    return float((said.labelled.distance <= near).mean())


def decode(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Decoding methods, without and with the flip test."""
    model = load_model(arguments.model).model
    bf16, as_shipped = prefers_bf16(CPU), model.config
    networks: dict[str, PoseModel | FlipTested] = {"off": model, "on": FlipTested(model)}
    said: dict[tuple[str, str], list[Predictions]] = {}
    seconds, windows = dict.fromkeys(networks, 0.0), 0
    for number, raw in enumerate(load_windows(chosen_places(arguments, model))):
        crops, windows = cut_out(model, raw, number), windows + len(raw)
        for flip, network in networks.items():
            started = time.process_time()
            heatmaps = answer(network, crops, bf16)
            seconds[flip] += time.process_time() - started
            for method in get_args(DecodeMethod):
                model.config = replace(as_shipped, heatmap=replace(as_shipped.heatmap, decode=method))
                points, scores = (v.float().numpy() for v in model.keypoints(heatmaps))
                said.setdefault((method, flip), []).append(
                    compare(crops, model.output_frames, points, scores)
                )
        model.config = as_shipped
    rows: list[dict[str, object]] = []
    for (method, flip), parts in said.items():
        all_said = Predictions.concatenate(parts)
        figures: dict[str, object] = {f"PCK@{near}": pck(all_said, near) for near in (0.02, 0.05, 0.1)}
        people = all_said[all_said.by_people]
        figures["PCK@0.1, labels by people"] = pck(people, 0.1)
        distance = all_said.labelled.distance
        figures["mean distance of hits"] = float(distance[distance <= 0.1].mean())
        milliseconds = round(1000 * seconds[flip] / windows)
        rows.append({"decode": method, "flip test": flip} | figures | {"CPU ms a window": milliseconds})
    return rows


def ends(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """The last r frames of a clip, with each stand-in for what is missing of their window."""
    model = load_model(arguments.model).model
    bf16, length = prefers_bf16(CPU), model.config.input.frames
    clips = [place for place in chosen_places(arguments, model) if not place.still]
    said: dict[tuple[str, int], list[Predictions]] = {}
    for number, raw in enumerate(load_windows(clips)):
        crops = cut_out(model, raw, number)
        for name, order in ENDS.items():
            for rest in range(1, length):
                frames = order(length, rest)
                answered = range(length - rest, length)  # of the clip's frames
                positions = [frames.index(frame) for frame in answered]
                said.setdefault((name, rest), []).append(
                    last_frames(model, crops, frames, positions, list(answered), bf16)
                )
    joined = {key: Predictions.concatenate(parts) for key, parts in said.items()}
    return [
        {"what stands in": name}
        | {f"{rest} of {length} frames": pck(joined[name, rest], 0.05) for rest in range(1, length)}
        for name in ENDS
    ]


def last_frames(
    model: PoseModel, crops: Crops, frames: list[int], positions: list[int], answered: list[int], bf16: bool
) -> Predictions:
    window = replace(crops, images_BTHWC=np.ascontiguousarray(crops.images_BTHWC[:, frames]))
    points, scores = (v.float().numpy() for v in model.keypoints(answer(model, window, bf16)))
    return compare(crops, answered, points[:, positions], scores[:, positions])


def batch(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """CPU time a window by windows at once."""
    model = load_model(arguments.model).model
    crop, bf16 = model.config.input, prefers_bf16(CPU)
    generator = np.random.default_rng(0)
    rows: list[dict[str, object]] = []
    for count in BATCHES:
        images = generator.integers(0, 256, (count, crop.frames, crop.height, crop.width, 3), np.uint8)
        nothing = np.zeros(0, np.float32)
        crops = Crops([], [], images, nothing, nothing > 0, nothing > 0, nothing)
        answer(model, crops, bf16)
        times = []
        for _ in range(REPEATS):
            started = time.process_time()
            answer(model, crops, bf16)
            times.append(1000 * (time.process_time() - started) / count)
        rows.append({"windows at once": count, "CPU ms a window": round(min(times))})
    return rows


def detector(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Input sizes at the default threshold, then thresholds at the default size."""
    pictures = [picture for picture in load_coco(arguments.data, "val") if picture.complete]
    pictures = pictures[:: arguments.every]
    rows: list[dict[str, object]] = []
    for side in SIDES:
        network = EmbeddedDetector.load(device=CPU, threshold=THRESHOLDS[0], bf16=prefers_bf16(CPU))
        network.input_spec = replace(EMBEDDED_INPUT, longer_side=side)
        found, milliseconds = look(network, pictures)
        thresholds = THRESHOLDS if side == EMBEDDED_INPUT.longer_side else (DEFAULT_THRESHOLD,)
        for threshold in thresholds:
            figures = of_boxes(found, pictures, threshold)
            rows.append({"input": side, "threshold": str(threshold)} | figures | {"CPU ms": milliseconds})
    return rows


def look(network: EmbeddedDetector, pictures: list[Picture]) -> tuple[list[tuple[Boxes, int]], int]:
    """What it finds on each picture, with the picture's height; and CPU milliseconds a picture."""
    found, seconds = [], 0.0
    for picture in pictures:
        image = read_picture(picture.path)
        started = time.process_time()
        found.append((network.detect([image])[0], image.shape[0]))
        seconds += time.process_time() - started
    return found, round(1000 * seconds / len(pictures))


def of_boxes(found: list[tuple[Boxes, int]], pictures: list[Picture], threshold: float) -> dict[str, object]:
    """AP50 of all boxes; recall by size, and precision, of those from the threshold on."""
    metric, right, kept = BoxMetric(threshold), 0, 0
    for (boxes, height), picture in zip(found, pictures, strict=True):
        people: FloatArray = np.array([p.box for p in picture.people], np.float32).reshape(-1, 4)
        crowd = np.array([p.crowd for p in picture.people], bool)
        metric.update(boxes, people, crowd, height)
        sure = boxes[boxes.scores >= threshold]
        right, kept = right + int(greedy_match(sure, people[~crowd]).sum()), kept + len(sure)
    figures = metric.compute()
    names = {"ap50": "AP50", "recall": "recall", "recall_small": "small", "recall_large": "large"}
    told: dict[str, object] = {names[name]: figures[name] for name in names}
    return told | {"precision": right / kept if kept else float("nan")}


if __name__ == "__main__":
    main()
