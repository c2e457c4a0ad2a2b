"""Colours by matrix and range, and every pixel format."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from .making import make_video, moving, read

# Luma weights of red and blue, from the standards themselves (ITU-R BT.601-7 and BT.709-6).
LUMA_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}


def ycbcr(rgb: tuple[int, int, int], matrix: str, full_range: bool) -> tuple[int, int, int]:
    kr, kb = LUMA_WEIGHTS[matrix]
    r, g, b = (value / 255 for value in rgb)
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    if full_range:
        return round(255 * y), round(128 + 255 * cb), round(128 + 255 * cr)
    return round(16 + 219 * y), round(128 + 224 * cb), round(128 + 224 * cr)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize(
    ("tags", "size", "matrix", "full_range"),
    [
        ({"colorspace": 1, "color_range": 1}, (64, 48), "bt709", False),
        ({"colorspace": 1, "color_range": 2}, (64, 48), "bt709", True),
        ({"colorspace": 6, "color_range": 1}, (64, 48), "bt601", False),
        ({"colorspace": 5, "color_range": 2}, (64, 48), "bt601", True),
        ({}, (64, 48), "bt601", False),  # unsaid and small: standard definition
        ({}, (1280, 16), "bt709", False),  # unsaid and wide: high definition
    ],
)
def test_colours_by_matrix_and_range(tmp_path, pix_fmt, tags, size, matrix, full_range):
    """Planes filled with what the standards say a colour is must come back as that colour."""
    path = tmp_path / "a.mp4"
    colour = (200, 90, 40)
    width, height = size
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        frame = av.VideoFrame(width, height, pix_fmt)
        for plane, level in zip(frame.planes, ycbcr(colour, matrix, full_range), strict=True):
            plane.update(bytes([level]) * plane.buffer_size)
        frame.color_range = tags.get("color_range", 0)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    _, frames, _ = read(path)
    assert np.abs(frames[0].image.astype(int) - colour).max() <= 2


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("ten.mp4", "libx265", "yuv420p10le"),
        ("ten422.mov", "prores_ks", "yuv422p10le"),
        ("grey.mkv", "ffv1", "gray"),
        ("grey10.mkv", "ffv1", "gray10le"),
        ("alpha.mkv", "ffv1", "yuva420p"),
        ("bgra.mkv", "ffv1", "bgra"),
        ("rgb.avi", "rawvideo", "bgr24"),
        ("palette.gif", "gif", "rgb8"),
    ],
)
def test_any_pixel_format_becomes_8_bit_rgb(tmp_path, name, codec, pix_fmt):
    path = tmp_path / name
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    make_video(
        path, moving(5), codec=codec, pix_fmt=pix_fmt, time_base=Fraction(1, 25), rate=25, options=options
    )
    _, frames, warnings = read(path)
    assert len(frames) == 5
    assert frames[4].image.shape == (48, 64, 3)
    assert frames[4].image.dtype == np.uint8
    tolerance = 64 if pix_fmt == "rgb8" else 4
    assert np.abs(frames[4].image[10, 10].astype(int) - 44).max() <= tolerance
    assert np.abs(frames[4].image[10, 60].astype(int) - 200).max() <= tolerance
    assert warnings == []
