"""A recording as JSON for the page: flat arrays in base64, one row a person on a frame.

Dimensions: F frames, P rows (people on all frames), K keypoints. Numbers are little-endian, as every browser's
typed arrays are, and exact: what the page saves is what was read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posecli.draw.style import Colour, keypoint_colours, limb_colours
from posecli.formats.base import picture_name
from posecli.formats.coco import category, video_entry
from posecli.skeletons import ANGLES, SKELETONS
from posecli.types import Recording

LEAST_SIDE = 64  # pixels of a picture of unknown size with nobody on it


def pack(recording: Recording, name: str) -> dict[str, Any]:
    """What the page needs to show the recording, and to write it again in the form of `coco`.

    Args:
        recording: the poses.
        name: the file that they were read from.

    Returns:
        a dictionary for JSON. The arrays in it are base64; assets/recording.js reads them.
    """
    skeleton = SKELETONS[recording.skeleton]
    frames = recording.frames
    width, height = picture_size(recording)
    return {
        "name": PurePath(name).name,
        "info": recording.provenance,
        "video": video_entry(recording.video),
        "category": category(skeleton),
        "angles": ANGLES,
        "keypointColours": [_css(colour) for colour in keypoint_colours(skeleton)],
        "limbColours": [_css(colour) for colour in limb_colours(skeleton)],
        "width": width,
        "height": height,
        "pictureNames": [picture_name(recording.video, poses) for poses in frames],
        "frameIndex": encode([poses.frame_index for poses in frames], "<f8"),  # (F,)
        "time": encode([poses.time_s for poses in frames], "<f8"),  # (F,) seconds
        "firstRow": encode(np.cumsum([0, *map(len, frames)]), "<u4"),  # (F + 1,)
        "trackId": encode(_joined(poses.tracks.ids for poses in frames), "<f8"),  # (P,)
        "box": encode(_joined(poses.tracks.xyxy for poses in frames), "<f4"),  # (P, 4)
        "boxScore": encode(_joined(poses.tracks.scores for poses in frames), "<f4"),  # (P,)
        "keypoints": encode(_joined(poses.keypoints for poses in frames), "<f4"),  # (P, K, 2)
        "scores": encode(_joined(poses.scores for poses in frames), "<f4"),  # (P, K)
    }


def encode(values: ArrayLike, dtype: str) -> str:
    """The numbers' bytes in base64."""
    return base64.b64encode(np.asarray(values, dtype).tobytes()).decode("ascii")


def picture_size(recording: Recording) -> tuple[int, int]:
    """Width and height in pixels; what the keypoints reach to where the file does not say."""
    if recording.video.width > 0 and recording.video.height > 0:
        return recording.video.width, recording.video.height
    points = _joined(poses.keypoints for poses in recording.frames).reshape(-1, 2)
    known = points[np.isfinite(points).all(axis=1)]
    far = known.max(axis=0, initial=0) + 1
    width, height = np.maximum(np.ceil(far), LEAST_SIDE).astype(int).tolist()
    return width, height


def _joined(arrays: Iterable[NDArray[Any]]) -> NDArray[Any]:
    """The arrays' numbers in one row."""
    return np.concatenate([np.empty(0, np.float32), *(array.ravel() for array in arrays)])


def _css(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
