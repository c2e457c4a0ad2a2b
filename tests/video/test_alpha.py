"""Transparency: what is opaque keeps its colour, what is transparent becomes black."""

import av
import cv2
import numpy as np
import pytest

from posecli.video import open_source

COLOUR = (200, 100, 50)


def quarters(alphas):
    """One colour everywhere, with another opacity in each column of 16 pixels."""
    image = np.empty((48, 64, 4), np.uint8)
    image[..., :3] = COLOUR
    for i, alpha in enumerate(alphas):
        image[:, 16 * i : 16 * (i + 1), 3] = alpha
    return image


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mov", "qtrle", "argb"),
        ("a.mov", "png", "rgba"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mkv", "ffv1", "yuva420p"),
    ],
)
def test_a_video(tmp_path, name, codec, pix_fmt):
    path = tmp_path / name
    alphas = (255, 128, 64, 0)
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        output.mux(
            stream.encode(
                av.VideoFrame.from_ndarray(quarters(alphas), format="rgba").reformat(format=pix_fmt)
            )
        )
        output.mux(stream.encode(None))
    with open_source(path) as video:
        (frame,) = video.frames()
    assert frame.image.shape == (48, 64, 3)
    for i, alpha in enumerate(alphas):
        np.testing.assert_allclose(frame.image[24, 16 * i + 8], np.array(COLOUR) * alpha / 255, atol=5)


def test_a_png(tmp_path):
    rgba = quarters((255, 128, 64, 0))
    cv2.imwrite(str(tmp_path / "a.png"), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
    with open_source(tmp_path / "a.png") as pictures:
        (frame,) = pictures.frames()
    np.testing.assert_array_equal(frame.image[24, 8], COLOUR)
    np.testing.assert_array_equal(frame.image[24, 24], np.round(np.array(COLOUR) * 128 / 255))
    np.testing.assert_array_equal(frame.image[24, 56], 0)
