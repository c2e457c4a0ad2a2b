"""Whole files of poses and boxes, in every format: what is then harmed."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.fuzz.videos import CLIP, FRAMES, HEIGHT, WIDTH
from posecli.formats import open_writer
from posecli.formats.boxes import BoxWriter
from posecli.formats.smoothed import open_smoothed_writer
from posecli.skeletons import COCO
from posecli.smooth import make_chain, smooth
from posecli.types import Boxes, Frame, Poses, Tracks, VideoInfo

VIDEO = VideoInfo(CLIP, WIDTH, HEIGHT, 25.0, "1/1000", FRAMES)
SUFFIXES = {
    "npz": ".npz",
    "deeplabcut-h5": ".h5",
    "trc": ".trc",
    "parquet": ".parquet",
    "parquet-wide": ".parquet",
}


@cache
def seed(format: str) -> bytes:
    """A whole file of two people on a few pictures; of OpenPose's folder, the first picture's."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"poses{SUFFIXES.get(format, '')}"
        if format == "boxes":
            _write_boxes(path)
            return path.read_bytes()
        with open_writer(path, format, video=VIDEO, skeleton=COCO, provenance={"tool": "fuzz"}) as writer:
            for index in range(FRAMES):
                writer.write(_people(index))
        return (sorted(path.iterdir())[0] if path.is_dir() else path).read_bytes()


@cache
def smoothed_seed(format: str) -> bytes:
    """The same, smoothed, in a format that keeps the raw keypoints beside."""
    frames = smooth([_people(index) for index in range(FRAMES)], make_chain(["hampel"]))
    provenance = {"tool": "fuzz", "smoothing": {}}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"poses{SUFFIXES.get(format, '')}"
        with open_smoothed_writer(path, format, video=VIDEO, skeleton=COCO, provenance=provenance) as writer:
            for poses in frames:
                writer.write(poses)
        return path.read_bytes()


def _people(index: int) -> Poses:
    rng = np.random.default_rng(index)
    boxes = np.array([[2, 3, 30, 40], [20, 5, 60, 46]], np.float32)
    tracks = Tracks(np.array([1, 2]), boxes, np.array([0.9, 0.7], np.float32))
    keypoints = rng.uniform(2, 46, (2, len(COCO), 2)).astype(np.float32)
    return Poses(index, index / 25, tracks, keypoints, rng.random((2, len(COCO))).astype(np.float32))


def _write_boxes(path: Path) -> None:
    with BoxWriter(path, video=VIDEO, provenance={}) as writer:
        for index in range(FRAMES):
            tracks = _people(index).tracks
            frame = Frame(index, index / 25, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
            writer.write(frame, Boxes(tracks.xyxy, tracks.scores))
