"""Damaged videos give what they hold; what is no video is told in one line."""

from __future__ import annotations

import errno
import re
import resource
from pathlib import Path

import av
import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.video import open_source, video_file
from posecli.video.ffmpeg import open_container

from .making import index_of, make_video, moving, packets, read


def truncate(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def noise(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(count)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_video_that_breaks_off_gives_its_frames_and_a_warning(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    # More than five seconds: a Matroska file states only its whole length, which is not taken at its word.
    make_video(path, noise(200), muxer={"movflags": "+faststart"} if suffix == ".mp4" else {})
    truncate(path, 0.5)
    _, frames, warnings = read(path)
    assert 60 < len(frames) < 140
    assert any(
        re.match(rf"broke off after frame {len(frames) - 1} of about 200: ", warning) for warning in warnings
    ), warnings


def test_damage_in_the_middle_is_skipped_and_counted(tmp_path):
    path = tmp_path / "a.mp4"
    # Every picture a PNG of its own, so that one bad packet costs one frame.
    make_video(path, moving(20), codec="png", pix_fmt="rgb24")
    data = bytearray(path.read_bytes())
    starts = [m.start() for m in re.finditer(b"\x89PNG", data)]
    for k in (7, 8):
        data[starts[k] : starts[k] + 40] = bytes(40)
    path.write_bytes(data)
    _, frames, warnings = read(path)
    assert [index_of(f.image) for f in frames] == [k for k in range(20) if k not in (7, 8)]
    assert [f.pts for f in frames] == [3000 * k for k in range(20) if k not in (7, 8)]
    assert [f.index for f in frames] == list(range(18))
    assert len(warnings) == 1
    assert warnings[0] == "damaged packets skipped: 2"


def test_h264_with_a_damaged_packet_goes_on(tmp_path):
    path = tmp_path / "a.mp4"
    make_video(path, noise(40), options={"g": "10"})
    broken = packets(path, "video")[15][0]
    data = path.read_bytes()
    random = np.random.default_rng(1)
    rubbish = random.integers(0, 255, len(broken) - 8, np.uint8).tobytes()
    at = data.index(broken)
    path.write_bytes(data[: at + 8] + rubbish + data[at + len(broken) :])
    _, frames, warnings = read(path)
    assert len(frames) >= 38
    assert warnings
    assert "damaged" in warnings[0]


@pytest.fixture
def bad(tmp_path):
    """Files that are no videos, by name."""

    def make(name: str) -> Path:
        path = tmp_path / name
        match name:
            case "missing.mp4":
                pass
            case "empty.mp4":
                path.touch()
            case "text.mp4" | "text.txt":
                path.write_text("this is no video\n" * 100)
            case "folder":
                path.mkdir()
                (path / "notes.txt").touch()
            case "sound.m4a":
                make_video(tmp_path / "b.mp4", moving(3), sound="aac")
                with (
                    av.open(str(tmp_path / "b.mp4")) as source,
                    av.open(str(path), "w", format="mp4") as output,
                ):
                    stream = output.add_stream_from_template(source.streams.audio[0])
                    for packet in source.demux(audio=0):
                        if packet.dts is not None:
                            packet.stream = stream
                            output.mux(packet)
            case "headless.mp4":  # the index, at the end, is cut off
                make_video(path, noise(10))
                truncate(path, 0.7)
            case "frameless.mp4":  # the index is there, but not one picture
                make_video(path, noise(10), muxer={"movflags": "+faststart"})
                data = path.read_bytes()
                path.write_bytes(data[: data.index(b"mdat") + 4])
        return path

    return make


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mp4", "does not exist"),
        ("empty.mp4", "is empty"),
        ("text.mp4", "is not a video"),
        ("text.txt", "text file"),
        ("folder", "holds no pictures"),
        ("sound.m4a", "only sound"),
        ("headless.mp4", "is not a video or picture that FFmpeg can read, or it was cut off"),
        ("frameless.mp4", "no picture that can be decoded"),
    ],
)
def test_bad_files_are_told_in_one_line(bad, capfd, name, message):
    path = bad(name)
    capfd.readouterr()
    with pytest.raises(PosecliError, match=message) as error:
        open_source(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == "", "FFmpeg's own chatter reached standard error"


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    make_video(path, moving(2))

    def forbid(*_: object) -> None:  # root may read everything, so permissions alone would not do
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", forbid)
    with pytest.raises(PosecliError, match=r"a\.mp4 may not be read"):
        open_source(path)


def test_names_that_look_like_protocols_or_patterns(tmp_path):
    for name in ("pipe:1.mp4", "take [1] 100%03d.mp4", "ünïcode 影.mp4"):
        make_video(tmp_path / "plain.mp4", moving(2))
        (tmp_path / "plain.mp4").rename(tmp_path / name)
        _, frames, _ = read(tmp_path / name)
        assert len(frames) == 2


def test_a_cover_picture_is_not_a_video(tmp_path):
    path = tmp_path / "song.mkv"
    make_video(path, moving(1), codec="mjpeg", pix_fmt="yuvj420p", sound="aac")
    with av.open(str(path)) as source, av.open(str(tmp_path / "song.m4a"), "w", format="mp4") as output:
        copies = {s.index: output.add_stream_from_template(s, opaque=True) for s in source.streams}
        copies[0].disposition = av.stream.Disposition.attached_pic
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    with pytest.raises(PosecliError, match="only sound"):
        open_source(tmp_path / "song.m4a")


def claim(path: Path, width: int, height: int) -> None:
    """Lets the first picture, of VP8, say that it is as large as this (RFC 6386, 9.1: 14 bits each)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\x9d\x01\x2a") + 3
    data[at : at + 4] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    path.write_bytes(data)


def test_a_picture_that_claims_to_be_gigantic_is_not_decoded(tmp_path):
    path = tmp_path / "a.webm"
    make_video(path, moving(3), codec="libvpx")
    claim(path, 9000, 9000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PosecliError, match=r"a\.webm holds no picture that can be decoded"):
        open_source(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown < 60_000, "kilobytes: one picture would take 120 000"


def test_a_picture_that_grows_gigantic_costs_its_packet_only(tmp_path):
    path = tmp_path / "a.webm"
    make_video(path, moving(6), codec="libvpx", options={"g": "3", "b:v": "2M"})
    data = path.read_bytes()
    later = data.index(b"\x9d\x01\x2a", data.index(b"\x9d\x01\x2a") + 3)
    path.write_bytes(data[: later + 3] + bytes.fromhex("ff3fff3f") + data[later + 7 :])
    _, frames, warnings = read(path)
    assert [index_of(frame.image) for frame in frames[:3]] == [0, 1, 2]
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert warnings


def test_sizes_beyond_the_limit_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(video_file, "MOST_FRAME_PIXELS", 64 * 48 - 1)
    make_video(tmp_path / "a.mp4", moving(3))
    with pytest.raises(PosecliError, match=r"a\.mp4 has pictures of 64 x 48 pixels, more than the 3071"):
        open_source(tmp_path / "a.mp4")


def test_more_streams_than_anyone_needs_are_not_opened(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(250)]
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 80), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        for stream in streams:
            output.mux(stream.encode(frame))
    with open_container(path) as container:
        assert len(container.streams) == 200
