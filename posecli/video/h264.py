"""Pictures to H.264 as browsers and players take it: 4:2:0, 8 bits, BT.709, limited range."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from posecli.errors import PosecliError
from posecli.types import Image
from posecli.video.canvas import even, pad_to_even

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import OutputContainer

ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf")  # by preference
CRF = 18  # visually lossless
PRESET = "veryfast"  # a speed that does not hold up the estimation
BITS_PER_PIXEL = 0.15  # for encoders that know no constant quality
MAX_ENCODING_THREADS = 8


class H264Stream:
    """The video stream of an output.

    Args:
        output: the container to mux into; its header must not have been written yet.
        width: pixels; an odd width or height is coded with its last column or row repeated.
        height: pixels.
        time_base: seconds a tick of the timestamps.
        rate: frames a second, about; the timestamps say when each is shown.
        aspect: width over height of one pixel.
        crf: x264's constant rate factor, 0 (without loss) to 51; other encoders know none.

    Raises:
        PosecliError: FFmpeg has no encoder for H.264, or it refuses this size.
    """

    def __init__(
        self,
        output: OutputContainer,
        width: int,
        height: int,
        time_base: Fraction,
        rate: Fraction,
        aspect: Fraction = Fraction(1),
        crf: int = CRF,
    ) -> None:
        name = find_encoder()
        self._output = output
        self._time_base = time_base
        self._duration = max(1, round(1 / (rate * time_base)))
        self._reformatter = VideoReformatter()
        options = {"crf": str(crf), "preset": PRESET} if name == "libx264" else {}
        stream = output.add_stream(name, rate=rate, options=options, width=even(width), height=even(height))
        self._stream = cast("VideoStream", stream)
        self._stream.time_base = time_base
        context = self._stream.codec_context
        context.time_base = time_base
        context.pix_fmt = "yuv420p"
        context.sample_aspect_ratio = aspect
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        # Without it the last frame would be shown for no time at all.
        context.flags |= Flags.frame_duration
        context.thread_count = min(os.cpu_count() or 1, MAX_ENCODING_THREADS)
        if name != "libx264":
            context.bit_rate = int(width * height * rate * Fraction(BITS_PER_PIXEL))
        try:
            context.open()
        except (av.error.FFmpegError, OSError) as error:
            raise PosecliError(
                f"{name} cannot encode {width}x{height} video: give a smaller picture"
            ) from error

    def encode(self, image: Image, pts: int) -> None:
        """Encodes one picture, (height, width, 3) RGB, to be shown from `pts` on."""
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(pad_to_even(image)), format="rgb24")
        frame = self._reformatter.reformat(
            rgb, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts = pts
        frame.time_base = self._time_base
        frame.duration = self._duration
        self._output.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Writes the frames that the encoder still holds."""
        self._output.mux(self._stream.encode(None))


def find_encoder() -> str:
    """The best H.264 encoder that this FFmpeg has.

    Raises:
        PosecliError: it has none.
    """
    for name in ENCODERS:
        try:
            av.Codec(name, "w")
        except UnknownCodecError:
            continue
        return name
    raise PosecliError(
        "this FFmpeg has no H.264 encoder: reinstall PyAV from its wheels (pip install --force av)"
    )
