"""Videos in: frames, timestamps, sizes, and what is kept open meanwhile."""

from __future__ import annotations

import os
import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from posecli.types import VideoInfo
from posecli.video import open_source

from .making import corners, index_of, make_video, moving, read

UNEVEN_STEPS = [0, 1500, 4501, 6000, 15_000, 15_001, 21_000, 30_007, 31_000, 60_000]


def test_info_and_frames_of_an_ordinary_video(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, moving(12))
    info, frames, warnings = read(path)
    assert info == VideoInfo(str(path), 64, 48, 30.0, "1/90000", 12)
    assert [f.index for f in frames] == list(range(12))
    assert [index_of(f.image) for f in frames] == list(range(12))
    assert all(f.image.shape == (48, 64, 3) and f.image.dtype == np.uint8 for f in frames)
    assert all(f.image.flags.c_contiguous for f in frames)
    assert frames[3].time_s == pytest.approx(0.1, abs=1e-12)
    assert warnings == []


def test_b_frames_and_variable_rate_keep_every_timestamp_and_the_display_order(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(
        path, moving(10), UNEVEN_STEPS, options={"bf": "3", "b-adapt": "0", "x264-params": "bframes=3"}
    )
    with av.open(str(path)) as container:
        coded = [p.pts for p in container.demux(video=0) if p.size]
    assert coded != sorted(coded), "the test needs B-frames"
    _, frames, warnings = read(path)
    assert [f.pts for f in frames] == UNEVEN_STEPS
    assert [f.time_s for f in frames] == [ticks / 90_000 for ticks in UNEVEN_STEPS]
    assert [index_of(f.image) for f in frames] == list(range(10))
    assert warnings == []


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi", ".webm"])
def test_other_containers(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    codec = {".webm": "libvpx", ".avi": "mpeg4"}.get(suffix, "libx264")
    time_base = Fraction(1, 30) if suffix == ".avi" else Fraction(1, 90_000)
    make_video(path, moving(12), codec=codec, time_base=time_base, options={"b:v": "2M"})
    _, frames, warnings = read(path)
    # Transport streams do not begin at zero, but time_s does; Matroska counts milliseconds.
    assert [f.time_s for f in frames] == pytest.approx([i / 30 for i in range(12)], abs=0.00051)
    assert [index_of(f.image) for f in frames] == list(range(12))
    assert warnings == []


def test_pixels_that_are_not_square_are_warned_about_and_left_alone(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, moving(3), aspect=Fraction(4, 3))
    info, frames, warnings = read(path)
    assert (info.width, info.height) == (64, 48)
    assert frames[0].image.shape == (48, 64, 3)
    assert len(warnings) == 1
    assert "4:3" in warnings[0]


def test_a_trimmed_file_gives_what_its_edit_list_shows_and_is_not_called_incomplete(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, moving(30), options={"bf": "0", "g": "10"})
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12  # version and flags, count; then duration (milliseconds) and start (ticks)
    data[at : at + 4] = (500).to_bytes(4, "big")
    data[at + 4 : at + 8] = (12 * 3000).to_bytes(4, "big")
    path.write_bytes(data)
    info, frames, warnings = read(path)
    assert [index_of(f.image) for f in frames] == list(range(12, 27))
    assert [f.time_s for f in frames] == pytest.approx([k / 30 for k in range(15)])
    assert info.frame_count == 15
    assert warnings == []


def test_odd_sizes(tmp_path):
    path = tmp_path / "a.mkv"
    image = corners(65, 49)
    make_video(path, [image] * 2, codec="ffv1", pix_fmt="bgra")
    info, frames, _ = read(path)
    assert (info.width, info.height) == (65, 49)
    np.testing.assert_array_equal(frames[0].image, image)


def test_missing_timestamps_are_derived_from_the_rate(tmp_path):
    """A bare H.264 stream has no timestamps at all."""
    path = tmp_path / "a.h264"
    make_video(path, moving(8), options={"bf": "0"})
    _, frames, _ = read(path)
    steps = np.diff([f.time_s for f in frames])
    assert len(frames) == 8
    assert frames[0].time_s == 0
    assert steps == pytest.approx(steps[0])
    assert steps[0] > 0


def test_no_earlier_frame_is_held(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, moving(60))
    earlier: list[weakref.ref[np.ndarray]] = []
    with open_source(path) as source:
        for frame in source.frames():
            assert all(image() is None for image in earlier)
            earlier.append(weakref.ref(frame.image))
            del frame
    assert len(earlier) == 60


def test_frames_can_be_gone_through_once(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, moving(3))
    with open_source(path) as source:
        list(source.frames())
        with pytest.raises(RuntimeError, match="once"):
            list(source.frames())


def test_no_more_frames_once_closed(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, moving(30))
    source = open_source(path)
    frames = source.frames()
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    assert source.warnings == []


def test_the_file_is_closed(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, moving(3))

    def opened() -> bool:
        links = Path("/proc/self/fd").iterdir()
        return str(path) in [os.path.realpath(link) for link in links]

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    with open_source(path) as source:
        next(source.frames())
        assert opened()
    assert not opened()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted as Linux does")
@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_threads_decode_than_are_allowed_and_the_pictures_are_the_same(tmp_path, threads):
    path = tmp_path / "a.mp4"
    make_video(path, moving(8, 320, 240))
    _, expected, _ = read(path)

    def running():
        return len(list(Path("/proc/self/task").iterdir()))

    before = running()
    with open_source(path, threads=threads) as source:
        frames, most = [], 0
        for frame in source.frames():
            frames.append(frame.image)
            most = max(most, running() - before)
    # One decodes in the thread that reads; several are threads of their own, and so is the scaler's second.
    assert most <= (0 if threads == 1 else threads + 2)
    assert threads == 1 or most >= threads
    for image, frame in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(image, frame.image)
