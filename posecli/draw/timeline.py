"""Which poses of a recording belong to which frame of a video, and whether they belong to it at all."""

from __future__ import annotations

from pathlib import PurePosixPath

from posecli.errors import PosecliError
from posecli.types import Frame, Poses, Recording, VideoInfo

CLOCK_TOLERANCE_S = 0.02  # where there is no frame rate to tell how far apart frames are


class Timeline:
    """Finds the poses of each frame: by the picture's name where both have names, else by the frame's index.

    Args:
        recording: the poses.
        video: what the reader says of the video.
        file: where the poses come from, for messages.

    Raises:
        PosecliError: the poses were estimated on pictures of another size.
    """

    def __init__(self, recording: Recording, video: VideoInfo, file: str) -> None:
        self._video = video
        self._file = file
        width, height = recording.video.width, recording.video.height
        is_known = width > 0 and height > 0
        if is_known and (width, height) != (video.width, video.height):
            ours = f"{video.width} x {video.height}"
            self._fail(f"were estimated at {width} x {height} pixels, and this is {ours}")
        self._by_index = {poses.frame_index: poses for poses in recording.frames}
        self._by_name = {PurePosixPath(poses.name).name: poses for poses in recording.frames if poses.name}
        self._frame_count = 0
        self._found = 0

    def poses(self, frame: Frame) -> Poses | None:
        """The poses of the next frame; None if the recording does not tell.

        Raises:
            PosecliError: the recording has poses for this frame, but at another time.
        """
        self._frame_count += 1
        if frame.name and self._by_name:
            poses = self._by_name.get(frame.name)
        else:
            poses = self._by_index.get(frame.index)
            if poses is not None and frame.pts is not None:
                self._check_time(frame, poses)
        self._found += poses is not None
        return poses

    def finish(self) -> None:
        """To be called after the last frame.

        Raises:
            PosecliError: there are people on frames that the video does not have.
        """
        if self._by_index and not self._found:
            self._fail("have none of its frames")
        last = max((index for index, poses in self._by_index.items() if len(poses)), default=-1)
        if not self._by_name and last >= self._frame_count:
            self._fail(f"go on to frame {last}, and it has only {self._frame_count} frames")

    def _check_time(self, frame: Frame, poses: Poses) -> None:
        rate = self._video.frame_rate
        tolerance = max(0.5 / rate, CLOCK_TOLERANCE_S) if rate else CLOCK_TOLERANCE_S
        if abs(frame.time_s - poses.time_s) > tolerance:  # false where the time is not known (NaN)
            self._fail(f"have frame {frame.index} at {poses.time_s:.3f} s, and it is at {frame.time_s:.3f} s")

    def _fail(self, what: str) -> None:
        raise PosecliError(f"the poses of {self._file} do not belong to {self._video.path}: they {what}")
