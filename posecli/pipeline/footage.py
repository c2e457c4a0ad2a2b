"""Poses of a dataset's labelled frames: footage > boxes > windows around keyframes > model > poses.

A keyframe is a labelled frame. Its window is the frames around it, cut out with the keyframe's own box; where the
sequence ends, the nearest frame is repeated. A model that answers for every frame of a window is asked for the
middle one too: its neighbours have windows (and boxes) of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

from posecli.data.footage import Footage
from posecli.data.recent import RecentPictures
from posecli.formats.base import convert_poses
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.estimator import estimate_tracked
from posecli.pipeline.options import Options
from posecli.pipeline.windows import Tracked, Window, single_frames
from posecli.types import Frame, Poses, Tracks


class FootageFrames:
    """Random access to a sequence's frames; the last ones stay decoded."""

    def __init__(self, footage: Footage, recent: RecentPictures) -> None:
        self.footage, self._recent = footage, recent

    def __len__(self) -> int:
        return len(self.footage)

    def __getitem__(self, index: int) -> Frame:
        """The frame at a place, decoded now or lately.

        Raises:
            PosecliError: the picture is missing or damaged.
        """
        image = self._recent.get(index, partial(self.footage.image, index))
        return Frame(index, index / self.footage.frame_rate, image, name=self.footage.frames[index].name)


class PeopleSource(Protocol):
    """Knows, or finds, the people of a sequence."""

    def locate(self, frames: FootageFrames, keyframes: Sequence[int]) -> Iterator[Tracked]:
        """Every keyframe, in order, with its people; ids differ within a frame."""


def pose_footage(
    footage: Footage,
    people: PeopleSource,
    model: PoseModel | FlipTested,
    options: Options,
    *,
    stills: bool = False,
) -> Iterator[Poses]:
    """The poses of a sequence's labelled frames, in order, in the footage's skeleton.

    Poses.frame_index is the place in footage.frames, Poses.name the frame's name there. Joints that the model's
    skeleton lacks are NaN, or derived (posecli.skeletons.convert).

    Args:
        stills: the pictures have nothing to do with each other; a window is one picture, repeated.

    Raises:
        PosecliError: a picture is missing or damaged.
    """
    keyframes = [index for index, frame in enumerate(footage.frames) if frame.labelled]
    frames = FootageFrames(footage, RecentPictures())

    def around_keyframes(
        stream: Iterable[Tracked], length: int, outputs: tuple[int, ...]
    ) -> Iterator[Window]:
        return keyframe_windows(stream, frames, length, outputs)

    located = people.locate(frames, keyframes)
    slide = single_frames if stills else around_keyframes
    for poses in estimate_tracked(located, model, options, slide=slide):
        yield convert_poses(poses, model.config.joints, footage.skeleton)


def keyframe_windows(
    stream: Iterable[Tracked], frames: FootageFrames, length: int, outputs: tuple[int, ...]
) -> Iterator[Window]:
    """One window a keyframe, answered in the middle.

    Args:
        stream: the keyframes with their people.
        length: frames of a window.
        outputs: positions in the window that the model answers for.
    """
    middle = length // 2
    last = len(frames) - 1
    for keyframe in stream:
        places = [min(max(keyframe[0].index + step - middle, 0), last) for step in range(length)]
        window = [(frames[place], Tracks.empty()) for place in places]
        window[middle] = keyframe
        yield Window(window, (middle,), outputs[0])
