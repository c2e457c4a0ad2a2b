"""Animated GIFs: one palette made from all frames, times kept to the hundredth of a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
import numpy as np
from av.error import FFmpegError
from av.filter import Graph

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.types import Frame, Image
from posecli.unfinished import Unfinished
from posecli.video.canvas import fit
from posecli.video.ffmpeg import ffmpeg_name, reason

TICK = Fraction(1, 100)  # seconds; GIF knows no finer times
SHORTEST = 2  # ticks; browsers slow frames that are shown for less down to a tenth of a second
LAST_FRAME_TICKS = 10
DITHERING = (
    "dither=bayer:bayer_scale=4:diff_mode=rectangle"  # a still pattern: what does not move does not flicker
)


class GifOutput:
    """A GIF that loops; a context manager. Memory does not grow with its length.

    The frames wait in a lossless video beside the output until all are there: only then is the palette known.
    Frames closer than SHORTEST to the one before are left out, so that the others keep their times.

    Args:
        path: the file to write.
        width: pixels of the pictures to come. Pictures of other sizes are fitted in, on black.
        height: pixels.

    Raises:
        PosecliError: nothing can be written there.
    """

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._size = width, height
        self._file = ReplacingFile(path, binary=True)
        self._first_s = 0.0
        self._last: int | None = None  # ticks

    def __enter__(self) -> Self:
        self._target = self._file.__enter__()
        self._waiting = Unfinished(self._file.target.with_suffix(".nut"))
        self._store = av.open(ffmpeg_name(self._waiting.path.absolute()), "w", format="nut")
        stream = self._store.add_stream("ffv1", rate=100)
        stream.width, stream.height = self._size
        stream.pix_fmt = "bgr0"
        stream.time_base = stream.codec_context.time_base = TICK
        self._stream = stream
        self._palette = Graph()
        self._palette_source = _add_source(self._palette, *self._size)
        _chain(self._palette_source, self._palette.add("palettegen", "stats_mode=full"), self._palette)
        return self

    def write(self, image: Image, frame: Frame) -> None:
        """Adds one picture, shown from the frame's time on."""
        if self._last is None:
            self._first_s = frame.time_s
        tick = round((frame.time_s - self._first_s) / float(TICK))
        if self._last is not None and tick < self._last + SHORTEST:
            return
        width, height = self._size
        if image.shape[:2] != (height, width):
            image = fit(image, width, height)
        with self._reported():
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24").reformat(format="bgr0")
            picture.pts, picture.time_base = tick, TICK
            self._palette_source.push(picture)
            self._store.mux(self._stream.encode(picture))
        self._last = tick

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with self._reported():
                    self._finish()
        except BaseException as failure:
            self._file.__exit__(type(failure), failure, failure.__traceback__)
            raise
        else:
            self._file.__exit__(kind, error, trace)
        finally:
            with suppress(FFmpegError, OSError):
                self._store.close()
            self._waiting.remove()

    def _finish(self) -> None:
        if self._last is None:
            raise PosecliError(
                f"no picture to write to {self._file.target}: choose frames that the source has"
            )
        self._store.mux(self._stream.encode(None))
        self._store.close()
        self._palette_source.push(None)
        palette = self._palette.pull()
        options = {"loop": "0", "final_delay": str(LAST_FRAME_TICKS)}
        with av.open(self._target, "w", format="gif", options=options) as output:
            stream = output.add_stream("gif", rate=100)
            stream.width, stream.height = self._size
            stream.pix_fmt = "pal8"
            stream.time_base = stream.codec_context.time_base = TICK
            for picture in self._in_palette(palette):
                output.mux(stream.encode(picture))
            output.mux(stream.encode(None))

    def _in_palette(self, palette: Any) -> Iterator[av.VideoFrame]:
        graph = Graph()
        pictures = _add_source(graph, *self._size)
        colours = graph.add_buffer(
            width=palette.width, height=palette.height, format=palette.format, time_base=TICK
        )
        mapping = graph.add("paletteuse", DITHERING)
        colours.link_to(mapping, 0, 1)
        _chain(pictures, mapping, graph)
        palette.pts, palette.time_base = 0, TICK
        colours.push(palette)
        colours.push(None)
        with av.open(ffmpeg_name(self._waiting.path.absolute())) as store:
            for picture in store.decode(video=0):
                assert picture.pts is not None
                assert picture.time_base is not None
                picture.pts = round(picture.pts * picture.time_base / TICK)  # the store has finer ticks
                picture.time_base = TICK
                pictures.push(picture)
                yield from _available(graph)
        pictures.push(None)
        yield from _available(graph)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (FFmpegError, OSError) as error:
            raise PosecliError(
                f"cannot write {self._file.target}: {reason(error)}; make room or choose another place"
            ) from error


def _add_source(graph: Graph, width: int, height: int) -> Any:
    return graph.add_buffer(width=width, height=height, format=av.VideoFormat("bgr0"), time_base=TICK)


def _chain(source: Any, filter_: Any, graph: Graph) -> None:
    """source > filter > sink, and the graph is complete."""
    source.link_to(filter_)
    filter_.link_to(graph.add("buffersink"))
    graph.configure()


def _available(graph: Graph) -> Iterator[av.VideoFrame]:
    """The frames that the graph has ready."""
    while True:
        try:
            yield cast(av.VideoFrame, graph.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return
