"""What a tracker was told of pictures, taken down, and told again when the pictures are not read any more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from posecli.detect.eyes import Eyes
from posecli.types import FloatArray, Image

NOT_READ: Image = np.zeros((0, 0, 3), np.uint8)  # the picture of a frame that is only replayed


class TapedEyes:
    """Eyes that take down their answers, or give those of an earlier run: their owner says which before each frame."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._told: list[FloatArray] = []
        self._replayed: Iterator[FloatArray] | None = None

    def record(self) -> list[FloatArray]:
        """For the next frame: look, and put the answers into the list that is returned."""
        self._told, self._replayed = [], None
        return self._told

    def replay(self, answers: list[FloatArray]) -> None:
        """For the next frame: give these answers, in order."""
        self._replayed = iter(answers)

    def motion(self, image: Image, people_xyxy: FloatArray) -> FloatArray:
        if self._replayed is None:
            return self._taken_down(self._eyes.motion(image, people_xyxy))
        if image.size:  # the last picture before the live ones: they are compared with it
            self._eyes.motion(image, people_xyxy)
        return next(self._replayed)

    def look(self, image: Image, box: FloatArray) -> FloatArray:
        if self._replayed is None:
            return self._taken_down(self._eyes.look(image, box))
        return next(self._replayed)

    def reset(self) -> None:
        self._eyes.reset()

    def _taken_down(self, answer: FloatArray) -> FloatArray:
        self._told.append(answer)
        return answer
