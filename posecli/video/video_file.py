"""A video, decoded by FFmpeg: real timestamps, upright, RGB."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from av.error import FFmpegError
from av.stream import Disposition

from posecli.errors import PosecliError
from posecli.types import Frame, VideoInfo
from posecli.video.colour import RGBConverter, hdr_transfer
from posecli.video.decoding import MOST_FRAME_PIXELS, Decoder
from posecli.video.deinterlace import deinterlaced
from posecli.video.ffmpeg import is_live, open_container, stream_duration
from posecli.video.frame_index import find_frame
from posecli.video.orientation import Orientation
from posecli.video.source import Source
from posecli.video.source import checksum as picture_checksum
from posecli.video.timestamps import PresentationClock

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer

# How much too early to look for a keyframe, where a container without an index (MPEG-TS) leads past the right one.
SEEK_MARGIN_S = Fraction(15)
MICROSECOND = Fraction(1, 1_000_000)  # the unit of a container's duration


class VideoFile(Source):
    """A video file or network stream.

    Args:
        path: anything that FFmpeg opens.
        rotate: degrees clockwise by which to turn the stored pictures, instead of what the file says.
        threads: that decode, at most; 0: as many as there are cores.

    Raises:
        PosecliError: it cannot be opened, has no video, or not one picture can be decoded.
    """

    def __init__(self, path: str | Path, *, rotate: int | None = None, threads: int = 0) -> None:
        self._path, self._rotate, self._threads = str(path), rotate, threads
        self._open()

    def _open(self) -> None:
        self._notes: list[str] = []
        self._decoded: Generator[VideoFrame, None, None] | None = None
        self._closed = False
        self.broken_by: str | None = None  # why frames() ended too early, if it did
        self._start = 0  # index of the first frame that frames() gives
        self._container = open_container(self._path)
        try:
            self._stream = video_stream(self._container, self._path)
            self._decoder = Decoder(self._container, self._stream, self._threads)
            self._decoded = deinterlaced(self._decoder.frames())
            self._first: VideoFrame | None = self._decode_first()
            self._size_changed = False
            self._orientation = (
                Orientation.of_frame(self._first)
                if self._rotate is None
                else Orientation.from_turn(self._rotate)
            )
            self._clock = PresentationClock(
                _time_base(self._stream), _rate(self._stream), self._stream.start_time
            )
            self.info = self._describe()
            self._note_oddities(self._first)
        except BaseException:
            self.close()
            raise

    def frames(self) -> Iterator[Frame]:
        to_rgb = RGBConverter(self._threads)
        index = self._start
        end = 0
        for decoded in self._all_decoded():
            pts = self._clock.stamp(decoded.pts)
            end = pts + max(self._clock.step, decoded.duration or 0)
            image = self._orientation.apply(to_rgb(decoded))
            self._note_size(index, image.shape)
            del decoded  # one copy of the picture is enough while the caller works on it
            yield Frame(index, self._clock.seconds(pts), image, pts)
            index += 1
        if not self._closed:
            self._note_end(index, end)

    def find(self, time_s: Fraction) -> tuple[int, int | None]:
        if self._first is None or self._first.pts is None or self._decoder.interlaced_frames:
            return self._count_before(time_s), None
        first, start = self._first.pts, self._stream.start_time
        origin = first if start is None else min(first, start)
        ticks = time_s / self._clock.time_base + origin
        found = find_frame(self._path, self._stream, first, ticks)
        return found if found is not None else (self._count_before(time_s), None)

    def _count_before(self, time_s: Fraction) -> int:
        """How many frames are shown before a time, by decoding them."""
        with VideoFile(self._path, rotate=0, threads=self._threads) as again:
            return sum(1 for _ in takewhile(lambda frame: frame.time_s < float(time_s), again.frames()))

    def skip_to(self, index: int, pts: int, checksum: int | None) -> bool:
        if is_live(self._path) or not index or self._first is None or self._first.pts is None:
            return False
        self._clock.stamp(self._first.pts)  # times count from the first frame, read on or not
        found = self._seek(pts, Fraction(0)) or self._seek(pts, SEEK_MARGIN_S)
        if found is None or (checksum is not None and self._checksum(found) != checksum):
            self.close()
            self._open()
            return False
        self._first, self._start = found, index
        return True

    def _checksum(self, frame: VideoFrame) -> int:
        return picture_checksum(self._orientation.apply(RGBConverter(self._threads)(frame)))

    def _seek(self, pts: int, margin_s: Fraction) -> VideoFrame | None:
        """The frame of this timestamp, decoded from a keyframe before it on; None if none has it."""
        assert self._decoded is not None
        self._decoded.close()
        try:
            self._container.seek(pts - int(margin_s / self._clock.time_base), stream=self._stream)
        except FFmpegError:
            return None
        self._decoded = deinterlaced(self._decoder.frames())
        for frame in self._decoded:
            if frame.pts is not None and frame.pts >= pts:
                return frame if frame.pts == pts else None
        return None

    @property
    def has_end(self) -> bool:
        """Whether its length is known beforehand."""
        return self._duration() is not None

    @property
    def is_broken(self) -> bool:
        """Whether frames() ended before the video did: a stream without an end never does by itself."""
        return self.broken_by is not None or not self.has_end

    @property
    def files(self) -> list[Path]:
        return [] if is_live(self._path) else [Path(self._path)]

    @property
    def warnings(self) -> list[str]:
        counted = [
            (self._decoder.skipped_packets, "damaged packets skipped"),
            (self._decoder.damaged_frames, "damaged frames, decoded as far as possible"),
            (self._decoder.interlaced_frames, "interlaced frames, of which the first field is used"),
            (self._clock.mended, "timestamps missing or out of order, mended"),
        ]
        return self._notes + [f"{what}: {count}" for count, what in counted if count]

    def close(self) -> None:
        self._closed = True
        if self._decoded is not None:
            self._decoded.close()  # FFmpeg must not be asked for more once its container is gone
        self._container.close()

    def _decode_first(self) -> VideoFrame:
        assert self._decoded is not None
        first = next(self._decoded, None)
        if first is None:
            why = (
                self._decoder.failure
                or self._decoder.last_error
                or "the file breaks off before the first one"
            )
            raise PosecliError(
                f"{self._path} holds no picture that can be decoded ({why}): record or copy it again"
            )
        return first

    def _all_decoded(self) -> Iterator[VideoFrame]:
        first, self._first = self._first, None
        if first is None:
            raise RuntimeError("a source's frames can be gone through once: open it again")
        assert self._decoded is not None
        yield first
        del first
        yield from self._decoded

    def _describe(self) -> VideoInfo:
        assert self._first is not None
        width, height = self._orientation.size(self._first.width, self._first.height)
        rate = _rate(self._stream)
        return VideoInfo(
            path=self._path,
            width=width,
            height=height,
            frame_rate=float(rate) if rate else None,
            time_base=str(self._clock.time_base),
            frame_count=self._expected_count(),
        )

    def _expected_count(self) -> int | None:
        stated = self._stream.frames
        duration, rate = self._duration(), _rate(self._stream)
        estimate = round(duration * rate) if duration and rate else None
        # A trimmed file still states the frames that its edit list hides.
        return estimate if not stated or (estimate and estimate < 0.9 * stated) else stated

    def _duration(self) -> Fraction | None:
        """Seconds by the container's word."""
        if duration := stream_duration(self._stream):
            return duration
        return self._container.duration * MICROSECOND if self._container.duration else None

    def _note_oddities(self, frame: VideoFrame) -> None:
        aspect = self._stream.sample_aspect_ratio
        if aspect and aspect != 1:
            self._notes.append(
                f"pixels are not square ({aspect.numerator}:{aspect.denominator}): "
                "coordinates are in stored pixels"
            )
        if transfer := hdr_transfer(frame):
            self._notes.append(f"high dynamic range ({transfer}) was tone-mapped to standard range")

    def _note_size(self, index: int, shape: tuple[int, ...]) -> None:
        height, width = shape[:2]
        if (width, height) != (self.info.width, self.info.height) and not self._size_changed:
            self._size_changed = True
            self._notes.append(f"the picture's size changes to {width}x{height} at frame {index}")

    def _note_end(self, count: int, end: int) -> None:
        """Says how much is missing if the video ended before it should.

        Args:
            count: frames that were decoded.
            end: ticks at which the last of them ends.
        """
        expected = self.info.frame_count
        if self._decoder.failure is None and not self._ends_early(count, end):
            return
        of = f" of about {expected}" if expected else ""
        why = self.broken_by = self._decoder.failure or "the file is incomplete"
        self._notes.append(f"broke off after frame {count - 1}{of}: {why}")

    def _ends_early(self, count: int, end: int) -> bool:
        if self._stream.frames and count + self._decoder.skipped_packets >= self._stream.frames:
            return False
        duration = self._duration()
        if duration is None:
            return False
        missing = duration - Fraction(self._clock.seconds(end))
        if stream_duration(self._stream):
            return missing > Fraction(3, 2) * self._clock.step * self._clock.time_base
        # A container's duration is that of its longest stream, often the sound: be sure before saying so.
        return missing > max(Fraction(2), duration / 20)


def video_stream(container: InputContainer, path: str) -> VideoStream:
    """The main video of a file.

    Raises:
        PosecliError: there is none (a cover picture is not a video), its codec is unknown, or its pictures are huge.
    """
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        what = "only sound" if container.streams.audio else "no video"
        raise PosecliError(f"{path} holds {what}: give a file with pictures in it")
    best = container.streams.best("video")
    stream = best if best in videos else videos[0]
    if stream.codec_context is None:
        raise PosecliError(f"{path} is in a codec that this FFmpeg cannot decode: convert it to H.264")
    if stream.width * stream.height > MOST_FRAME_PIXELS:
        raise PosecliError(
            f"{path} has pictures of {stream.width} x {stream.height} pixels, more than the "
            f"{MOST_FRAME_PIXELS} that are read: convert it to a smaller size, if it is not damaged"
        )
    return stream


def _time_base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


def _rate(stream: VideoStream) -> Fraction | None:
    return stream.average_rate or stream.guessed_rate
