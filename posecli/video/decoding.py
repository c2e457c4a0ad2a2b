"""Decoding that goes on after damage, and counts it."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from av.error import EOFError as EndOfStreamError
from av.error import FFmpegError

from posecli.video.ffmpeg import reason

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

# A few kilobytes can hold a gigantic picture; 8192 x 8192 is four times what 8K takes.
MOST_FRAME_PIXELS = 1 << 26
# Every decoding thread holds a frame or two, so the memory must not grow with the machine, nor much with the picture.
MAX_DECODING_THREADS = 8
MOST_PIXELS_AT_ONCE = 1 << 27


class Decoder:
    """The decoded frames of one stream, in display order.

    Args:
        threads: that decode, at most; 0: as many as there are cores.

    Attributes:
        skipped_packets: packets that could not be decoded at all.
        damaged_frames: frames that were decoded with errors concealed.
        interlaced_frames: frames that hold two moments, by their flag.
        last_error: why the latest packet was skipped.
        failure: why reading ended early, if it did.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, threads: int = 0) -> None:
        self._container = container
        self._stream = stream
        self.skipped_packets = 0
        self.damaged_frames = 0
        self.interlaced_frames = 0
        self.failure: str | None = None
        self.last_error: str | None = None
        pixels = max(1, stream.width * stream.height)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = max(
            1, min(threads or os.cpu_count() or 1, MAX_DECODING_THREADS, MOST_PIXELS_AT_ONCE // pixels)
        )
        # What the pictures themselves say may differ from what the container says of them.
        stream.codec_context.options = {"max_pixels": str(MOST_FRAME_PIXELS)}

    def frames(self) -> Generator[VideoFrame, None, None]:
        """Decodes to the end, or until it is closed."""
        for packet in self._packets():
            decoded = self._decode(packet)
            while decoded:
                frame = decoded.pop(0)
                self.damaged_frames += frame.is_corrupt
                self.interlaced_frames += frame.interlaced_frame
                yield frame

    def _packets(self) -> Iterator[Packet | None]:
        """The stream's packets, and at the end one that flushes the decoder."""
        try:
            yield from self._container.demux(self._stream)
        except FFmpegError as error:
            self.failure = reason(error)
            yield None

    def _decode(self, packet: Packet | None) -> list[VideoFrame]:
        try:
            return self._stream.decode(packet)
        except EndOfStreamError:
            return []
        except FFmpegError as error:
            self.skipped_packets += 1
            self.last_error = reason(error)
            return []
