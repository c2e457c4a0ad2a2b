"""Decoded frames to RGB, with the matrix, the range and the transfer function that they were made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc, Interpolation, VideoReformatter
from av.video.reformatter import Colorspace as Matrix

from posecli.types import Image

if TYPE_CHECKING:
    from av import VideoFrame

_UNSPECIFIED = 2  # FFmpeg's number for "not stated", of matrices and of primaries alike
_HDR_TRANSFERS: dict[int, str] = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}
# Interpolates chroma at full resolution: sharper colours at no cost (exact rounding would cost tenfold).
_SCALING = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT
_SCALING_THREADS = 2


class RGBConverter:
    """Converts a stream's frames to RGB; keeps swscale's tables between frames."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Image:
        """(height, width, 3) uint8, as stored (not yet upright).

        Deeper pictures are rounded to 8 bits. High dynamic range becomes BT.709 with reference white
        (203 cd/m2 for PQ, 75 % for HLG; ITU-R BT.2408) at full scale; what is brighter is clipped. swscale
        takes a few seconds to prepare for that, once. What is transparent becomes black: straight alpha over black.
        """
        rgb = self._reformatter.reformat(
            frame,
            format="rgba" if has_alpha(frame) else "rgb24",
            src_colorspace=_assumed_matrix(frame),
            interpolation=_SCALING,
            threads=_SCALING_THREADS,
            **_standard_range(frame),
        )
        image = cast(Image, rgb.to_ndarray())
        return over_black(image) if image.shape[2] == 4 else image


def has_alpha(frame: VideoFrame) -> bool:
    """Whether a frame has an opacity of its own for each pixel."""
    return any(component.is_alpha for component in frame.format.components)


def over_black(rgba: Image) -> Image:
    """(height, width, 4) with straight alpha, composited on black: (height, width, 3), rounded."""
    opacity = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * opacity + 127) // 255).astype(np.uint8)


def hdr_transfer(frame: VideoFrame) -> str | None:
    """The name of a high dynamic range transfer function, or None for ordinary video."""
    return _HDR_TRANSFERS.get(frame.color_trc)


def _standard_range(frame: VideoFrame) -> dict[str, Any]:
    """What swscale must be asked for so that high dynamic range becomes ordinary video."""
    if hdr_transfer(frame) is None:
        return {}
    if frame.color_primaries == _UNSPECIFIED:
        frame.color_primaries = ColorPrimaries.BT2020
    return {"dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}


def _assumed_matrix(frame: VideoFrame) -> Matrix | None:
    """The YCbCr matrix of a frame that states none: BT.709 for high definition, else BT.601."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    if hdr_transfer(frame):
        return Matrix.BT2020
    is_high_definition = frame.width >= 1280 or frame.height > 576
    return Matrix.ITU709 if is_high_definition else Matrix.ITU601
