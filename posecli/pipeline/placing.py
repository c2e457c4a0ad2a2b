"""Poses and boxes of a part of a video, and of the whole: from the coordinates of one to those of the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from posecli.detect.file import BoxFile
from posecli.types import Boxes, Frame, Poses, SmoothedPoses, Tracks
from posecli.video.source import Place


def placed(stream: Iterable[Poses], place: Place) -> Iterator[Poses]:
    """Poses of the part, by the frame numbers and in the pixels of the whole."""
    offset = np.array([place.x, place.y], np.float32)
    for poses in stream:
        tracks = replace(poses.tracks, xyxy=poses.tracks.xyxy + np.tile(offset, 2))
        index = place.index(poses.frame_index)
        moved = replace(poses, frame_index=index, tracks=tracks, keypoints=poses.keypoints + offset)
        if isinstance(moved, SmoothedPoses):
            moved = replace(moved, raw_keypoints=moved.raw_keypoints + offset)
        yield moved


class PlacedBoxFile(BoxFile):
    """Boxes of the whole video, for the frames of its part."""

    def __init__(self, boxes: BoxFile, place: Place) -> None:
        self.__dict__.update(vars(boxes))
        self._place = place

    def at(self, frame: Frame) -> Boxes | Tracks:
        found = super().at(replace(frame, index=self._place.index(frame.index)))
        offset = np.array([self._place.x, self._place.y] * 2, np.float32)
        return replace(found, xyxy=found.xyxy - offset)
