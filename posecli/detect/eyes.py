"""What a tracker sees of the pictures: how the camera moved, and what people look like. Nothing else."""

from __future__ import annotations

from typing import Protocol

from posecli.detect.appearance import appearance
from posecli.detect.camera import CameraMotion
from posecli.types import FloatArray, Image


class Eyes(Protocol):
    """Answers a tracker's questions about the picture that it is given."""

    def motion(self, image: Image, people_xyxy: FloatArray) -> FloatArray:
        """The camera's since the last picture, (2, 3); see posecli.detect.camera. Asked of every picture in order."""

    def look(self, image: Image, box: FloatArray) -> FloatArray:
        """What is in a box (4,), as a vector of length 1; see posecli.detect.appearance."""

    def reset(self) -> None:
        """Forget the last picture."""


class OpenEyes:
    """Looks at the pictures."""

    def __init__(self) -> None:
        self._camera = CameraMotion()

    def motion(self, image: Image, people_xyxy: FloatArray) -> FloatArray:
        return self._camera.estimate(image, people_xyxy)

    def look(self, image: Image, box: FloatArray) -> FloatArray:
        return appearance(image, box)

    def reset(self) -> None:
        self._camera.reset()
