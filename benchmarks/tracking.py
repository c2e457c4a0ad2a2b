"""Compares the trackers on labelled clips: IDF1, MOTA, identity switches, milliseconds a picture.

    python benchmarks/tracking.py --boxes boxes/*.json --labels labels/*.json --videos clips/*.mp4

A clip's three files share the stem of their names. Boxes: any file that posecli reads with --boxes. Labels:
COCO dataset style with `images` (id, frame), `annotations` (image_id, bbox, track_id) and `info.fps`.

Labels rarely hold everybody on a picture. So a box that covers no labelled person (IoU below 0.5) is left out
before the scoring; with --strict it counts as a false positive. Needs `pip install motmetrics`, which posecli
itself does not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import motmetrics
import numpy as np

from posecli.detect.bridge import MAX_GAP, bridge_gaps, iou
from posecli.detect.tracking import DEFAULT_THRESHOLD, TRACKER_NAMES, make_tracker
from posecli.formats.boxes import read_boxes
from posecli.types import Boxes, Frame, Tracks
from posecli.video import open_source

MATCH_IOU = 0.5
METRICS = ["idf1", "mota", "num_switches", "num_fragmentations", "num_false_positives", "num_misses"]


@dataclass(frozen=True)
class Clip:
    name: str
    frame_rate: float
    count: int  # pictures
    boxes: dict[int, Boxes]
    people: dict[int, list[tuple[int, np.ndarray]]]  # by picture: track_id, corners
    video: Path

    def frames(self) -> Iterator[Frame]:
        with open_source(self.video) as source:
            yield from source.frames()


def load_clip(boxes: Path, labels: Path, video: Path) -> Clip:
    document = json.loads(labels.read_text())
    frame_of = {image["id"]: image["frame"] for image in document["images"]}
    people: dict[int, list[tuple[int, np.ndarray]]] = {}
    for annotation in document["annotations"]:
        x, y, width, height = annotation["bbox"]
        corners = np.array([x, y, x + width, y + height], np.float32)
        people.setdefault(frame_of[annotation["image_id"]], []).append((annotation["track_id"], corners))
    found = {index: Boxes(people_of.xyxy, people_of.scores) for index, people_of in read_boxes(boxes).items()}
    count = max(frame_of.values()) + 1
    return Clip(labels.stem, document["info"]["fps"], count, found, people, video)


class Timed:
    """A tracker and the seconds it took."""

    def __init__(self, name: str, clip: Clip, threshold: float) -> None:
        self.tracker = make_tracker(name, clip.frame_rate, threshold=threshold)
        self.seconds = 0.0

    def run(self, clip: Clip) -> Iterator[tuple[Frame, Tracks]]:
        for frame in clip.frames():
            boxes = clip.boxes.get(frame.index, Boxes.empty())
            start = time.perf_counter()
            tracks = self.tracker.update(boxes, frame)
            self.seconds += time.perf_counter() - start
            yield frame, tracks


def score(clip: Clip, stream: Iterable[tuple[Frame, Tracks]], strict: bool) -> motmetrics.MOTAccumulator:
    accumulator = motmetrics.MOTAccumulator()
    for frame, tracks in stream:
        people = clip.people.get(frame.index, [])
        overlap = np.array([[iou(corners, box) for box in tracks.xyxy] for _, corners in people])
        overlap = overlap.reshape(len(people), len(tracks))
        distance = np.where(overlap >= MATCH_IOU, 1 - overlap, np.nan)
        counts = np.full(len(tracks), True) if strict else (overlap >= MATCH_IOU).any(axis=0)
        accumulator.update(
            [track_id for track_id, _ in people],
            tracks.ids[counts].tolist(),
            distance[:, counts],
            frame.index,
        )
    return accumulator


def evaluate(clips: list[Clip], name: str, threshold: float, gap: int | None, strict: bool) -> str:
    accumulators, seconds = [], 0.0
    for clip in clips:
        tracker = Timed(name, clip, threshold)
        stream = tracker.run(clip)
        accumulators.append(score(clip, bridge_gaps(stream, gap) if gap is not None else stream, strict))
        seconds += tracker.seconds
    table = motmetrics.metrics.create().compute_many(accumulators, metrics=METRICS, generate_overall=True)
    idf1, mota, *counts = table.loc["OVERALL"]
    milliseconds = 1000 * seconds / sum(clip.count for clip in clips)
    cells = [name if gap is None else f"{name}, gaps bridged", f"{idf1:.3f}", f"{mota:.3f}"]
    return " | ".join(["", *cells, *(str(int(count)) for count in counts), f"{milliseconds:.1f}", ""]).strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--boxes", nargs="+", type=Path, required=True)
    parser.add_argument("--labels", nargs="+", type=Path, required=True)
    parser.add_argument("--videos", nargs="+", type=Path, required=True)
    parser.add_argument(
        "--threshold", type=float, default=DEFAULT_THRESHOLD, help="the detector's, of the boxes' files"
    )
    parser.add_argument("--trackers", nargs="+", choices=TRACKER_NAMES, default=list(TRACKER_NAMES))
    parser.add_argument(
        "--max-gap", type=int, default=MAX_GAP, help="pictures, for the rows with gaps bridged"
    )
    parser.add_argument("--strict", action="store_true", help="count boxes on unlabelled people as false")
    options = parser.parse_args()
    labels = {path.stem: path for path in options.labels}
    videos = {path.stem: path for path in options.videos}
    clips = [load_clip(path, labels[path.stem], videos[path.stem]) for path in sorted(options.boxes)]
    print("| tracker | IDF1 | MOTA | switches | fragments | false | missed | ms a picture |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.trackers:
        print(evaluate(clips, name, options.threshold, None, options.strict))
        if name != "none":
            print(evaluate(clips, name, options.threshold, options.max_gap, options.strict))


if __name__ == "__main__":
    main()
