"""Network streams and cameras: read as they come, connected again when they break off, until somebody stops them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from posecli.errors import PosecliError
from posecli.types import Frame
from posecli.video.source import Source, checksum
from posecli.video.timestamps import FALLBACK_RATE
from posecli.video.video_file import VideoFile

# Seconds before each attempt to connect again; after the last the stream counts as ended.
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


class LiveStream(Source):
    """A network stream or a camera as one source, over all connections that it takes.

    What has an end (a video on a web server) goes on after the last frame that came. What has none goes on with what
    is shown now: times count on by the clock, as if the stream had been still meanwhile.

    Args:
        path: a URL that FFmpeg opens, or "camera:0".
        rotate: as of VideoFile.
        back_off_s: seconds before each attempt to connect again.
        clock: seconds that only go forward.

    Raises:
        PosecliError: the first connection fails.
    """

    def __init__(
        self,
        path: str,
        *,
        rotate: int | None = None,
        threads: int = 0,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._rotate, self._threads = path, rotate, threads
        self._back_off_s, self._clock = back_off_s, clock
        self._stopped = threading.Event()
        self._reconnected = 0
        self._notes: list[str] = []
        self._last: Frame | None = None
        self._last_came = 0.0  # by the clock
        self._beginning: tuple[int | None, int] | None = (
            None  # timestamp and checksum of the very first frame
        )
        self._video = VideoFile(path, rotate=rotate, threads=threads)
        self.info = self._video.info

    def frames(self) -> Iterator[Frame]:
        fresh = self._video.frames()
        while True:
            for frame in fresh:
                self._last, self._last_came = frame, self._clock()
                self._beginning = self._beginning or (frame.pts, checksum(frame.image))
                yield frame
                if self._stopped.is_set():
                    return
            if not self._video.is_broken or (again := self._connect()) is None:
                return
            fresh = again

    def _connect(self) -> Iterator[Frame] | None:
        """The frames of a new connection; None if there is none any more, or nothing new on it."""
        why = self._video.broken_by
        for wait in self._back_off_s:
            self._video.close()
            if self._stopped.wait(wait):
                return None
            try:
                self._video = VideoFile(self._path, rotate=self._rotate, threads=self._threads)
            except PosecliError as error:
                why = str(error)
                continue
            first = next(fresh := self._going_on(), None)
            if first is not None:
                self._reconnected += 1
                return _chain(first, fresh)
            why = why or "nothing new comes"
        self._notes.append(f"ended after {len(self._back_off_s)} attempts to connect again: {why}")
        return None

    def _going_on(self) -> Iterator[Frame]:
        """The frames of this connection that are new, numbered and timed after those before."""
        last = self._last
        assert last is not None
        return self._remaining(last) if self._video.has_end else self._later(last)

    def _remaining(self, last: Frame) -> Iterator[Frame]:
        new = (frame for frame in self._video.frames() if frame.time_s > last.time_s)
        return (replace(frame, index=index) for index, frame in enumerate(new, last.index + 1))

    def _later(self, last: Frame) -> Iterator[Frame]:
        assert last.pts is not None
        before = last
        tick = Fraction(self.info.time_base or "1/90000")
        scale = Fraction(self._video.info.time_base or tick) / tick
        shift: int | None = None  # ticks from this connection's clock to ours
        for frame in self._video.frames():
            stamp = round((frame.pts or 0) * scale)
            if shift is None:
                if self._is_replayed(frame):
                    return
                pause = max(
                    self._clock() - self._last_came, 1 / (self.info.frame_rate or float(FALLBACK_RATE))
                )
                shift = last.pts + max(1, round(pause / tick)) - stamp
            assert before.pts is not None
            pts = max(stamp + shift, before.pts + 1)
            before = replace(
                frame, index=before.index + 1, pts=pts, time_s=last.time_s + float((pts - last.pts) * tick)
            )
            yield before

    def _is_replayed(self, frame: Frame) -> bool:
        """Whether this is the very first frame once more: a recording without a length, which has ended."""
        return self._beginning == (frame.pts, checksum(frame.image))

    def stop(self) -> None:
        self._stopped.set()

    @property
    def files(self) -> list[Path]:
        return []

    @property
    def warnings(self) -> list[str]:
        again = (
            [f"connected again after the stream broke off: {self._reconnected}"] if self._reconnected else []
        )
        return [*self._video.warnings, *self._notes, *again]

    def close(self) -> None:
        self._video.close()


def _chain(first: Frame, rest: Iterator[Frame]) -> Iterator[Frame]:
    yield first
    yield from rest
