"""Small videos made on the spot, with known pictures, timestamps, sound and damage."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from posecli.types import Frame, VideoInfo
from posecli.video import open_source

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 40), (40, 50, 210), (128, 128, 128)
TICKS = Fraction(1, 90_000)


def corners(width: int = 64, height: int = 48) -> np.ndarray:
    """Red top left, green top right, blue bottom left, grey bottom right."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = RED
    image[: height // 2, width // 2 :] = GREEN
    image[height // 2 :, : width // 2] = BLUE
    image[height // 2 :, width // 2 :] = GREY
    return image


def corner_names(image: np.ndarray) -> list[str]:
    """The colours at top left, top right, bottom left and bottom right."""
    names = {"red": RED, "green": GREEN, "blue": BLUE, "grey": GREY}
    height, width = image.shape[:2]
    found = []
    for y, x in [(4, 4), (4, width - 5), (height - 5, 4), (height - 5, width - 5)]:
        distance = {name: np.abs(image[y, x].astype(int) - colour).max() for name, colour in names.items()}
        name = min(distance, key=distance.__getitem__)
        assert distance[name] < 30, f"{image[y, x]} at {x}, {y} is none of the colours"
        found.append(name)
    return found


def moving(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Pictures that tell their index, modulo 32: their left half is as bright as 20 + 6 index."""
    images = []
    for index in range(count):
        image = np.full((height, width, 3), 200, np.uint8)
        image[:, : width // 2] = 20 + 6 * (index % 32)
        images.append(image)
    return images


def index_of(image: np.ndarray) -> int:
    """The index of a picture made by moving(), modulo 32."""
    return round((float(image[:, : image.shape[1] // 2 - 4].mean()) - 20) / 6)


def make_video(
    path: Path,
    images: Sequence[np.ndarray],
    pts: Sequence[int] | None = None,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    time_base: Fraction = TICKS,
    rate: int = 30,
    options: dict[str, str] | None = None,
    turn: tuple[float, bool] | None = None,
    colour: dict[str, int] | None = None,
    aspect: Fraction | None = None,
    sound: str | None = None,
    sound_seconds: float | None = None,
    muxer: dict[str, str] | None = None,
) -> list[int]:
    """Encodes pictures and returns their timestamps in ticks.

    `turn` is (degrees counter-clockwise, mirrored) of the display matrix; `colour` sets attributes of the
    codec context; `sound` is the name of an audio encoder.
    """
    step = round(1 / (rate * time_base))
    pts = list(pts) if pts is not None else [step * index for index in range(len(images))]
    with av.open(str(path), "w", container_options=muxer or {}) as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = time_base
        for name, value in (colour or {}).items():
            setattr(stream.codec_context, name, value)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(turn[0], turn[1])
        audio = output.add_stream(sound, rate=48_000, layout="stereo") if sound else None
        if audio:
            seconds = sound_seconds or float((pts[-1] + step) * time_base)
            for frame in tone(seconds, audio.codec_context.format.name):
                output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
        to_yuv = VideoReformatter()
        for image, ticks in zip(images, pts, strict=True):
            rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame = to_yuv.reformat(
                rgb,
                format=pix_fmt,
                dst_colorspace=(colour or {}).get("colorspace"),
                dst_color_range=(colour or {}).get("color_range"),
            )
            frame.pts, frame.time_base = ticks, time_base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return pts


def tone(seconds: float, sample_format: str):
    """A stereo sine of 440 Hz in frames of 1024 samples."""
    resampler = av.AudioResampler(format=sample_format, layout="stereo", rate=48_000)
    times = np.arange(int(seconds * 48_000)) / 48_000
    samples = (0.4 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    for start in range(0, len(samples), 1024):
        block = samples[start : start + 1024]
        frame = av.AudioFrame.from_ndarray(np.stack([block, block]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        yield from resampler.resample(frame)


def read(path: Path, rotate: int | None = None) -> tuple[VideoInfo, list[Frame], list[str]]:
    """What posecli says of a video, all its frames, and what it warned about."""
    with open_source(path, rotate=rotate) as source:
        frames = list(source.frames())
        return source.info, frames, source.warnings


def decoded_pts(path: Path) -> list[Fraction]:
    """Seconds at which each frame is shown, by PyAV alone."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def packets(path: Path, kind: str) -> list[tuple[bytes, Fraction]]:
    """The bytes and the time of every packet of the first stream of a kind."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [(bytes(p), p.pts * p.time_base) for p in container.demux(stream) if p.size]
