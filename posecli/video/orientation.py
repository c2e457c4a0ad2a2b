"""How a stored picture must be turned and mirrored to stand upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from posecli.types import Image

if TYPE_CHECKING:
    from av import VideoFrame


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways to lay a picture down: first transposed, then flipped."""

    transpose: bool = False  # rows become columns
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_turn(cls, degrees: int) -> Orientation:
        """The orientation that turns a picture clockwise by 0, 90, 180 or 270 degrees."""
        return {
            0: cls(),
            90: cls(transpose=True, flip_x=True),
            180: cls(flip_x=True, flip_y=True),
            270: cls(transpose=True, flip_y=True),
        }[degrees]

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """The orientation nearest to a container's display matrix.

        Args:
            matrix: nine 32-bit integers (a b u, c d v, x y w) that show the stored point (x, y) at
                (a x + c y, b x + d y), as in the track header of ISO/IEC 14496-12 (8.3.2) and in FFmpeg's
                AV_FRAME_DATA_DISPLAYMATRIX.
        """
        a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)
        return cls(flip_x=a < 0, flip_y=d < 0)

    @classmethod
    def of_frame(cls, frame: VideoFrame) -> Orientation:
        """The orientation that the container or the codec asks for."""
        matrix: Any = frame.side_data.get("DISPLAYMATRIX")
        return cls() if matrix is None else cls.from_display_matrix(bytes(matrix))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a picture once it is upright."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, image: Image) -> Image:
        """The upright picture, contiguous: (height, width, 3) to (height, width, 3) or (width, height, 3)."""
        if self.transpose:
            image = image.transpose(1, 0, 2)
        if self.flip_y:
            image = image[::-1]
        if self.flip_x:
            image = image[:, ::-1]
        return np.ascontiguousarray(image)
