"""Videos out: timestamps, sound, colours, sizes, and nothing left behind after a failure."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.video import VideoWriter, open_source

from .making import corner_names, corners, decoded_pts, index_of, make_video, moving, packets

UNEVEN_STEPS = [0, 1500, 4501, 6000, 15_000, 15_001, 21_000, 30_007, 31_000, 60_000]


def rewrite(source: Path, target: Path, frames: slice = slice(None)) -> list[str]:
    """Passes a video's pictures through reader and writer."""
    with (
        open_source(source) as video,
        VideoWriter(
            target, width=video.info.width, height=video.info.height, source=source, info=video.info
        ) as writer,
    ):
        for frame in list(video.frames())[frames]:
            writer.write(frame.image, pts=frame.pts)
    return writer.warnings


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("time_base", [Fraction(1, 90_000), Fraction(1, 600_000), Fraction(1, 1000)])
def test_every_timestamp_and_the_time_base_come_back(tmp_path, suffix, time_base):
    source, target = tmp_path / "a.mp4", tmp_path / f"b{suffix}"
    track = {"video_track_timescale": str(time_base.denominator)}
    pts = make_video(source, moving(10), UNEVEN_STEPS, time_base=time_base, muxer=track)
    rewrite(source, target)
    with open_source(target) as video:
        frames = list(video.frames())
        assert video.info.time_base == str(time_base)
        assert video.warnings == []
    assert [f.pts for f in frames] == pts
    assert [index_of(f.image) for f in frames] == list(range(10))
    with av.open(str(target)) as container:
        coded = [p.pts for p in container.demux(video=0) if p.size]
    assert coded != sorted(coded), "the encoder is expected to use B-frames"


def test_matroska_keeps_milliseconds(tmp_path):
    source, target = tmp_path / "a.mp4", tmp_path / "b.mkv"
    make_video(source, moving(10), UNEVEN_STEPS)
    with pytest.raises(AssertionError):
        assert decoded_pts(source) == [Fraction(round(t / 90), 1000) for t in UNEVEN_STEPS]
    distinct = slice(0, 5)
    rewrite(source, target, distinct)
    assert decoded_pts(target) == [Fraction(round(t / 90), 1000) for t in UNEVEN_STEPS[distinct]]


def test_seconds_instead_of_ticks(tmp_path):
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_video(source, moving(10), UNEVEN_STEPS)
    with (
        open_source(source) as video,
        VideoWriter(target, width=64, height=48, source=source, info=video.info) as writer,
    ):
        for frame in video.frames():
            writer.write(frame.image, time_s=frame.time_s)
    assert decoded_pts(target) == [Fraction(t, 90_000) for t in UNEVEN_STEPS]


def test_what_browsers_ask_for(tmp_path):
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_video(source, [corners()] * 5)
    rewrite(source, target)
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        assert stream.codec_context.name == "h264"
        assert frame.format.name == "yuv420p"
        assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index must come first (fast start)"


def test_crf_sets_the_quality(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    errors = []
    for crf in (10, 45):
        target = tmp_path / f"{crf}.mp4"
        with VideoWriter(target, width=64, height=48, crf=crf) as writer:
            writer.write(noise)
        with open_source(target) as video:
            errors.append(np.abs(next(video.frames()).image - noise.astype(int)).mean())
    assert errors[0] < errors[1] - 10


def test_colours_survive(tmp_path):
    target = tmp_path / "a.mp4"
    with VideoWriter(target, width=64, height=48) as writer:
        for _ in range(3):
            writer.write(corners())
    with open_source(target) as video:
        image = next(video.frames()).image
    for y, x in [(8, 8), (8, 56), (40, 8), (40, 56)]:
        assert np.abs(image[y, x].astype(int) - corners()[y, x]).max() <= 4


@pytest.mark.parametrize(
    ("source_name", "codec", "suffix"),
    [
        ("a.mp4", "aac", ".mp4"),
        ("a.mp4", "aac", ".mkv"),
        ("a.mkv", "libopus", ".mp4"),
        ("a.mov", "pcm_s16le", ".mov"),
    ],
)
def test_sound_is_copied_packet_by_packet(tmp_path, source_name, codec, suffix):
    source, target = tmp_path / source_name, tmp_path / f"b{suffix}"
    make_video(source, moving(60), sound=codec, sound_seconds=3.0)
    assert rewrite(source, target) == []
    before, after = packets(source, "audio"), packets(target, "audio")
    assert len(before) > 100
    assert b"".join(data for data, _ in after) == b"".join(data for data, _ in before)
    if codec != "pcm_s16le":  # whose packets are cut as the demuxer pleases
        assert [data for data, _ in after] == [data for data, _ in before]
        # Matroska has no times before zero: there sound that begins so moves, and the pictures with it.
        moved = float(after[0][1] - before[0][1])
        assert moved == pytest.approx(0, abs=0.001) or suffix == ".mkv"
        assert [float(t) - moved for _, t in after] == pytest.approx([float(t) for _, t in before], abs=0.001)
        assert float(decoded_pts(target)[0]) == pytest.approx(moved, abs=0.001)


def decoded_sound(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
        blocks = [b.to_ndarray() for f in container.decode(audio=0) for b in resampler.resample(f)]
    return np.concatenate(blocks, axis=1)[0]


def test_sound_that_the_container_cannot_hold_is_converted(tmp_path):
    source, target = tmp_path / "a.mov", tmp_path / "b.mp4"
    make_video(source, moving(60), sound="pcm_mulaw")
    warnings = rewrite(source, target)
    assert len(warnings) == 1
    assert "pcm_mulaw to AAC" in warnings[0]
    sound = decoded_sound(target)
    assert len(sound) == pytest.approx(2 * 48_000, abs=2048)
    spectrum = np.abs(np.fft.rfft(sound[4096 : 4096 + 48_000]))
    assert spectrum.argmax() == 440


def test_a_video_may_replace_its_own_source(tmp_path):
    path = tmp_path / "a.mp4"
    pts = make_video(path, moving(10), sound="aac")
    sound = packets(path, "audio")
    rewrite(path, path)
    assert decoded_pts(path) == [Fraction(t, 90_000) for t in pts]
    assert packets(path, "audio") == sound
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_a_source_without_sound(tmp_path):
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_video(source, moving(5))
    rewrite(source, target)
    with av.open(str(target)) as container:
        assert len(container.streams) == 1


def test_part_of_a_video_has_its_part_of_the_sound(tmp_path):
    """Two seconds out of the middle: moved to begin at zero, picture and sound together."""
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    make_video(source, moving(150, 32, 16), sound="aac", options={"qp": "0"})
    rewrite(source, target, slice(60, 120))
    assert decoded_pts(target) == [Fraction(k, 30) for k in range(60)]
    before = [data for data, t in packets(source, "audio") if 2 <= t < 4]
    after = packets(target, "audio")
    lead = len(after) - len(before)  # packets that begin before the first picture and reach into it
    assert 0 <= lead <= 2
    assert [data for data, _ in after[lead:]] == before
    assert 0 <= after[lead][1] < Fraction(1024, 48_000)


def test_a_clock_that_does_not_begin_at_zero_is_moved_there(tmp_path):
    source, target = tmp_path / "a.ts", tmp_path / "b.mp4"
    make_video(source, moving(30), sound="aac", muxer={"output_ts_offset": "3600"})
    assert decoded_pts(source)[0] >= 3600
    rewrite(source, target)
    pts = decoded_pts(target)
    assert pts[0] < 0.1
    assert np.diff([float(t) for t in pts]) == pytest.approx(1 / 30, abs=1e-6)
    lead = decoded_pts(source)[0] - packets(source, "audio")[0][1]
    assert pts[0] - packets(target, "audio")[0][1] == pytest.approx(float(lead), abs=0.001)


def test_a_picture_that_comes_long_after_the_sound_still_does(tmp_path):
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    pts = make_video(source, moving(10), [270_000 + 3000 * k for k in range(10)], sound="aac")
    rewrite(source, target)
    assert decoded_pts(target) == [Fraction(t, 90_000) for t in pts]
    assert packets(target, "audio") == packets(source, "audio")


@pytest.mark.parametrize(("width", "height"), [(65, 49), (64, 49), (65, 48)])
def test_odd_sizes_are_padded_by_repeating_the_edge(tmp_path, width, height):
    target = tmp_path / "a.mp4"
    with VideoWriter(target, width=width, height=height) as writer:
        for _ in range(2):
            writer.write(corners(width, height))
    with open_source(target) as video:
        frame = next(video.frames())
    assert frame.image.shape[:2] == (height + height % 2, width + width % 2)
    assert corner_names(frame.image) == ["red", "green", "blue", "grey"]
    assert np.abs(frame.image[-1, -1].astype(int) - 128).max() < 12


def test_pixel_aspect_is_carried_over_and_turned_with_the_picture(tmp_path):
    for turn, expected in [((0, False), Fraction(4, 3)), ((90, False), Fraction(3, 4))]:
        source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
        make_video(source, moving(3), aspect=Fraction(4, 3), turn=turn)
        rewrite(source, target)
        with av.open(str(target)) as container:
            assert container.streams.video[0].sample_aspect_ratio == expected


@pytest.mark.parametrize(
    ("rate", "expected"), [(None, 25), (10, 10), (30_000 / 1001, Fraction(30_000, 1001))]
)
def test_pictures_follow_each_other_at_the_rate(tmp_path, rate, expected):
    target = tmp_path / "a.mp4"
    with VideoWriter(target, width=64, height=48, frame_rate=rate) as writer:
        for image in moving(7):
            writer.write(image)
    assert decoded_pts(target) == [k / Fraction(expected) for k in range(7)]
    with av.open(str(target)) as container:
        assert container.streams.video[0].duration * container.streams.video[0].time_base == 7 / Fraction(
            expected
        )


def test_pictures_of_another_size_are_fitted_in(tmp_path):
    target = tmp_path / "a.mp4"
    with VideoWriter(target, width=64, height=48) as writer:
        writer.write(corners())
        writer.write(corners(24, 48))
    assert writer.warnings == ["pictures of another size fitted in: 1"]
    with open_source(target) as video:
        second = list(video.frames())[1].image
    assert corner_names(second[:, 20:44]) == ["red", "green", "blue", "grey"]
    assert second[:, :16].max() < 12
    assert second[:, 48:].max() < 12


def write_and_fail(target: Path, frames: int, error: type[BaseException]) -> None:
    with VideoWriter(target, width=64, height=48) as writer:
        for _ in range(frames):
            writer.write(corners())
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("frames", [0, 3, 80])
def test_nothing_is_left_behind_and_the_old_file_stays(tmp_path, error, frames):
    target = tmp_path / "a.mp4"
    target.write_text("the old file")
    with pytest.raises(error):
        write_and_fail(target, frames, error)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert target.read_text() == "the old file"


def test_the_file_appears_at_the_end_only(tmp_path):
    target = tmp_path / "a.mp4"
    with VideoWriter(target, width=64, height=48) as writer:
        for _ in range(80):
            writer.write(corners())
        assert not target.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


# Bytes that the process may write to a file, with SIGXFSZ ignored, stand for a disk that fills up.
FULL_DISK = """
import resource, sys
import numpy as np
from posecli.errors import PosecliError
from posecli.video import VideoWriter

limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
random = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1], width=64, height=48) as writer:
        for _ in range(150):
            writer.write(random.integers(0, 255, (48, 64, 3), np.uint8))
except PosecliError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="uses a Linux resource limit")
@pytest.mark.parametrize("limit", [500, 100_000])
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(tmp_path, limit):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.mp4"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "cannot write" in done.stdout
    assert "File too large" in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.avi", r"\.mp4, \.mov, \.mkv"),
        ("a", r"ends in \.mp4"),
        ("no/a.mp4", "No such file"),
        ("d.mp4", "a folder"),
    ],
)
def test_bad_targets_are_told_before_any_work(tmp_path, name, message):
    (tmp_path / "d.mp4").mkdir()
    with pytest.raises(PosecliError, match=message):
        VideoWriter(tmp_path / name, width=64, height=48)
    assert [p.name for p in tmp_path.iterdir()] == ["d.mp4"]


def test_times_that_go_backwards(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48) as writer:
        writer.write(corners(), time_s=1.0)
        with pytest.raises(PosecliError, match="go backwards"):
            writer.write(corners(), time_s=0.96)


def test_no_picture_at_all(tmp_path):
    with (
        pytest.raises(PosecliError, match="no picture"),
        VideoWriter(tmp_path / "a.mp4", width=64, height=48),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_no_encoder(tmp_path, monkeypatch):
    monkeypatch.setattr("posecli.video.h264.ENCODERS", ("libnone",))
    with pytest.raises(PosecliError, match=r"no H\.264 encoder"):
        VideoWriter(tmp_path / "a.mp4", width=64, height=48)
    assert list(tmp_path.iterdir()) == []
