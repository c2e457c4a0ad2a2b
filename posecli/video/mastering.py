"""How bright a high dynamic range video gets, by what it says of itself (SMPTE ST 2086, CTA-861.3)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from posecli.video.tone_mapping import PEAK, PQ_PEAK

if TYPE_CHECKING:
    from av import VideoFrame
    from av.buffer import Buffer

# FFmpeg's structures: AVContentLightMetadata begins with MaxCLL; AVMasteringDisplayMetadata has ten fractions, of which
# the last is the greatest luminance, and then whether there are primaries and luminances.
_CONTENT_LIGHT = struct.Struct("=I")
_MASTERING_DISPLAY = struct.Struct("=72x2i4xi")


def peak_light(frame: VideoFrame) -> float:
    """The brightest light in cd/m2: of the content, else of the display that it was made on, else PEAK."""
    content = _told(frame, "CONTENT_LIGHT_LEVEL")
    if len(content) >= _CONTENT_LIGHT.size:
        (most,) = _CONTENT_LIGHT.unpack_from(content)
        if most:
            return float(min(most, PQ_PEAK))
    display = _told(frame, "MASTERING_DISPLAY_METADATA")
    if len(display) >= _MASTERING_DISPLAY.size:
        most, denominator, is_told = _MASTERING_DISPLAY.unpack_from(display)
        if is_told and most > 0 and denominator > 0:
            return float(min(most / denominator, PQ_PEAK))
    return PEAK


def _told(frame: VideoFrame, kind: str) -> bytes:
    """What a frame has beside its picture; nothing if it has none of this kind."""
    side = cast("Buffer | None", frame.side_data.get(kind))
    return b"" if side is None else bytes(side)
