"""How large a rendered picture becomes, what is behind the people, and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

import cv2
import numpy as np

from posecli.errors import UsageError
from posecli.types import Image, Poses, Tracks

Background = Literal["video", "black"]
LARGEST = 16384  # pixels a side; H.264 goes no further


@dataclass(frozen=True, slots=True)
class Layout:
    """The arrangement of a rendered picture."""

    background: Background = "video"
    side_by_side: bool = False  # the picture on the left, the people on the right
    scale: float = 1.0  # the output's size over the input's, unless there is a height
    height: int | None = None  # pixels of the output

    def picture_size(self, width: int, height: int) -> tuple[int, int]:
        """The width and height that a picture of this width and height is drawn at.

        Raises:
            UsageError: it would be larger than any video can be.
        """
        scale = self.scale if self.height is None else self.height / height
        size = max(1, round(scale * width)), max(1, round(scale * height))
        if max(self.arranged_size(*size)) > LARGEST:
            raise UsageError(f"{size[0]} x {size[1]} pixels are too many: the most is {LARGEST} a side")
        return size

    def arranged_size(self, width: int, height: int) -> tuple[int, int]:
        """The width and height of the output whose pictures are drawn at this width and height."""
        return width * (1 + self.side_by_side), height

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """The width and height of the output of a video of this width and height."""
        return self.arranged_size(*self.picture_size(width, height))


def resize(image: Image, width: int, height: int) -> Image:
    """The picture in another size; itself where it has that size."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = height < image.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cast(Image, cv2.resize(image, (width, height), interpolation=interpolation))


def resize_poses(poses: Poses, scale_x: float, scale_y: float) -> Poses:
    """The people of a picture that became scale_x times as wide and scale_y times as high."""
    if scale_x == scale_y == 1:
        return poses
    scale = np.array([scale_x, scale_y], np.float32)
    # Pixel centres are at integers, so the picture's corner is at -0.5.
    keypoints = (poses.keypoints + 0.5) * scale - 0.5
    xyxy = (poses.tracks.xyxy + 0.5) * np.tile(scale, 2) - 0.5
    tracks = Tracks(poses.tracks.ids, xyxy.astype(np.float32), poses.tracks.scores)
    return replace(poses, tracks=tracks, keypoints=keypoints.astype(np.float32))
