"""Draws one labelled track of a clip, twelve frames of it on a sheet: does the label stay with one person?

    python -m benchmarks.label_sheet LABELS_FOLDER/NAME.json TRACK_ID -o SHEET.png

Labels made by programs pass from one person to the next at times; no tracker can follow such a track. Prints how far
the box's middle strays from a point of the background, in its own widths (a seated person's does not), the camera's
motion being that of posecli.detect.camera.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.people import load_tracks
from posecli.data.people import Person
from posecli.detect.camera import CameraMotion
from posecli.types import FloatArray, Image
from posecli.video import open_source

COLUMNS, ROWS = 3, 4
TILE_WIDTH = 480  # pixels
YELLOW = (255, 255, 0)
NOBODY = np.zeros((0, 4), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("track", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    track = load_tracks(arguments.labels)[arguments.track]
    frames = sorted(track)
    shown = [frames[round(i)] for i in np.linspace(0, len(frames) - 1, COLUMNS * ROWS)]
    tiles, middles = _watch(arguments.labels.with_suffix(".mp4"), track, shown)
    width = float(np.mean([person.box[2] - person.box[0] for person in track.values()]))
    stray = float(np.ptp(middles)) / width
    print(
        f"track {arguments.track}: {len(frames)} frames, strays {stray:.1f} of its widths over the background"
    )
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(arguments.output), np.vstack(rows)[..., ::-1])


def _watch(clip: Path, track: dict[int, Person], shown: Sequence[int]) -> tuple[list[Image], list[float]]:
    """The frames to show, and on every labelled frame the box's middle (x) as seen from the first frame's camera."""
    tiles: list[Image] = []
    middles: list[float] = []
    camera, to_first = CameraMotion(), np.eye(3)
    with open_source(clip) as source:
        for frame in source.frames():
            step = np.vstack([camera.estimate(frame.image, NOBODY), [0, 0, 1]])
            to_first = to_first @ np.linalg.inv(step)
            if frame.index not in track:
                continue
            box = track[frame.index].box
            middles.append(float((to_first @ [*(box[:2] + box[2:]) / 2, 1])[0]))
            tiles += [_tile(frame.image, box, frame.index)] * list(shown).count(frame.index)
    return tiles, middles


def _tile(image: Image, box: FloatArray, index: int) -> Image:
    drawn = image.copy()
    x0, y0, x1, y1 = (round(float(side)) for side in box)
    cv2.rectangle(drawn, (x0, y0), (x1, y1), YELLOW, 2)
    cv2.putText(drawn, str(index), (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.7, YELLOW, 2)
    height = round(TILE_WIDTH * image.shape[0] / image.shape[1])
    return np.asarray(cv2.resize(drawn, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    main()
