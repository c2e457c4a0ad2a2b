"""A video that plays everywhere: H.264, the source's own timestamps and sound, there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

import av
from av.error import FFmpegError

from posecli.errors import PosecliError
from posecli.types import Image, VideoInfo
from posecli.unfinished import Unfinished
from posecli.video.canvas import fit
from posecli.video.ffmpeg import ffmpeg_name, open_container, reason, stream_duration
from posecli.video.h264 import CRF, H264Stream
from posecli.video.sound import Sound
from posecli.video.timestamps import FALLBACK_RATE

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
# A video that would begin with more than this of nothing is moved to zero, its sound with it.
LONGEST_LEAD_S = Fraction(1)
# A video whose last written picture ends this close to the source's end counts as written to the end.
END_TOLERANCE_S = Fraction(1, 2)
_MICROSECOND = Fraction(1, 1_000_000)  # the unit of a container's times


class VideoWriter:
    """Writes pictures as H.264; a context manager. The file appears on success only.

    Timestamps are the source's, tick by tick; .mkv knows but milliseconds, and none before zero: there the
    pictures move together with sound that begins earlier, by a packet at most. The sound is copied packet by
    packet; it is converted to AAC only where the output's format cannot hold it.

    Args:
        path: the video to write; its suffix picks the format: .mp4, .mov or .mkv.
        width: pixels of the pictures to come. Pictures of other sizes are fitted in, on black.
        height: pixels.
        source: the video that the pictures come from, for its sound and the shape of its pixels.
        info: what the reader said of the source, for its time base and rate.
        frame_rate: frames a second, for pictures without times.
        crf: the quality, of x264: 0 (without loss) to 51.

    Raises:
        PosecliError: the suffix is none of the three, the folder cannot be written to, or H.264 is missing.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        width: int,
        height: int,
        source: str | Path | None = None,
        info: VideoInfo | None = None,
        frame_rate: float | None = None,
        crf: int = CRF,
    ) -> None:
        self._path = Path(path)
        self._size, self._crf, self._info = (width, height), crf, info
        self._rate = _rate(info, frame_rate)
        self._time_base = Fraction(info.time_base) if info and info.time_base else 1 / self._rate
        self._origin = Fraction(0)  # seconds of the source that become zero here
        self._last: int | None = None
        self._written = 0
        self._refitted = 0
        self._unfinished = _reserve(self._path)
        self._source: InputContainer | None = None
        try:
            self._source = _open_source(source, info)
            self._open()
        except BaseException:
            self._discard()
            raise

    def _open(self) -> None:
        container_format = CONTAINERS[self._path.suffix.lower()]
        self._output = av.open(
            ffmpeg_name(self._unfinished.path.absolute()),
            "w",
            format=container_format,
            container_options=_muxer_options(container_format, self._time_base),
        )
        shape = (self._info.width, self._info.height) if self._info else self._size
        aspect = _pixel_aspect(self._source, *shape)
        self._video = H264Stream(self._output, *self._size, self._time_base, self._rate, aspect, self._crf)
        self._sound = Sound(self._source, self._output) if self._source else None

    @property
    def warnings(self) -> list[str]:
        """What was odd so far, one sentence each."""
        sound = self._sound.warnings if self._sound else []
        return sound + ([f"pictures of another size fitted in: {self._refitted}"] if self._refitted else [])

    def write(self, image: Image, *, pts: int | None = None, time_s: float | None = None) -> None:
        """Adds one picture.

        Args:
            image: (height, width, 3) RGB uint8.
            pts: when it is shown, in ticks of the source's time base; or
            time_s: the same in seconds from the start of the source's video. With neither it follows the last
                picture at the frame rate.

        Raises:
            PosecliError: the time is not after the last picture's, or the file cannot be written.
        """
        pts = self._timestamp(pts, time_s)
        width, height = self._size
        if image.shape[:2] != (height, width):
            image = fit(image, width, height)
            self._refitted += 1
        if self._last is None:
            self._begin(pts * self._time_base)
        with self._reported():
            self._video.encode(image, pts - round(self._origin / self._time_base))
            if self._sound:
                self._sound.advance(pts * self._time_base)
        self._last = pts
        self._written += 1

    def _timestamp(self, pts: int | None, time_s: float | None) -> int:
        if pts is None and time_s is not None:
            stream = _video(self._source)
            pts = round(Fraction(time_s) / self._time_base) + ((stream and stream.start_time) or 0)
        if pts is None:
            return 0 if self._last is None else self._last + self._step
        if self._last is not None and pts <= self._last:
            when = float(pts * self._time_base)
            raise PosecliError(
                f"cannot write {self._path}: frame times go backwards at {when:.3f} s; give them in order"
            )
        return pts

    @property
    def _step(self) -> int:
        return max(1, round(1 / (self._rate * self._time_base)))

    def _begin(self, first: Fraction) -> None:
        """Sets what becomes zero, by the first picture's time in seconds."""
        stream = _video(self._source)
        video_start = (stream.start_time or 0) * self._time_base if stream else Fraction(0)
        start = (self._source.start_time or 0) * _MICROSECOND if self._source else Fraction(0)
        if first - video_start >= LONGEST_LEAD_S:  # a part from further on
            self._origin = first
        elif start >= LONGEST_LEAD_S:  # a clock that never stood at zero, as in broadcasts
            self._origin = start
        if self._sound:
            self._sound.origin = self._origin

    def _finish(self) -> None:
        if self._last is None:
            raise PosecliError(f"no picture to write to {self._path}: choose frames that the source has")
        with self._reported():
            if self._sound:
                self._sound.advance(self._end_of_sound())
                self._sound.finish()
            self._video.finish()
            self._output.close()
            self._close_source()  # it may be the very file to be replaced
            self._unfinished.path.replace(self._path)

    def _end_of_sound(self) -> Fraction | None:
        """Seconds on the source's clock where the sound is to end; None to copy all of it.

        A source written to its end keeps its whole sound, even what goes on after the last picture.
        """
        assert self._last is not None
        end = (self._last + self._step) * self._time_base
        expected, stream = _video_end(self._source), _video(self._source)
        if stream is None or expected is None or 0 < stream.frames <= self._written:
            return None
        return end if end < expected - END_TOLERANCE_S else None

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (FFmpegError, OSError) as error:
            raise PosecliError(
                f"cannot write {self._path}: {reason(error)}; make room or choose another place"
            ) from error

    def _discard(self) -> None:
        with suppress(FFmpegError, OSError, ValueError, AttributeError):
            self._output.close()
        self._unfinished.remove()
        self._close_source()

    def _close_source(self) -> None:
        if self._source:
            self._source.close()
            self._source = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._discard()


def _reserve(path: Path) -> Unfinished:
    """An empty file beside the one to write, so that an unwritable folder is noticed before the work."""
    if path.suffix.lower() not in CONTAINERS:
        raise PosecliError(f"cannot write {path}: give a name that ends in {', '.join(CONTAINERS)}")
    if path.is_dir():
        raise PosecliError(f"cannot write {path}: it is a folder")
    try:
        return Unfinished(path)
    except OSError as error:
        raise PosecliError(f"cannot write {path}: {reason(error)}; choose another place") from error


def _open_source(source: str | Path | None, info: VideoInfo | None) -> InputContainer | None:
    """The source once more, for its sound; None for pictures and for network streams, which play once."""
    is_pictures = info is not None and info.time_base is None
    if source is None or is_pictures or not Path(source).is_file():
        return None
    return open_container(source)


def _rate(info: VideoInfo | None, frame_rate: float | None) -> Fraction:
    rate = frame_rate or (info.frame_rate if info else None) or FALLBACK_RATE
    return Fraction(rate).limit_denominator(1001)


def _muxer_options(container_format: str, time_base: Fraction) -> dict[str, str]:
    if container_format == "matroska":
        return {}
    # The index goes to the front so that browsers start at once; the ticks stay the source's.
    ticks = str(time_base.denominator)
    return {"movflags": "+faststart", "video_track_timescale": ticks, "movie_timescale": ticks}


def _video(source: InputContainer | None) -> VideoStream | None:
    return cast("VideoStream | None", source.streams.best("video")) if source else None


def _pixel_aspect(source: InputContainer | None, width: int, height: int) -> Fraction:
    """Width over height of a pixel; the source's, turned where its pictures of this size are turned."""
    stream = _video(source)
    if stream is None or not stream.sample_aspect_ratio:
        return Fraction(1)
    is_turned = (width, height) == (stream.height, stream.width) and width != height
    return 1 / stream.sample_aspect_ratio if is_turned else stream.sample_aspect_ratio


def _video_end(source: InputContainer | None) -> Fraction | None:
    """Seconds on the source's clock at which its video ends, by the container's word."""
    stream = _video(source)
    duration = stream_duration(stream) if stream else None
    if stream is None or stream.time_base is None or duration is None:
        return None
    return (stream.start_time or 0) * stream.time_base + duration
