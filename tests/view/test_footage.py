"""Which videos browsers play, and what becomes of the others; poses and their video brought together."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from posecli.errors import PosecliError, UsageError
from posecli.types import Recording, VideoInfo
from posecli.video import VideoWriter, open_source
from posecli.view import footage
from posecli.view.footage import EmbeddedVideo, LinkedVideo, prepare
from posecli.view.matching import match

from .conftest import HEIGHT, WIDTH, frame, person, recording

TIMES = [0.0, 0.04, 0.12, 0.16]


def clip(path: Path, times: list[float] = TIMES) -> Path:
    with VideoWriter(path, width=WIDTH, height=HEIGHT, frame_rate=100) as writer:
        for i, time_s in enumerate(times):
            writer.write(np.full((HEIGHT, WIDTH, 3), 20 * i, np.uint8), time_s=time_s)
    return path


def mpeg4(path: Path) -> Path:
    """In a container that browsers know, with a codec that they do not."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def pictures(folder: Path) -> Path:
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((HEIGHT, WIDTH, 3), 50 * i, np.uint8))
    return folder


def test_a_small_video_is_embedded_and_a_large_one_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video, page = clip(tmp_path / "clip.mp4"), tmp_path / "page.html"
    link = LinkedVideo("./clip.mp4", False)
    inside = EmbeddedVideo(video, False)
    for limit, embed, expected in (
        (video.stat().st_size, None, inside),
        (video.stat().st_size - 1, None, link),
        (0, True, inside),
        (10**9, False, link),
    ):
        monkeypatch.setattr(footage, "EMBEDDED_BYTES", limit)
        with prepare(video, page, embed=embed, rotate=None) as prepared:
            assert prepared == expected


@pytest.mark.parametrize(
    "make", [lambda p: clip(p / "a.mkv"), lambda p: mpeg4(p / "a.mp4"), lambda p: pictures(p / "a")]
)
def test_what_browsers_do_not_play_is_converted(tmp_path: Path, make) -> None:
    source = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with prepare(source, tmp_path / "page.html", embed=None, rotate=None) as prepared:
        assert isinstance(prepared, EmbeddedVideo)
        with av.open(prepared.path) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        with open_source(source) as original, open_source(prepared.path) as converted:
            pairs = list(zip(original.frames(), converted.frames(), strict=True))
        for wanted, found in pairs:
            assert found.time_s == pytest.approx(wanted.time_s, abs=1e-3)
            assert found.image.mean() == pytest.approx(wanted.image.mean(), abs=3)
    assert not prepared.path.exists()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_video_that_must_be_converted_cannot_be_linked(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="leave out --link"),
        prepare(clip(tmp_path / "clip.mkv"), tmp_path / "page.html", embed=False, rotate=None),
    ):
        pass


def test_a_turned_video_is_turned_in_the_page(tmp_path: Path) -> None:
    video = clip(tmp_path / "clip.mp4")
    with prepare(video, tmp_path / "page.html", embed=None, rotate=90) as prepared:
        assert isinstance(prepared, EmbeddedVideo)
        with open_source(prepared.path) as turned:
            assert (turned.info.width, turned.info.height) == (HEIGHT, WIDTH)


def test_times_and_size_that_a_file_does_not_tell_are_the_videos(tmp_path: Path) -> None:
    frames = [frame(i, [person(1, 100, 100)], math.nan) for i in range(len(TIMES))]
    unknown = Recording(VideoInfo("", 0, 0, None, None, None), "coco", frames)
    matched = match(unknown, "poses.csv", clip(tmp_path / "clip.mp4"), None)
    np.testing.assert_allclose([poses.time_s for poses in matched.frames], TIMES, atol=1e-3)
    assert (matched.video.width, matched.video.height) == (WIDTH, HEIGHT)


def test_poses_of_another_video_are_refused(tmp_path: Path) -> None:
    video = clip(tmp_path / "clip.mp4")
    other = recording([frame(0, [person(1, 100, 100)])])
    wider = replace(other, video=replace(other.video, width=640))
    with pytest.raises(PosecliError, match="do not belong to"):
        match(wider, "poses.json", video, None)


def test_a_recording_without_frames_is_nothing_to_look_at() -> None:
    with pytest.raises(PosecliError, match="no frames"):
        match(recording([]), "poses.json", None, None)
