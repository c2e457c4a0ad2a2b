"""Decoded frames to RGB, with the matrix and the range that they were made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from av.video.reformatter import Colorspace as Matrix
from av.video.reformatter import ColorTrc, Interpolation, VideoReformatter

from posecli.types import Image

if TYPE_CHECKING:
    from av import VideoFrame

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
_HDR_TRANSFERS: dict[int, str] = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}
# Interpolates chroma at full resolution and rounds instead of truncating: a level or two nearer the truth.
_SCALING = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
_SCALING_THREADS = 2


class RGBConverter:
    """Converts a stream's frames to RGB; keeps swscale's tables between frames."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Image:
        """(height, width, 3) uint8, as stored (not yet upright). Deeper pictures are rounded to 8 bits."""
        rgb = self._reformatter.reformat(
            frame,
            format="rgb24",
            src_colorspace=_assumed_matrix(frame),
            interpolation=_SCALING,
            threads=_SCALING_THREADS,
        )
        return cast(Image, rgb.to_ndarray())


def _assumed_matrix(frame: VideoFrame) -> Matrix | None:
    """The YCbCr matrix of a frame that states none: BT.709 for high definition, else BT.601."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    is_high_definition = frame.width >= 1280 or frame.height > 576
    return Matrix.ITU709 if is_high_definition else Matrix.ITU601


def hdr_transfer(frame: VideoFrame) -> str | None:
    """The name of a high dynamic range transfer function, or None for ordinary video."""
    return _HDR_TRANSFERS.get(frame.color_trc)
