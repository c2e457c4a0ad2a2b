"""Which frame of a file is shown at a time, found without decoding any."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from typing import TYPE_CHECKING

from posecli.video.ffmpeg import open_container

if TYPE_CHECKING:
    from av import VideoStream

# Codecs of which every packet is one picture that is shown.
ONE_PICTURE_A_PACKET = frozenset(
    (
        "h264",
        "hevc",
        "mpeg4",
        "mpeg2video",
        "mjpeg",
        "prores",
        "ffv1",
        "png",
        "qtrle",
        "rawvideo",
        "dnxhd",
        "av1",
    )
)


def find_frame(path: str, stream: VideoStream, first_pts: int, ticks: Fraction) -> tuple[int, int] | None:
    """Number and timestamp of the first frame at or after a time, by the timestamps of the file's packets.

    Args:
        stream: of a container that stays as it is: the file is opened once more.
        first_pts: timestamp of the first frame that is decoded; earlier packets are not shown.
        ticks: the time, in the stream's ticks.

    Returns:
        None where packets don't tell: their codec may hide pictures, or a timestamp is missing or there twice.
        A number beyond the last frame's, with the time itself, where the video ends before.
    """
    if stream.codec_context.name not in ONE_PICTURE_A_PACKET:
        return None
    with open_container(path) as container:
        packets = container.demux(container.streams[stream.index])
        stamps = [packet.pts for packet in packets if packet.size and not packet.is_discard]
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) != len(stamps) or len(set(known)) != len(known):
        return None
    shown = sorted(stamp for stamp in known if stamp >= first_pts)
    number = bisect_left(shown, ticks)
    return number, shown[number] if number < len(shown) else round(ticks)
