"""What every source of pictures offers, whatever it reads."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from posecli.types import Frame, Image, VideoInfo

TURNS = (0, 90, 180, 270)  # degrees clockwise that `rotate` may ask for


class Source(ABC):
    """A video or a set of pictures, read one frame at a time; a context manager.

    Opening it reads as much as `info` needs. Its frames can be gone through once.
    """

    info: VideoInfo

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """The frames in display order, with strictly increasing times; no earlier frame is kept."""

    def skip_to(self, index: int, pts: int, checksum: int) -> bool:
        """Lets frames() begin at the frame that has this index and timestamp, and whose picture has this checksum.

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
