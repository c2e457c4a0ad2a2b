"""Made-up poses for the tests of this room, and what it means that two recordings are the same."""

from pathlib import Path

import numpy as np

from posecli.formats import open_writer
from posecli.skeletons import COCO, SKELETONS, Skeleton
from posecli.types import Poses, Recording, Tracks, VideoInfo

VIDEO = VideoInfo("folder/clip.mp4", 640, 360, 29.97, "1/30000", 6)
PROVENANCE = {
    "tool": "posecli 0",
    "model": "é",
    "weights_sha256": "ab",
    "arguments": {"stride": 1, "to": None},
}
COUNTS = (2, 0, 3, 1, 0)  # people on each picture: one is empty amid the others, one is the last


def random_poses(skeleton: Skeleton = COCO, *, named: bool = False, seed: int = 0) -> list[Poses]:
    """Random people, some keypoints of whom are missing; one has none at all, and one has one at (0, 0)."""
    rng = np.random.default_rng(seed)
    frames = []
    for index, count in enumerate(COUNTS):
        keypoints = rng.uniform(-20, 660, (count, len(skeleton), 2)).astype(np.float32)
        scores = rng.random((count, len(skeleton))).astype(np.float32)
        missing = rng.random((count, len(skeleton))) < 0.2
        if index == 2:
            missing[1] = True
            missing[0, 0], keypoints[0, 0] = False, 0
        keypoints[missing], scores[missing] = np.nan, np.nan
        corners = rng.uniform(0, 300, (count, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(0, 300, (count, 2))], axis=1).astype(
            np.float32
        )
        tracks = Tracks(rng.permutation(9)[:count] + 1, boxes, rng.random(count).astype(np.float32))
        name = f"{index + 1:08d}.jpg" if named else None
        frames.append(Poses(index, index / 29.97, tracks, keypoints, scores, name))
    return frames


def write(
    path: Path,
    frames: list[Poses],
    format: str | None = None,
    skeleton: Skeleton = COCO,
    video: VideoInfo = VIDEO,
) -> Path:
    with open_writer(path, format, video=video, skeleton=skeleton, provenance=PROVENANCE) as writer:
        for poses in frames:
            writer.write(poses)
    return path


def assert_same_frames(found: list[Poses], expected: list[Poses]) -> None:
    """Equal to the last bit, in values, order and types."""
    assert [p.frame_index for p in found] == [p.frame_index for p in expected]
    for a, b in zip(found, expected, strict=True):
        assert (a.time_s, a.name) == (b.time_s, b.name)
        pairs = [
            (a.tracks.ids, b.tracks.ids),
            (a.tracks.xyxy, b.tracks.xyxy),
            (a.tracks.scores, b.tracks.scores),
            (a.keypoints, b.keypoints),
            (a.scores, b.scores),
        ]
        for left, right in pairs:
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)


def assert_same(found: Recording, frames: list[Poses], skeleton: Skeleton, video: VideoInfo = VIDEO) -> None:
    assert found.video == video
    assert SKELETONS[found.skeleton] == skeleton
    assert found.provenance == PROVENANCE
    assert_same_frames(found.frames, frames)
