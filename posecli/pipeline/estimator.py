"""The way of a video through posecli: reader > detector > tracker > windows > model > poses.

Every stage is a generator over the one before it, and none holds more than a bounded number of frames: memory does not
depend on the clip's length.

Shapes: B windows, T frames of a window, F answered frames, K keypoints.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from posecli.detect.bridge import MAX_GAP, bridge_gaps
from posecli.detect.file import BoxFile
from posecli.detect.protocol import Detector
from posecli.detect.stream import detect_people, track_people
from posecli.detect.tracking import NoTracker, Tracker
from posecli.geometry.crop import apply_affine, invert_affine
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.duplicates import drop_duplicates
from posecli.pipeline.windows import (
    PersonWindow,
    Slide,
    Tracked,
    Window,
    person_windows,
    single_frames,
    windows,
)
from posecli.types import FloatArray, Frame, Poses, Tracks

DEFAULT_BATCH = 8  # windows of one person
DEFAULT_CHUNK = 8  # frames
# Windows that wait for a batch to fill: where few people are seen, memory must stay bounded all the same.
MAX_WAITING = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What shapes speed and memory, not the result."""

    batch: int = DEFAULT_BATCH  # windows that the model takes at once, over persons and frames
    chunk: int = DEFAULT_CHUNK  # frames that are read and detected at once
    bf16: bool = False


def estimate(
    frames: Iterable[Frame], people: Detector | BoxFile, tracker: Tracker, model: PoseModel, options: Options
) -> Iterator[Poses]:
    """Poses of every frame, in order; frames without people have none.

    Args:
        frames: in display order.
        people: finds them, or knows from a file where they are.
        tracker: gives identities; boxes that carry them already (from a file) keep theirs, and are left as they are.
            A NoTracker says that the pictures have nothing to do with each other: each is looked at by itself.
    """
    if isinstance(people, BoxFile):
        tracked = track_people(people.attach(frames), tracker)
    else:
        tracked = track_people(detect_people(frames, people, options.chunk), tracker)
    if isinstance(people, BoxFile) and people.has_ids:
        return estimate_tracked(tracked, model, options)
    if isinstance(tracker, NoTracker):
        return estimate_tracked(tracked, model, options, slide=single_frames)
    poses = estimate_tracked(bridge_gaps(tracked, MAX_GAP), model, options)
    return drop_duplicates(poses, model.config.joints)


def estimate_tracked(
    tracked: Iterable[Tracked], model: PoseModel | FlipTested, options: Options, slide: Slide = windows
) -> Iterator[Poses]:
    """Poses of frames whose people are known.

    Args:
        slide: how windows are laid over the frames.
    """
    config = model.config
    size = (config.input.height, config.input.width)
    keypoints = len(config.joints)
    waiting: deque[_Answer] = deque()
    batch: list[tuple[PersonWindow, _Answer]] = []
    for window in slide(tracked, config.input.frames, model.output_frames):
        answer = _Answer.of(window, keypoints)
        waiting.append(answer)
        for person in person_windows(window, size, config.input.box_scale):
            answer.missing += 1
            batch.append((person, answer))
            if len(batch) == options.batch:
                _run(model, batch, options.bf16)
                batch = []
        if batch and len(waiting) > MAX_WAITING:
            _run(model, batch, options.bf16)
            batch = []
        while waiting and not waiting[0].missing:
            yield from waiting.popleft().poses
    if batch:
        _run(model, batch, options.bf16)
    while waiting:
        yield from waiting.popleft().poses


@dataclass(slots=True)
class _Answer:
    """The poses of a window's answered frames while they are being filled in."""

    poses: list[Poses]
    missing: int = 0  # persons that the model has not yet seen
    by_index: dict[int, Poses] = field(default_factory=dict)

    @classmethod
    def of(cls, window: Window, keypoints: int) -> _Answer:
        poses = [_unknown(*window.frames[position], keypoints) for position in window.answered]
        return cls(poses, 0, {p.frame_index: p for p in poses})

    def fill(self, person: PersonWindow, points_FK2: FloatArray, scores_FK: FloatArray) -> None:
        to_picture = invert_affine(person.affine)
        for frame, position, row in zip(person.frames, person.positions, person.rows, strict=True):
            self.by_index[frame].keypoints[row] = apply_affine(to_picture, points_FK2[position])
            self.by_index[frame].scores[row] = scores_FK[position]
        self.missing -= 1


def _unknown(frame: Frame, tracks: Tracks, keypoints: int) -> Poses:
    points = np.full((len(tracks), keypoints, 2), np.nan, np.float32)
    return Poses(frame.index, frame.time_s, tracks, points, points[..., 0].copy(), frame.name)


@torch.inference_mode()
def _run(model: PoseModel | FlipTested, batch: list[tuple[PersonWindow, _Answer]], bf16: bool) -> None:
    device = next(model.parameters()).device
    images_BTHWC = torch.from_numpy(np.stack([person.crops for person, _ in batch])).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        heatmaps_BFKHW = model(images_BTHWC)
    points_BFK2, scores_BFK = (values.float().cpu().numpy() for values in model.keypoints(heatmaps_BFKHW))
    for (person, answer), points_FK2, scores_FK in zip(batch, points_BFK2, scores_BFK, strict=True):
        answer.fill(person, points_FK2, scores_FK)
