"""What filters do to accuracy and to jitter, on labelled clips.

    python benchmarks/smoothing.py POSES_FOLDER LABELS_FOLDER [--filter CHAIN ...]

POSES_FOLDER has NAME.json (or another pose file) of `posecli estimate`, LABELS_FOLDER has NAME.json in the `clips`
layout. An estimated person belongs to the labelled one whose box they overlap most (IoU at least 0.5), by the raw
poses: every chain is measured on the same people. A chain is spelled as for `posecli smooth --filter`, with + between
its filters. For each: the share of labelled keypoints within 0.05 and 0.1 of the labelled box's height, the mean
distance, and jitter, the mean length of the second difference over three frames of one track, all in box heights;
on the labelled keypoints that are fast (the upper tenth by speed), the share within 0.05. The first row is the labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posecli.data.clips import load_clip
from posecli.data.people import Person
from posecli.formats import read_poses
from posecli.metrics.boxes import iou
from posecli.smooth import make_chain, smooth
from posecli.types import Poses

MIN_IOU = 0.5
NEAR, NEARER = 0.1, 0.05  # box heights
FAST_SHARE = 0.1
CHAINS = (
    "none",
    "hampel",
    "hampel:window=7",
    "hampel:window=9",
    "median:window=3",
    "median:window=5",
    "savitzky-golay:window=5,weighted=false",
    "savitzky-golay:window=5",
    "savitzky-golay:window=7,weighted=false",
    "savitzky-golay:window=7",
    "savitzky-golay:window=9",
    "savitzky-golay:window=11",
    "butterworth:cutoff=8",
    "butterworth:cutoff=6",
    "butterworth:cutoff=5",
    "butterworth:cutoff=4",
    "butterworth:cutoff=3",
    "one-euro:min_cutoff=1,beta=10",
    "one-euro:min_cutoff=4,beta=10",
    "one-euro:min_cutoff=4,beta=30",
    "one-euro:min_cutoff=1,beta=50",
    "one-euro:min_cutoff=1,beta=100",
    "hampel+one-euro",
    "hampel+savitzky-golay:window=5",
    "hampel+savitzky-golay:window=7",
    "hampel+savitzky-golay:window=9",
    "hampel+butterworth:cutoff=8",
    "hampel+butterworth:cutoff=6",
    "hampel+butterworth:cutoff=5",
    "hampel+butterworth:cutoff=4",
    "fill+hampel+butterworth",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A labelled person on a frame, and the estimated one that lies on them."""

    place: int
    row: int
    track_id: int
    person: Person

    @property
    def height(self) -> float:
        return float(self.person.box[3] - self.person.box[1])


@dataclass(frozen=True, slots=True)
class Clip:
    frames: list[Poses]
    frame_rate: float | None
    tracks: list[dict[int, Seen]]  # of every labelled person, by frame index


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("poses", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--filter", nargs="+", default=CHAINS, help="chains, filters with + between them")
    arguments = parser.parse_args()
    clips = list(load(arguments.poses, arguments.labels))
    print("| filters | PCK@0.05 | PCK@0.1 | mean error | jitter | fast PCK@0.05 |")
    print("|---|---|---|---|---|---|")
    jitter = np.concatenate([label_jitter(clip) for clip in clips])
    print(f"| the labels themselves | | | | {jitter.mean():.4f} | |")
    for text in arguments.filter:
        filters = [] if text == "none" else text.split("+")
        smoothed = [smooth(clip.frames, make_chain(filters), frame_rate=clip.frame_rate) for clip in clips]
        print(row(text, clips, smoothed), flush=True)


def load(poses: Path, labels: Path) -> Iterator[Clip]:
    for file in sorted(poses.glob("[!.]*")):
        if not (labels / f"{file.stem}.json").is_file():
            continue
        recording = read_poses(file)
        tracks = load_clip(labels / f"{file.stem}.json").tracks().values()
        yield Clip(recording.frames, recording.video.frame_rate, [match(t, recording.frames) for t in tracks])


def match(track: dict[int, Person], frames: Sequence[Poses]) -> dict[int, Seen]:
    seen = {}
    for place, poses in enumerate(frames):
        person = track.get(poses.frame_index)
        if person is None or not len(poses):
            continue
        overlap = iou(person.box, poses.tracks.xyxy)
        best = int(np.argmax(overlap))
        if overlap[best] >= MIN_IOU:
            seen[poses.frame_index] = Seen(place, best, int(poses.tracks.ids[best]), person)
    return seen


def row(text: str, clips: Sequence[Clip], smoothed: Sequence[Sequence[Poses]]) -> str:
    distances, speeds, jitter = [], [], []
    for clip, frames in zip(clips, smoothed, strict=True):
        for track in clip.tracks:
            for frame, seen in track.items():
                points = frames[seen.place].keypoints[seen.row]
                labelled = seen.person.labelled > 0
                distance = np.linalg.norm(points - seen.person.keypoints, axis=-1) / seen.height
                distances.append(distance[labelled])
                speeds.append(label_speed(track, frame)[labelled])
            jitter.append(second_differences(track, frames))
    distance, speed = np.concatenate(distances), np.concatenate(speeds)
    is_fast = speed >= np.nanquantile(speed, 1 - FAST_SHARE)
    figures = [
        f"{(distance <= NEARER).mean():.4f}",
        f"{(distance <= NEAR).mean():.4f}",
        f"{distance.mean():.4f}",
        f"{np.concatenate(jitter).mean():.4f}",
        f"{(distance[is_fast] <= NEARER).mean():.4f}",
    ]
    return f"| {text} | {' | '.join(figures)} |"


def second_differences(track: dict[int, Seen], frames: Sequence[Poses]) -> np.ndarray:
    """Of all estimated keypoints where one track lies on the person on three frames in a row, in box heights."""
    found = [np.zeros(0)]
    for frame, middle in track.items():
        three = [track.get(frame - 1), middle, track.get(frame + 1)]
        if any(seen is None or seen.track_id != middle.track_id for seen in three):
            continue
        a, b, c = (frames[seen.place].keypoints[seen.row] for seen in three if seen is not None)
        found.append(np.linalg.norm(a - 2 * b + c, axis=-1) / middle.height)
    return np.concatenate(found)


def label_jitter(clip: Clip) -> np.ndarray:
    """The same of the labels, of keypoints that are labelled on all three frames."""
    found = [np.zeros(0)]
    for track in clip.tracks:
        for frame, middle in track.items():
            if frame - 1 in track and frame + 1 in track:
                three = [track[frame - 1].person, middle.person, track[frame + 1].person]
                labelled = np.all([person.labelled > 0 for person in three], axis=0)
                a, b, c = (person.keypoints for person in three)
                found.append((np.linalg.norm(a - 2 * b + c, axis=-1) / middle.height)[labelled])
    return np.concatenate(found)


def label_speed(track: dict[int, Seen], frame: int) -> np.ndarray:
    """(K,) box heights a frame, from the frames before and after; NaN where there are no labels."""
    if frame - 1 not in track or frame + 1 not in track:
        return np.full(len(track[frame].person.labelled), np.nan)
    before, after = track[frame - 1].person, track[frame + 1].person
    speed = np.linalg.norm(after.keypoints - before.keypoints, axis=-1) / 2 / track[frame].height
    return np.where((before.labelled > 0) & (after.labelled > 0), speed, np.nan)


if __name__ == "__main__":
    main()
