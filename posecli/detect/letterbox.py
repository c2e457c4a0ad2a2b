"""Fitting a picture into a network's input and boxes back into the picture.

Pixel centres are at integers on both sides: the first pixel spans -0.5 to 0.5, so a resize by s takes the
coordinate x to (x + 0.5) s - 0.5 (cv2.resize samples by the same rule).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posecli.types import FloatArray, Image

PADDING_GREY = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture of one size, resized with its aspect kept, then padded at the right and bottom."""

    picture: tuple[int, int]  # (height, width)
    resized: tuple[int, int]
    padded: tuple[int, int]

    @classmethod
    def fit(cls, picture: tuple[int, int], longer_side: int, stride: int) -> Letterbox:
        """Make the longer side longer_side, then pad both sides up to multiples of stride."""
        scale = longer_side / max(picture)
        height, width = (max(1, round(side * scale)) for side in picture)
        return cls(picture, (height, width), (_round_up(height, stride), _round_up(width, stride)))

    @property
    def scale_xy(self) -> FloatArray:
        """(2,) resized pixels per picture pixel: rounding makes them differ a little between the axes."""
        return np.array(
            [self.resized[1] / self.picture[1], self.resized[0] / self.picture[0]], dtype=np.float32
        )

    def apply(self, image: Image) -> Image:
        import cv2

        height, width = self.resized
        shrinks = height < image.shape[0] or width < image.shape[1]
        canvas = np.full((*self.padded, 3), PADDING_GREY, np.uint8)
        canvas[:height, :width] = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return canvas

    def to_network(self, xyxy: FloatArray) -> FloatArray:
        """Boxes (n, 4) of the picture, in pixels of the network's input."""
        return ((xyxy.reshape(-1, 2) + 0.5) * self.scale_xy - 0.5).reshape(-1, 4).astype(np.float32)

    def to_picture(self, xyxy: FloatArray) -> FloatArray:
        """Boxes (n, 4) of the network's input, in pixels of the picture, cut off at its outermost pixels."""
        corners = ((xyxy.reshape(-1, 2) + 0.5) / self.scale_xy - 0.5).reshape(-1, 4)
        height, width = self.picture
        return np.clip(corners, 0, [width - 1, height - 1, width - 1, height - 1]).astype(np.float32)


def _round_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
