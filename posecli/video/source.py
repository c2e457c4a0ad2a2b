"""What every source of pictures offers, whatever it reads."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from posecli.types import Frame, Image, VideoInfo

TURNS = (0, 90, 180, 270)  # degrees clockwise that `rotate` may ask for


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source's frames lie in the video that it is a part of."""

    whole: VideoInfo
    first: int = 0  # index of its first frame there
    stride: int = 1  # frames there from one of its frames to the next
    x: int = 0  # pixels there of its top left pixel
    y: int = 0

    def index(self, index: int) -> int:
        """The index there of a frame of the source."""
        return self.first + index * self.stride


class Source(ABC):
    """A video or a set of pictures, read one frame at a time; a context manager.

    Opening it reads as much as `info` needs. Its frames can be gone through once.
    """

    info: VideoInfo

    @property
    def place(self) -> Place:
        """Where it lies in a larger video; by itself it is the whole."""
        return Place(self.info)

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """The frames in display order, with strictly increasing times; no earlier frame is kept."""

    def find(self, time_s: Fraction) -> tuple[int, int | None]:
        """Index and timestamp of the first frame at or after a time; an index past the last where there is none.

        The timestamp is None where frames() can't begin there.
        """
        raise NotImplementedError

    def stop(self) -> None:  # noqa: B027 most sources end by themselves
        """Asks frames() to end soon, as if the source did; of those without an end, it can be called meanwhile."""

    def skip_to(self, index: int, pts: int, checksum: int | None) -> bool:
        """Lets frames() begin at the frame that has this index and timestamp, and whose picture has this checksum.

        Args:
            checksum: None trusts the timestamp alone.

        Returns:
            Whether that could be done; if not, frames() begins at the beginning.
        """
        return False

    @property
    @abstractmethod
    def files(self) -> list[Path]:
        """What is read, in order; nothing for a network stream."""

    @property
    def picture_names(self) -> list[str] | None:
        """File names of the pictures, in order; None for a video, whose frames have none."""
        return None

    @property
    @abstractmethod
    def warnings(self) -> list[str]:
        """What was odd so far, one sentence each; complete once the frames have been gone through."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the file; closing twice is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def checksum(image: Image) -> int:
    """CRC-32 of a picture's pixels."""
    return zlib.crc32(np.ascontiguousarray(image).data)
