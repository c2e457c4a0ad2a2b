"""A part of a video: from a time to a time, every so many frames, a rectangle of the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from posecli.errors import PosecliError, UsageError
from posecli.types import Frame, Image, VideoInfo
from posecli.video.source import Place, Source


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle, in pixels of the upright picture or in hundredths of its size."""

    values: tuple[Fraction, ...]  # x, y, width, height
    are_percent: tuple[bool, ...]

    @classmethod
    def parse(cls, text: str) -> Region:
        """From "X,Y,WIDTH,HEIGHT"; each is a number of pixels, or per cent of the width or height: "25%".

        Raises:
            UsageError: it is none.
        """
        parts = re.findall(r"(?:^|,)\s*(\d+(?:\.\d+)?)\s*(%?)\s*(?=,|$)", text)
        values = tuple(Fraction(number) for number, _ in parts)
        if len(parts) != 4 or text.count(",") != 3 or 0 in values[2:]:
            raise UsageError(
                f"--roi {text}: give X,Y,WIDTH,HEIGHT in pixels (100,0,640,480) or per cent (25%,0%,50%,100%)"
            )
        return cls(values, tuple(bool(sign) for _, sign in parts))

    def pixels(self, info: VideoInfo) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, cut at the picture's edges.

        Raises:
            PosecliError: nothing of it is in the picture.
        """
        sizes = (info.width, info.height) * 2
        x, y, width, height = (
            value * size / 100 if is_percent else value
            for value, size, is_percent in zip(self.values, sizes, self.are_percent, strict=True)
        )
        left, top = round(x), round(y)
        right, bottom = min(round(x + width), info.width), min(round(y + height), info.height)
        if left >= right or top >= bottom:
            raise PosecliError(
                f"--roi {self} lies outside {info.path}, whose pictures are {info.width}x{info.height}"
            )
        return left, top, right, bottom

    def __str__(self) -> str:
        signs = ("%" if is_percent else "" for is_percent in self.are_percent)
        return ",".join(f"{float(value):g}{sign}" for value, sign in zip(self.values, signs, strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What is wanted of a source."""

    start: Fraction | None = None  # seconds
    end: Fraction | None = None  # seconds; the frame at this time is not in it
    stride: int = 1  # every how many frames
    roi: Region | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError("--end must be after --start: there is nothing between them")

    @classmethod
    def parse(cls, start: str | None, end: str | None, stride: int, roi: str | None) -> Part | None:
        """From the options of the command line; None where none of them is given.

        Raises:
            UsageError: one is not what it should be.
        """
        part = cls(
            start=None if start is None else parse_time(start),
            end=None if end is None else parse_time(end),
            stride=stride,
            roi=None if roi is None else Region.parse(roi),
        )
        return None if part == cls() else part

    def provenance(self) -> dict[str, str | int | float]:
        """What was asked for, by the options' names."""
        times = {"start": self.start, "end": self.end}
        return (
            {name: float(time) for name, time in times.items() if time is not None}
            | ({"stride": self.stride} if self.stride > 1 else {})
            | ({"roi": str(self.roi)} if self.roi else {})
        )


def parse_time(text: str) -> Fraction:
    """Seconds from "12.5", "1:02.5" or "1:00:02.5".

    Raises:
        UsageError: it is no time.
    """
    if not re.fullmatch(r"(?:\d+:)?(?:\d+:)?\d+(?:\.\d+)?", text):
        raise UsageError(f"{text} is no time: give seconds (12.5) or [HOURS:]MINUTES:SECONDS (1:02.5)")
    seconds = Fraction(0)
    for field in text.split(":"):
        seconds = seconds * 60 + Fraction(field)
    return seconds


class PartOfSource(Source):
    """The part as a source of its own: indices from 0, pictures cut out; `place` leads back to the whole.

    Of a file, decoding begins at the keyframe before the start, and what is not wanted is dropped. Of a stream that
    plays once, the start is that many seconds after it was opened.

    Args:
        source: the whole; it is closed with this.

    Raises:
        PosecliError: the part begins after the end, or lies outside the picture.
    """

    def __init__(self, source: Source, part: Part) -> None:
        self._source, self._part = source, part
        self._rectangle = part.roi.pixels(source.info) if part.roi else None
        self._first = (0, None) if not part.start or not source.files else source.find(part.start)
        self._is_skipped = False
        x, y = self._rectangle[:2] if self._rectangle else (0, 0)
        self._place = Place(source.info, self._first[0], part.stride, x, y)
        self.info = self._describe()

    def _describe(self) -> VideoInfo:
        info, rate = self._source.info, self._source.info.frame_rate
        left, top, right, bottom = self._rectangle or (0, 0, info.width, info.height)
        count = info.frame_count
        if count is not None:
            if self._part.end is not None and rate:
                count = min(count, round(self._part.end * Fraction(rate)))
            count = max(0, -(-(count - self.place.first) // self._part.stride))
        return replace(
            info,
            width=right - left,
            height=bottom - top,
            frame_rate=rate / self._part.stride if rate else None,
            frame_count=count,
        )

    def frames(self) -> Iterator[Frame]:
        index, pts = self._first
        if pts is not None and index > 0 and not self._is_skipped:
            self._source.skip_to(index, pts, None)
        # As floats, which is what the times of frames are rounded to.
        start = float(self._part.start or 0)
        end = None if self._part.end is None else float(self._part.end)
        first = None if not self._source.files else index
        count = 0
        for frame in self._source.frames():
            if end is not None and frame.time_s >= end:
                break
            if first is None and frame.time_s >= start:
                first = frame.index
            if first is None or frame.index < first or (frame.index - first) % self._part.stride:
                continue
            count += 1
            yield replace(
                frame, index=(frame.index - first) // self._part.stride, image=self._cut(frame.image)
            )
        if not count:
            raise PosecliError(
                f"{self.info.path} has no frame from {start:g} s on"
                f"{'' if end is None else f' and before {end:g} s'}: choose other times"
            )

    def _cut(self, image: Image) -> Image:
        if self._rectangle is None:
            return image
        left, top, right, bottom = self._rectangle
        return np.ascontiguousarray(image[top:bottom, left:right])

    def skip_to(self, index: int, pts: int, checksum: int | None) -> bool:
        if self._rectangle is not None and checksum is not None:
            return False  # it is that of a cut picture
        whole = self.place.first + index * self._part.stride
        self._is_skipped = self._source.skip_to(whole, pts, checksum)
        return self._is_skipped

    @property
    def place(self) -> Place:
        return self._place

    def stop(self) -> None:
        self._source.stop()

    @property
    def files(self) -> list[Path]:
        return self._source.files

    @property
    def picture_names(self) -> list[str] | None:
        return self._source.picture_names

    @property
    def warnings(self) -> list[str]:
        return self._source.warnings

    def close(self) -> None:
        self._source.close()
