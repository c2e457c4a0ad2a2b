"""Validation people shown to the model's parts and to Thunder: clips as windows, stills each by itself.

Shapes: n sightings, K keypoints.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from benchmarks.quality.networks import THUNDER, Networks
from benchmarks.quality.sightings import Bools, Sighting, Sightings, clip_sightings, still_sightings
from posecli.data.clips import Clip
from posecli.data.people import Picture
from posecli.pipeline.windows import Slide, Tracked, single_frames, windows
from posecli.teachers.movenet import SquareCrop, Thunder
from posecli.types import FloatArray, Frame, Tracks
from posecli.video import open_source
from posecli.video.pictures import read_picture

BLOCK = 10  # consecutive frames of a clip: two windows of glsmamba-t
Points = dict[str, FloatArray]  # method -> (n, K, 2) pixels


@dataclass(frozen=True, slots=True)
class Looked:
    """People, and where each method saw their keypoints."""

    sightings: Sightings
    points: Points

    def __getitem__(self, chosen: Bools) -> Looked:
        """chosen: (n,)."""
        fields = (getattr(self.sightings, name)[chosen] for name in Sightings.__slots__)
        return Looked(Sightings(*fields), {method: points[chosen] for method, points in self.points.items()})


def join(parts: Sequence[Looked]) -> Looked:
    fields = (np.concatenate([getattr(p.sightings, name) for p in parts]) for name in Sightings.__slots__)
    points = {method: np.concatenate([p.points[method] for p in parts]) for method in parts[0].points}
    return Looked(Sightings(*fields), points)


@dataclass(frozen=True, slots=True)
class Lookers:
    """Who looks.

    Args:
        networks: ours.
        thunder: its file, and the folder where its answers are kept; None: it is not there.
    """

    networks: Networks
    thunder: KeptThunder | None

    def at_stills(self, pictures: Sequence[Picture]) -> Looked:
        sightings = still_sightings(pictures)
        places = _by_frame(sightings)

        def stream() -> Iterator[Tracked]:
            for place, group in places.items():
                yield Frame(place, 0.0, read_picture(pictures[place].path)), _tracks(group)

        named = "".join(f"{pictures[place].group}/{pictures[place].path.name}" for place in places)
        return self._look(sightings, stream, single_frames, named.encode())

    def at_clip(self, clip: Clip, every: int) -> Looked:
        """The people of one block of frames out of `every`; the frames between are only seen as neighbours."""
        sightings = clip_sightings(clip, BLOCK, every)
        places = _by_frame(sightings)

        def stream() -> Iterator[Tracked]:
            with open_source(clip.path) as source:
                for frame in source.frames():
                    yield frame, _tracks(places.get(frame.index, []))

        return self._look(sightings, stream, windows, clip.path.read_bytes())

    def _look(
        self, sightings: list[Sighting], stream: Callable[[], Iterator[Tracked]], slide: Slide, pixels: bytes
    ) -> Looked:
        """pixels: stands for the pictures' content: what Thunder said of the same is not asked again."""
        arrays = Sightings.of(sightings)
        seen = self.networks.locate(stream(), slide)
        keys = list(zip(arrays.frame.tolist(), arrays.track_id.tolist(), strict=True))
        points_MnK2 = np.stack([seen[key] for key in keys], axis=1)
        points = dict(zip(self.networks.methods, points_MnK2, strict=True))
        if self.thunder is not None:
            points[THUNDER] = self.thunder.locate(arrays, stream, pixels)
        return Looked(arrays, points)


def _by_frame(sightings: list[Sighting]) -> dict[int, list[Sighting]]:
    return {frame: list(group) for frame, group in groupby(sightings, key=lambda sighting: sighting.frame)}


def _tracks(sightings: list[Sighting]) -> Tracks:
    if not sightings:
        return Tracks.empty()
    ids = np.array([sighting.track_id for sighting in sightings], np.int64)
    boxes = np.stack([sighting.person.box for sighting in sightings])
    return Tracks(ids, boxes, np.ones(len(ids), np.float32))


@dataclass(frozen=True, slots=True)
class KeptThunder:
    """MoveNet Thunder, one pass over its own square crop of the same box; its answers are kept in a folder."""

    file: Path
    folder: Path

    def locate(
        self, sightings: Sightings, stream: Callable[[], Iterator[Tracked]], pixels: bytes
    ) -> FloatArray:
        """(n, K, 2) pixels of the picture, in the sightings' order."""
        order = (sightings.frame, sightings.track_id, sightings.box)
        digest = hashlib.sha256(self.file.read_bytes() + pixels)
        for array in order:
            digest.update(np.ascontiguousarray(array).tobytes())
        kept = self.folder / f"thunder-answers-{digest.hexdigest()[:16]}.npy"
        if kept.is_file():
            return np.load(kept)
        teacher = Thunder(self.file)
        # The stream has the sightings' order: by frame, and within it as they are listed.
        answers = [
            _ask(teacher, frame, tracks.xyxy) for frame, tracks in stream() if len(tracks)
        ]  # one (m, K, 2) a frame
        points_nK2 = np.concatenate(answers).astype(np.float32)
        part = kept.with_suffix(f".{os.getpid()}.part.npy")
        self.folder.mkdir(parents=True, exist_ok=True)
        np.save(part, points_nK2)
        part.replace(kept)
        return points_nK2


def _ask(teacher: Thunder, frame: Frame, boxes: FloatArray) -> FloatArray:
    squares = [SquareCrop.around(box) for box in boxes]
    cells_mK2 = teacher(np.stack([square.cut(frame.image) for square in squares])).keypoints
    return np.stack([sq.corner + points * sq.cell for sq, points in zip(squares, cells_mK2, strict=True)])
