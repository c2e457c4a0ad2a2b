"""Poses and their video brought together: do they belong to each other, and when is each frame shown?"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from posecli.draw.timeline import Timeline
from posecli.errors import PosecliError
from posecli.types import Recording


def match(recording: Recording, name: str, video: Path | None, rotate: int | None) -> Recording:
    """The recording with what its file may not tell and the video does: the picture's size and the frames' times.

    Args:
        recording: the poses.
        name: the file that they were read from, for messages.
        video: what they were estimated on; None leaves the recording as it is.
        rotate: degrees clockwise, as for open_source.

    Raises:
        PosecliError: there are no frames, or they are not the video's.
    """
    if not recording.frames:
        raise PosecliError(f"{name} has no frames: there is nothing to look at")
    if video is None:
        return recording
    from posecli.video import open_source

    with open_source(video, rotate=rotate) as source:
        info, timeline = source.info, Timeline(recording, source.info, name)
        frames = recording.frames
        if any(math.isnan(poses.time_s) for poses in frames):
            found = [(timeline.poses(frame), frame.time_s) for frame in source.frames()]
            timeline.finish()
            frames = [replace(poses, time_s=time_s) for poses, time_s in found if poses]
    seen = replace(recording.video, width=info.width, height=info.height)
    return replace(recording, video=seen, frames=frames)
