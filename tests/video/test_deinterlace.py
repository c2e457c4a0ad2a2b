"""Interlaced video made of known fields, and what is read of it."""

from fractions import Fraction

import av
import numpy as np
import pytest

from posecli.video import open_source

from .making import make_video

COUNT, WIDTH, HEIGHT = 12, 96, 64


def bar(position):
    """A white bar on black, 16 pixels wide."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:, position : position + 16] = 255
    return image


def woven(index, first):
    """Two moments in one picture: the first field's lines show the bar at 4 i, the second's at 4 i + 2."""
    image = bar(4 * index + 2)
    image[first::2] = bar(4 * index)[first::2]
    return image


def encode(path, order, first):
    """Lossless H.264 in fields; "tff" or "bff" is the order that its frames state. Returns their ticks."""
    graph = av.filter.Graph()
    base = Fraction(1, 25)
    nodes = [
        graph.add_buffer(width=WIDTH, height=HEIGHT, format="yuv444p", time_base=base),
        graph.add("setfield", order),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    with av.open(str(path), "w") as output:
        options = {"flags": "+ildct+ilme", "qp": "0"}
        stream = output.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = WIDTH, HEIGHT, "yuv444p", base
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(woven(index, first), format="rgb24").reformat(format="yuv444p")
            frame.pts, frame.time_base = index, base
            graph.push(frame)
            output.mux(stream.encode(graph.vpull()))
        output.mux(stream.encode(None))


def combing(image):
    """How much neighbouring lines differ, on average; a picture of upright edges has none."""
    return float(np.abs(np.diff(image[8:-8].astype(int), axis=0)).mean())


@pytest.mark.parametrize(("order", "first"), [("tff", 0), ("bff", 1)])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_flagged_pictures_are_those_of_the_first_field(tmp_path, order, first, suffix):
    path = tmp_path / f"a{suffix}"
    encode(path, order, first)
    with av.open(str(path)) as container:
        raw = next(container.decode(video=0))
        assert raw.interlaced_frame
        assert combing(raw.to_ndarray(format="rgb24")) > 5
    with open_source(path) as video:
        frames = list(video.frames())
        assert any("interlaced" in warning for warning in video.warnings)
    assert len(frames) == COUNT
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(COUNT) / 25, atol=0.001)
    for index, frame in enumerate(frames[2:-1], 2):
        assert combing(frame.image) < 1.5
        np.testing.assert_allclose(
            frame.image[first + 8 : -8 : 2], bar(4 * index)[first + 8 : -8 : 2], atol=12
        )


def test_progressive_pictures_are_left_alone(tmp_path):
    """Lines that really alternate stay so where nothing is flagged."""
    path = tmp_path / "a.mkv"
    make_video(path, [woven(i, 0) for i in range(3)], pix_fmt="yuv444p", options={"qp": "0"})
    with open_source(path) as video:
        frames = list(video.frames())
        assert video.warnings == []
    np.testing.assert_allclose(frames[1].image, woven(1, 0), atol=4)
