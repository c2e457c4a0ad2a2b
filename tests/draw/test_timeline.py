"""Poses meet their frames, and poses of another video are refused in one line."""

from dataclasses import replace

import numpy as np
import pytest

from posecli.draw.timeline import Timeline
from posecli.errors import PosecliError
from posecli.types import Frame, Poses, Recording, Tracks, VideoInfo

VIDEO = VideoInfo("clip.mp4", 64, 48, 25.0, "1/25", 3)
PICTURE = np.zeros((48, 64, 3), np.uint8)


def frame(index: int, time_s: float | None = None, name: str | None = None) -> Frame:
    time_s = index / 25 if time_s is None else time_s
    return Frame(index, time_s, PICTURE, pts=None if name else index, name=name)


def poses(index: int, name: str | None = None, time_s: float | None = None) -> Poses:
    one = Tracks(np.array([1]), np.zeros((1, 4), np.float32), np.ones(1, np.float32))
    points = np.zeros((1, 17, 2), np.float32)
    return Poses(index, index / 25 if time_s is None else time_s, one, points, points[..., 0], name)


def timeline(*people: Poses, video: VideoInfo = VIDEO) -> Timeline:
    return Timeline(Recording(video, "coco", list(people)), VIDEO, "poses.json")


def found(line: Timeline, *frames: Frame) -> list[int | None]:
    return [None if (at := line.poses(each)) is None else at.frame_index for each in frames]


def test_by_index() -> None:
    line = timeline(poses(0), poses(2))
    assert found(line, frame(0), frame(1), frame(2)) == [0, None, 2]
    line.finish()


def test_by_name_whatever_the_index() -> None:
    line = timeline(poses(0, "a.jpg"), poses(1, "some/folder/b.jpg"))
    assert found(line, frame(0, name="b.jpg"), frame(1, name="c.jpg"), frame(2, name="a.jpg")) == [1, None, 0]
    line.finish()


def test_times_may_be_unknown_and_may_be_rounded() -> None:
    line = timeline(poses(0, time_s=float("nan")), poses(1, time_s=0.04 + 0.019))
    assert found(line, frame(0), frame(1)) == [0, 1]


@pytest.mark.parametrize("video", [replace(VIDEO, width=48, height=64), replace(VIDEO, width=65)])
def test_another_size(video: VideoInfo) -> None:
    with pytest.raises(PosecliError, match=r"poses.json do not belong to clip.mp4: .* and this is 64 x 48"):
        timeline(poses(0), video=video)


def test_a_size_that_is_not_known() -> None:
    assert found(timeline(poses(0), video=replace(VIDEO, width=0, height=0)), frame(0)) == [0]


def test_another_clock() -> None:
    line = timeline(poses(0), poses(1, time_s=0.1))
    with pytest.raises(PosecliError, match=r"have frame 1 at 0.100 s, and it is at 0.040 s"):
        found(line, frame(0), frame(1))


def test_a_longer_video() -> None:
    line = timeline(poses(0), poses(7))
    found(line, frame(0), frame(1))
    with pytest.raises(PosecliError, match="go on to frame 7, and it has only 2 frames"):
        line.finish()


def test_empty_frames_past_the_end_are_fine() -> None:
    line = timeline(poses(0), Poses.empty(7, 0.28, 17))
    found(line, frame(0))
    line.finish()


def test_other_pictures() -> None:
    line = timeline(poses(0, "a.jpg"))
    found(line, frame(0, name="z.jpg"))
    with pytest.raises(PosecliError, match="have none of its frames"):
        line.finish()
