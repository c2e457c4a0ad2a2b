"""Interlaced video: two moments woven line by line into one picture, taken apart again."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from av.error import BlockingIOError as NothingYetError
from av.error import EOFError as EndOfStreamError
from av.filter import Graph

if TYPE_CHECKING:
    from av import VideoFrame

# One picture a frame, that of the first field; frames that are not flagged as interlaced pass untouched.
FILTER, ARGUMENTS = "bwdif", "mode=send_frame:deint=interlaced"


def deinterlaced(frames: Generator[VideoFrame, None, None]) -> Generator[VideoFrame, None, None]:
    """The same frames at the same times; from the first that is flagged as interlaced on, without combing.

    FFmpeg's bwdif works out each missing line from its neighbours in space and time, so it holds two frames.
    """
    graph: _FieldFilter | None = None
    try:
        for frame in frames:
            if graph is None and not frame.interlaced_frame:
                yield frame
                continue
            if graph is not None and not graph.takes(frame):
                yield from graph.finish()
                graph = None
            graph = graph or _FieldFilter(frame)
            yield from graph.push(frame)
        if graph is not None:
            yield from graph.finish()
    finally:
        frames.close()


class _FieldFilter:
    """FFmpeg's filter for frames of one kind. It counts time in finer ticks, which are brought back."""

    def __init__(self, like: VideoFrame) -> None:
        self._kind = _kind(like)
        self._time_base = like.time_base
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=like.time_base
        )
        bwdif, sink = self._graph.add(FILTER, ARGUMENTS), self._graph.add("buffersink")
        source.link_to(bwdif)
        bwdif.link_to(sink)
        self._graph.configure()

    def takes(self, frame: VideoFrame) -> bool:
        return _kind(frame) == self._kind

    def push(self, frame: VideoFrame) -> Generator[VideoFrame, None, None]:
        self._graph.push(frame)
        yield from self._pull()

    def finish(self) -> Generator[VideoFrame, None, None]:
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Generator[VideoFrame, None, None]:
        while True:
            try:
                frame = self._graph.vpull()
            except (NothingYetError, EndOfStreamError):
                return
            if frame.pts is not None and frame.time_base and self._time_base:
                frame.pts = round(frame.pts * frame.time_base / self._time_base)
            frame.time_base = self._time_base
            yield frame


def _kind(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
