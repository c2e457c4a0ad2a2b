"""Decoded frames to RGB, with the matrix, the range and the transfer function that they were made with."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorPrimaries, ColorTrc, Interpolation, VideoReformatter
from av.video.reformatter import Colorspace as Matrix

from posecli.types import Image
from posecli.video.mastering import peak_light
from posecli.video.tone_mapping import PEAK, WideColourConverter

if TYPE_CHECKING:
    from av import VideoFrame

_UNSPECIFIED = 2  # FFmpeg's number for "not stated", of matrices and of primaries alike
_HDR_TRANSFERS: dict[int, str] = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}
# Interpolates chroma at full resolution: sharper colours at no cost (exact rounding would cost tenfold).
_SCALING = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT
_MAX_SCALING_THREADS = 2


class RGBConverter:
    """Converts a stream's frames to RGB; keeps the tables between frames.

    Args:
        threads: that convert, at most; 0: as many as are of use.
    """

    def __init__(self, threads: int = 0) -> None:
        self._threads = min(threads or _MAX_SCALING_THREADS, _MAX_SCALING_THREADS)
        self._reformatter = VideoReformatter()
        self._wide = lru_cache(maxsize=4)(
            WideColourConverter
        )  # a file may tell something else with every frame

    def __call__(self, frame: VideoFrame) -> Image:
        """(height, width, 3) uint8, as stored (not yet upright).

        Deeper pictures are rounded to 8 bits. High dynamic range is tone-mapped, and BT.2020's colours become
        BT.709's (posecli.video.tone_mapping). What is transparent becomes black: straight alpha over black.
        """
        transfer, is_wide = hdr_transfer(frame), _is_wide(frame)
        if transfer is None and not is_wide:
            return over_black(self._rgb(frame, deep=False))
        peak = peak_light(frame) if transfer == "PQ" else PEAK
        deep = self._rgb(frame, deep=True)
        image = self._wide(transfer, is_wide=is_wide, peak=peak)(deep[..., :3])
        if deep.shape[2] == 3:
            return image
        return over_black(np.dstack([image, (deep[..., 3:] >> 8).astype(np.uint8)]))

    def _rgb(self, frame: VideoFrame, *, deep: bool) -> npt.NDArray[Any]:
        """(height, width, 3), or 4 with opacity: uint8, or uint16 if deep; its matrix and range undone, no more."""
        name = ("rgba64le" if deep else "rgba") if has_alpha(frame) else ("rgb48le" if deep else "rgb24")
        converted = self._reformatter.reformat(
            frame,
            format=name,
            src_colorspace=_assumed_matrix(frame),
            interpolation=_SCALING,
            threads=self._threads,
        )
        return cast(npt.NDArray[Any], converted.to_ndarray())


def has_alpha(frame: VideoFrame) -> bool:
    """Whether a frame has an opacity of its own for each pixel."""
    return any(component.is_alpha for component in frame.format.components)


def over_black(image: Image) -> Image:
    """(height, width, 4) with straight alpha, composited on black: (height, width, 3), rounded; 3 stay as they are."""
    if image.shape[2] == 3:
        return image
    opacity = image[..., 3:].astype(np.uint16)
    return ((image[..., :3] * opacity + 127) // 255).astype(np.uint8)


def hdr_transfer(frame: VideoFrame) -> str | None:
    """The name of a high dynamic range transfer function, or None for ordinary video."""
    return _HDR_TRANSFERS.get(frame.color_trc)


def _is_wide(frame: VideoFrame) -> bool:
    """Whether the primaries are BT.2020's: they say so, or it is high dynamic range that doesn't say."""
    if frame.color_primaries == _UNSPECIFIED:
        return hdr_transfer(frame) is not None
    return bool(frame.color_primaries == ColorPrimaries.BT2020)


def _assumed_matrix(frame: VideoFrame) -> Matrix | None:
    """The YCbCr matrix of a frame that states none: BT.709 for high definition, else BT.601."""
    if frame.colorspace != _UNSPECIFIED:
        return None
    if hdr_transfer(frame):
        return Matrix.BT2020
    is_high_definition = frame.width >= 1280 or frame.height > 576
    return Matrix.ITU709 if is_high_definition else Matrix.ITU601
