"""Labelled clips: the `clips` layout (a video and a JSON of the same name, side by side).

Layout, below the dataset's folder:
    clips/{train,val}/NAME.mp4    the video
    clips/{train,val}/NAME.json   images[].frame (index from 0), annotations with track_id

Frames are decoded once, into one memory-mapped array a clip in a cache folder: training reads them at random, and no
process ever holds a clip.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from posecli.data.footage import Footage, FootageFrame, tracks_of
from posecli.data.packed import PackedPeople
from posecli.data.people import Person, group_people, read_json
from posecli.errors import PosecliError
from posecli.skeletons import COCO
from posecli.types import Image


@dataclass(frozen=True, slots=True)
class Clip:
    """A video and everyone labelled in it."""

    path: Path
    people: dict[int, tuple[Person, ...]]  # by frame index; frames without people are left out
    frame_count: int  # up to the last labelled one
    image_ids: Mapping[int, int] = field(default_factory=dict)  # the JSON's, by frame index

    @property
    def name(self) -> str:
        return self.path.stem

    def tracks(self) -> dict[int, dict[int, Person]]:
        """track id -> frame index -> person; regions to ignore are no tracks."""
        return tracks_of(self.people)


def load_clips(folder: Path, split: str) -> list[Clip]:
    """The clips of one split, sorted by name.

    Raises:
        PosecliError: the layout is not there; says what was looked for.
    """
    root = folder / "clips" / split
    files = sorted(root.glob("*.json"))
    if not files:
        raise PosecliError(
            f"{folder}: no clips for split '{split}'; looked for clips/{split}/NAME.json with NAME.mp4"
        )
    return [load_clip(file) for file in files]


def load_clip(file: Path) -> Clip:
    data = read_json(file)
    try:
        frame_of = {image["id"]: int(image["frame"]) for image in data["images"]}
        people = {
            frame_of[image_id]: tuple(group) for image_id, group in group_people(data["annotations"]).items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise PosecliError(f"{file}: not a labelled clip ({type(error).__name__}: {error})") from None
    video = file.with_suffix(".mp4")
    if not video.is_file():
        raise PosecliError(f"{video}: not there; {file.name} labels it")
    image_ids = {frame: image_id for image_id, frame in frame_of.items()}
    return Clip(video, people, max(image_ids, default=-1) + 1, image_ids)


def clip_footage(clip: Clip, cache: Path) -> Footage:
    """A clip as footage. Its frames are labelled where the JSON lists them; the others have negative image ids.

    Args:
        cache: folder for the decoded frames (see ClipFrames).
    """
    frames = tuple(
        FootageFrame(
            clip.path,
            f"{clip.path.parent.name}/{clip.name}/{index:06d}.jpg",
            clip.image_ids.get(index, -1 - index),
            index in clip.image_ids,
        )
        for index in range(clip.frame_count)
    )
    return Footage(
        clip.name,
        COCO,
        frames,
        PackedPeople(clip.people),
        {},
        clip.path.with_suffix(".json"),
        pictures=ClipFrames(clip, cache),
    )


class ClipFrames:
    """Random access to a clip's frames through a cache of decoded ones.

    Args:
        clip: the clip.
        cache: folder for the decoded frames, one .npy file a clip (width x height x 3 bytes a frame).
    """

    def __init__(self, clip: Clip, cache: Path) -> None:
        self._path, self._frame_count = clip.path, clip.frame_count
        self._file = cache / f"{clip.path.parent.name}-{clip.name}.npy"
        self._frames: np.ndarray | None = None

    def __getitem__(self, index: int) -> Image:
        if self._frames is None:
            if not self._file.is_file():
                self._decode()
            self._frames = np.load(self._file, mmap_mode="r")
        return np.asarray(self._frames[index])

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which maps the file itself."""
        return self.__dict__ | {"_frames": None}

    def _decode(self) -> None:
        from posecli.video import open_source

        self._file.parent.mkdir(parents=True, exist_ok=True)
        # Another worker may decode the same clip: each writes its own file, and the last one moved in stands.
        part = self._file.with_suffix(f".{os.getpid()}.part")
        with open_source(self._path) as source:
            shape = (self._frame_count, source.info.height, source.info.width, 3)
            frames = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
            count = 0
            for frame in islice(source.frames(), self._frame_count):
                frames[frame.index] = frame.image
                count += 1
        frames.flush()
        if count < self._frame_count:
            part.unlink()
            raise PosecliError(f"{self._path}: has {count} frames, but {self._frame_count} are labelled")
        part.replace(self._file)
