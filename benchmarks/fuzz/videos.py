"""Videos and pictures that are broken or lie about themselves."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.fuzz.damage import DAMAGES, EXTREMES
from benchmarks.fuzz.trial import Trial

WIDTH, HEIGHT, FRAMES = 64, 48, 5
# The container by the file's suffix, and a codec for it.
CODECS = {".mp4": "libx264", ".mkv": "mpeg4", ".ts": "mpeg2video", ".avi": "mjpeg", ".webm": "libvpx"}
PICTURES = (".png", ".jpg", ".bmp", ".tif", ".webp")
CLIP = "clip.mkv"
# Where the picture's width stands, the height right after it: what comes before, bytes between, and the integers' form.
SIZES = {
    ".mp4": (b"avc1", 24, ">H"),
    ".avi": (b"strf", 8, "<i"),
    ".png": (b"IHDR", 0, ">I"),
    ".bmp": (b"BM", 16, "<i"),
    ".jpg": (b"\xff\xc0", 3, ">H"),
}
TIME_BOXES = (b"mvhd", b"tkhd", b"mdhd", b"stts", b"elst", b"stsz", b"stsc", b"stco", b"ctts")


def video_trial(rng: random.Random, folder: Path) -> Trial:
    """Lays a harmed video or picture into the folder, and says which command is to meet it."""
    harm, suffix, data = rng.choice(HARMS)(rng)
    name = f"harmed{suffix}"
    (folder / name).write_bytes(data)
    command = rng.choice(("estimate", "estimate", "detect", "render", "view"))
    if command == "estimate":
        output = rng.choice(("poses.json", "poses.csv"))
        return Trial(harm, ("estimate", name, "-o", output, "--device", "cpu", "--threads", "1"), output)
    if command == "detect":
        arguments = ("detect", name, "-o", "boxes.json", "--device", "cpu", "--threads", "1")
        return Trial(harm, arguments, "boxes.json")
    from benchmarks.fuzz.seeds import seed

    (folder / "people.json").write_bytes(seed("coco"))
    if command == "render":
        return Trial(harm, ("render", name, "people.json", "-o", "drawn.mp4"), "drawn.mp4")
    return Trial(harm, ("view", "people.json", "--video", name, "-o", "page.html"), "page.html")


@cache
def clip(suffix: str) -> bytes:
    """A small whole video of this kind; the noise gives its file a size."""
    import io

    file = io.BytesIO()
    random_ = np.random.default_rng(0)
    with av.open(file, "w", format={".mkv": "matroska", ".ts": "mpegts"}.get(suffix, suffix[1:])) as out:
        stream = out.add_stream(CODECS[suffix], rate=Fraction(25))
        stream.width, stream.height = WIDTH, HEIGHT  # type: ignore[union-attr]
        stream.pix_fmt = "yuvj420p" if suffix == ".avi" else "yuv420p"  # type: ignore[union-attr]
        for _ in range(FRAMES):
            image = random_.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image)))  # type: ignore[union-attr,arg-type]
        out.mux(stream.encode(None))  # type: ignore[union-attr]
    return file.getvalue()


@cache
def sound_only(suffix: str) -> bytes:
    import io

    file = io.BytesIO()
    with av.open(file, "w", format={".mkv": "matroska"}.get(suffix, suffix[1:])) as out:
        stream = out.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))  # type: ignore[union-attr,arg-type]
        out.mux(stream.encode(None))  # type: ignore[union-attr]
    return file.getvalue()


@cache
def picture(suffix: str) -> bytes:
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    return cv2.imencode(suffix, image)[1].tobytes()


def _whole(suffix: str) -> bytes:
    return clip(suffix) if suffix in CODECS else picture(suffix)


def _damaged(rng: random.Random) -> tuple[str, str, bytes]:
    suffix, harm = rng.choice((*CODECS, *PICTURES)), rng.choice(tuple(DAMAGES))
    return harm, suffix, DAMAGES[harm](_whole(suffix), rng)


def _huge(rng: random.Random) -> tuple[str, str, bytes]:
    """A header that promises a picture of up to 2^31 pixels a side."""
    suffix = rng.choice(tuple(SIZES))
    data, (before, between, form) = bytearray(_whole(suffix)), SIZES[suffix]
    at = data.index(before) + len(before) + between
    largest = (1 << 8 * struct.calcsize(form) - form[-1].islower()) - 1 if form != ">H" else 0xFFFF
    sides = [min(rng.choice((0, 1, 20_000, 30_000, 65_535, 1 << 20, 1 << 31)), largest) for _ in range(2)]
    data[at : at + 2 * struct.calcsize(form)] = struct.pack(form[0] + 2 * form[1], *sides)
    if suffix == ".png":  # the checksum of the header is right
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return "sizes that are not", suffix, bytes(data)


def _bomb(rng: random.Random) -> tuple[str, str, bytes]:
    """A whole picture, a few kilobytes in the file and hundreds of megabytes in memory."""
    side = rng.choice((12_000, 20_000, 32_000))
    rows = zlib.compress(bytes(side * (side // 8 + 1)), 1)
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    data = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return "a huge picture, packed small", ".png", b"\x89PNG\r\n\x1a\n" + data


def _wrong_times(rng: random.Random) -> tuple[str, str, bytes]:
    """Durations, counts and offsets of an MP4's tables."""
    data = bytearray(clip(".mp4"))
    for _ in range(rng.choice((1, 2, 4))):
        box = rng.choice([name for name in TIME_BOXES if name in data])
        at = data.index(box) + 8 + 4 * rng.randrange(5)
        data[at : at + 4] = rng.choice(EXTREMES).to_bytes(4, "big")
    return "durations and tables that lie", ".mp4", bytes(data)


def _wrong_box(rng: random.Random) -> tuple[str, str, bytes]:
    """The size of one of an MP4's boxes."""
    data = bytearray(clip(".mp4"))
    box = rng.choice(
        [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"mdat", b"avcC", b"udta", b"ftyp"]
    )
    at = data.find(box)
    if at >= 4:
        data[at - 4 : at] = rng.choice((*EXTREMES, 8, 16)).to_bytes(4, "big")
    return "a box's size that lies", ".mp4", bytes(data)


def _nothing(rng: random.Random) -> tuple[str, str, bytes]:
    """No picture in it at all."""
    suffix = rng.choice((".mp4", ".mkv"))
    whole = clip(suffix)
    header = (
        whole[: whole.index(b"mdat") + 4] if suffix == ".mp4" else whole[: whole.index(b"\x1f\x43\xb6\x75")]
    )
    choices = {
        "no frames": header,
        "only sound": sound_only(suffix),
        "empty": b"",
        "noise": rng.randbytes(5000),
        "text": b"no video\n" * 200,
        "zeros": bytes(20_000),
    }
    harm = rng.choice(tuple(choices))
    return harm, suffix, choices[harm]


def _playlist(rng: random.Random) -> tuple[str, str, bytes]:
    """Files that make FFmpeg open others: itself, ones elsewhere, ones on the network."""
    target = rng.choice(
        ("/etc/passwd", "../../secret.txt", "harmed.mp4", "http://127.0.0.1:9/x.ts", "/dev/zero")
    )
    texts = {
        "an HLS playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
        "an endless HLS playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n",
        "a concat script": f"ffconcat version 1.0\nfile '{target}'\n",
        "a session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    }
    harm = rng.choice(tuple(texts))
    return harm, rng.choice((".mp4", ".m3u8", ".sdp", ".txt")), texts[harm].encode()


Harm = Callable[[random.Random], tuple[str, str, bytes]]
# More often what is found in the wild: damage.
HARMS: tuple[Harm, ...] = (
    *(_damaged,) * 8, _huge, _huge, _bomb, _wrong_times, _wrong_times, _wrong_box, _nothing, _playlist,
)  # fmt: skip
