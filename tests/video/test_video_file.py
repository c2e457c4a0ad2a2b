"""Videos in: timestamps, orientation, colour, damage, and what is said about bad files."""

from __future__ import annotations

import errno
import os
import re
import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from posecli.errors import PosecliError, UsageError
from posecli.types import Frame, VideoInfo
from posecli.video import open_source

from .making import corner_names, corners, index_of, make_video, moving, packets

UNEVEN_STEPS = [0, 1500, 4501, 6000, 15_000, 15_001, 21_000, 30_007, 31_000, 60_000]


def read(path: Path, rotate: int | None = None) -> tuple[VideoInfo, list[Frame], list[str]]:
    with open_source(path, rotate=rotate) as source:
        frames = list(source.frames())
        return source.info, frames, source.warnings


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


# (degrees counter-clockwise, mirrored) in the file, and where the corners are then shown. A counter-clockwise
# quarter turn takes the top right corner to the top left.
ORIENTATIONS = [
    ((0, False), ["red", "green", "blue", "grey"]),
    ((90, False), ["green", "grey", "red", "blue"]),
    ((-90, False), ["blue", "red", "grey", "green"]),
    ((180, False), ["grey", "blue", "green", "red"]),
    ((0, True), ["green", "red", "grey", "blue"]),
]


@pytest.mark.parametrize(("turn", "expected"), ORIENTATIONS)
def test_display_matrix_is_applied(tmp_path, turn, expected):
    path = tmp_path / "a.mp4"
    make_video(path, [corners()] * 3, turn=turn)
    info, frames, _ = read(path)
    size = (48, 64) if turn[0] in (90, -90) else (64, 48)
    assert (info.width, info.height) == size
    assert {f.image.shape for f in frames} == {(size[1], size[0], 3)}
    assert corner_names(frames[-1].image) == expected


def test_track_header_of_a_phone_held_upright(tmp_path):
    """The matrix bytes that phones write, put into the track header: show turned clockwise by 90 degrees."""
    path = tmp_path / "a.mp4"
    make_video(path, [corners()] * 3)
    data = bytearray(path.read_bytes())
    at = (
        data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    )  # version and flags, times and ids, reserved, layer to volume
    one, minus_one = (0x10000).to_bytes(4, "big"), (-0x10000).to_bytes(4, "big", signed=True)
    zero, unit = bytes(4), (0x40000000).to_bytes(4, "big")
    assert data[at : at + 36] == one + zero * 3 + one + zero * 3 + unit, "the identity stands there"
    data[at : at + 36] = zero + one + zero + minus_one + zero * 4 + unit
    path.write_bytes(data)
    _, frames, _ = read(path)
    assert corner_names(frames[0].image) == ["blue", "red", "grey", "green"]


@pytest.mark.parametrize(
    ("rotate", "expected"),
    [
        (0, ["red", "green", "blue", "grey"]),
        (90, ["blue", "red", "grey", "green"]),
        (180, ["grey", "blue", "green", "red"]),
        (270, ["green", "grey", "red", "blue"]),
    ],
)
def test_rotate_overrides_what_the_file_says(tmp_path, rotate, expected):
    path = tmp_path / "a.mp4"
    make_video(path, [corners()] * 3, turn=(180, False))
    info, frames, _ = read(path, rotate)
    assert corner_names(frames[0].image) == expected
    assert (info.width, info.height) == ((48, 64) if rotate in (90, 270) else (64, 48))


def test_rotate_by_anything_else_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match=r"45.*0, 90, 180, 270"):
        open_source(tmp_path / "a.mp4", rotate=45)


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


# Ten-bit luma (limited range) of reference white by ITU-R BT.2408: PQ at 203 cd/m2, HLG at 75 % of its signal.
# Two cases only: swscale takes seconds to prepare its tables.
@pytest.mark.parametrize(
    ("transfer", "name", "white", "stated"), [(16, "PQ", 573, True), (18, "HLG", 721, False)]
)
def test_high_dynamic_range_is_brought_to_standard_range(tmp_path, transfer, name, white, stated):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, level in zip(frame.planes, (white, 512, 512), strict=True):
            plane.update(np.full(plane.buffer_size // 2, level, "<u2").tobytes())
        for tagged in (stream.codec_context, frame):
            tagged.color_trc = transfer
            if stated:
                tagged.color_primaries = tagged.colorspace = 9
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    _, frames, warnings = read(path)
    assert np.abs(frames[0].image.astype(int) - 255).max() <= 4
    assert len(warnings) == 1
    assert f"({name})" in warnings[0]


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
