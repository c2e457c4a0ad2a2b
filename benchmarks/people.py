"""Whether everyone in labelled clips is found and followed, and how near the keypoints are to the labels.

    python benchmarks/people.py POSES_FOLDER LABELS_FOLDER [--min-height 0.25]

POSES_FOLDER has NAME.json (or .csv) of `posecli estimate`, LABELS_FOLDER has NAME.json in the `clips` layout. For
every labelled person taller than --min-height of the picture on at least half of the clip's frames: the share of its
frames on which one and the same track lies on it (IoU at least 0.5), the number of tracks it was split into, the share
of its keypoints within a tenth of its box height, and the mean second difference of keypoints (jitter), in box heights.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from posecli.data.people import Person
from posecli.formats import read_poses
from posecli.metrics.boxes import iou
from posecli.types import Poses

MIN_IOU = 0.5
PCK = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("poses", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--min-height", type=float, default=0.25)
    arguments = parser.parse_args()
    hits = total = 0
    print(f"{'clip':40s} person frames covered tracks pck@0.1 jitter")
    for file in sorted(arguments.labels.glob("*.json")):
        matches = [
            path for path in arguments.poses.glob(f"{file.stem}.*") if path.suffix in (".json", ".csv")
        ]
        if not matches:
            continue
        recording = read_poses(matches[0])
        poses = {frame.frame_index: frame for frame in recording.frames}
        for track_id, track in load_tracks(file).items():
            least = arguments.min_height * recording.video.height
            tall = [frame for frame, person in track.items() if person.box[3] - person.box[1] > least]
            if len(tall) * 2 < len(recording.frames):
                continue
            covered, tracks, near, jitter = follow(track, poses)
            hits, total = hits + near.sum(), total + len(near)
            share = f"{near.mean():7.3f}" if len(near) else "      -"
            print(
                f"{file.stem:40s} {track_id:6d} {len(track):6d} {covered:7.2f} {tracks:6d} {share} {jitter:.4f}"
            )
    print(f"all keypoints of these people: pck@0.1 {hits / max(total, 1):.3f} ({total} keypoints)")


def load_tracks(file: Path) -> dict[int, dict[int, Person]]:
    """track id -> frame -> person."""
    from posecli.data.clips import load_clip

    return load_clip(file).tracks()


def follow(track: dict[int, Person], poses: dict[int, Poses]) -> tuple[float, int, np.ndarray, float]:
    """Share of frames under the most frequent id, number of ids, hit or miss of each keypoint, jitter."""
    ids: list[int] = []
    near: list[np.ndarray] = []
    points: dict[int, np.ndarray] = {}
    for frame, person in track.items():
        people = poses.get(frame)
        if people is None or len(people) == 0:
            continue
        overlap = iou(person.box, people.tracks.xyxy)
        best = int(np.argmax(overlap))
        if overlap[best] < MIN_IOU:
            continue
        ids.append(int(people.tracks.ids[best]))
        height = person.box[3] - person.box[1]
        labelled = person.labelled > 0
        distance = np.linalg.norm(people.keypoints[best] - person.keypoints, axis=-1) / height
        near.append(distance[labelled] <= PCK)
        points[frame] = people.keypoints[best] / height
    covered = max(Counter(ids).values(), default=0) / len(track)
    return covered, len(set(ids)), np.concatenate(near) if near else np.zeros(0), second_difference(points)


def second_difference(points: dict[int, np.ndarray]) -> float:
    """Mean length of the second difference over three consecutive frames; NaN where there are none."""
    triples = [(f - 1, f, f + 1) for f in points if f - 1 in points and f + 1 in points]
    if not triples:
        return float("nan")
    return float(
        np.mean([np.linalg.norm(points[a] - 2 * points[b] + points[c], axis=-1) for a, b, c in triples])
    )


if __name__ == "__main__":
    main()
