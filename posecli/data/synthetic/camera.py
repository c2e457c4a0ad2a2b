"""A camera that pans, zooms and shakes, as a map of the picture's plane.

Positions at rest are pixels of the picture that the camera would take if it did not move: scenes are staged there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posecli.data.synthetic.body import Array
from posecli.data.synthetic.motion import Sway
from posecli.data.synthetic.person import Lens
from posecli.data.synthetic.raster import FloatArray
from posecli.types import Image


@dataclass(frozen=True, slots=True)
class View:
    """picture = zoom * rest + shift, both in pixels."""

    zoom: float
    shift: Array  # (2,)

    def points(self, rest: FloatArray) -> FloatArray:
        """(n, 2) positions at rest to the picture."""
        return np.asarray(self.zoom * rest + self.shift, np.float32)

    def lens(self, rest: Lens) -> Lens:
        x, y = self.zoom * np.asarray(rest.centre) + self.shift
        return Lens(rest.focal * self.zoom, (float(x), float(y)))

    def look(self, panorama: Image, margin: tuple[int, int], size: tuple[int, int]) -> Image:
        """What is seen of a panorama that reaches beyond the picture at rest.

        Args:
            margin: columns and rows of the panorama before the picture's first.
            size: (width, height) of the picture.
        """
        offset = self.shift - self.zoom * np.asarray(margin)
        matrix = np.array([[self.zoom, 0, offset[0]], [0, self.zoom, offset[1]]])
        return np.asarray(cv2.warpAffine(panorama, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@dataclass(frozen=True, slots=True)
class MovingCamera:
    """A camera at rest in the middle of a film, and how it moves around that.

    Panning and shaking move the picture as a shift of the lens would: without the slight keystone of a turn.
    """

    rest: Lens
    size: tuple[int, int]  # (width, height) pixels
    height: float  # metres above the ground
    middle_s: float = 0.0  # when it passes its position at rest
    pan: tuple[float, float] = (0.0, 0.0)  # pixels a second
    zoom: float = 0.0  # relative growth of the picture a second
    shake: float = 0.0  # pixels
    sways: tuple[Sway, Sway] | None = None  # of the shake, across and down

    def view(self, time_s: float) -> View:
        elapsed = time_s - self.middle_s
        middle = (np.array(self.size) - 1) / 2
        target = middle + np.array(self.pan) * elapsed
        if self.sways is not None:
            target = target + self.shake * np.array([sway(time_s) for sway in self.sways])
        zoom = float(np.exp(self.zoom * elapsed))
        return View(zoom, middle - zoom * target)

    def lens(self, time_s: float) -> Lens:
        return self.view(time_s).lens(self.rest)
