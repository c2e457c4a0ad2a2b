"""Parts of videos against the same frames picked by hand from the whole."""

from fractions import Fraction

import numpy as np
import pytest

from posecli.errors import PosecliError, UsageError
from posecli.video import open_source
from posecli.video.part import Part, PartOfSource, Region, parse_time

from .making import index_of, make_video, moving

COUNT = 32
RATES = {
    "even": [3000 * i for i in range(COUNT)],
    "variable": np.cumsum(np.random.default_rng(0).integers(900, 9000, COUNT)).tolist(),
    "late start": [450_000 + 3000 * i for i in range(COUNT)],
}
CODECS = {
    "b-frames": ("a.mp4", "libx264", {"g": "10", "bf": "3"}),
    "open groups": ("a.mkv", "libx264", {"g": "10", "bf": "3", "x264-params": "open-gop=1"}),
    "broadcast": ("a.ts", "libx264", {"g": "10"}),
    "vp9": ("a.webm", "libvpx-vp9", {"g": "10", "lag-in-frames": "10", "auto-alt-ref": "1"}),
    "intra": ("a.mov", "mjpeg", {}),
}


def read(path, part):
    with PartOfSource(open_source(path), part) as video:
        frames = list(video.frames())
        return video, frames


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", CODECS)
def test_start_end_and_stride_pick_the_very_frames(tmp_path, kind, rate):
    name, codec, options = CODECS[kind]
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    make_video(tmp_path / name, moving(COUNT), RATES[rate], codec=codec, options=options, pix_fmt=pix_fmt)
    with open_source(tmp_path / name) as video:
        whole = list(video.frames())
    for begin, stop, stride in [(0, 5, 1), (1, 30, 3), (13, 20, 1), (20, 32, 5), (31, 32, 1)]:
        start = Fraction(whole[begin].pts - whole[0].pts, 1) * Fraction(video.info.time_base)
        start += Fraction(whole[0].time_s).limit_denominator(90_000)
        end = None if stop == COUNT else Fraction(whole[stop].time_s)
        part, frames = read(tmp_path / name, Part(start=start, end=end, stride=stride))
        expected = whole[begin:stop:stride]
        assert [frame.pts for frame in frames] == [frame.pts for frame in expected]
        assert [frame.time_s for frame in frames] == [frame.time_s for frame in expected]
        assert [index_of(frame.image) for frame in frames] == list(range(begin, stop, stride))
        assert [frame.index for frame in frames] == list(range(len(expected)))
        assert [part.place.index(frame.index) for frame in frames] == [frame.index for frame in expected]


def test_a_start_between_two_frames_takes_the_next(tmp_path):
    make_video(tmp_path / "a.mp4", moving(COUNT))
    _, frames = read(tmp_path / "a.mp4", Part(start=Fraction(1, 2) + Fraction(1, 1000)))
    assert index_of(frames[0].image) == 16


def test_decoding_begins_at_the_keyframe_before(tmp_path, monkeypatch):
    from posecli.video.decoding import Decoder

    make_video(tmp_path / "a.mp4", moving(COUNT), options={"g": "10", "bf": "0", "sc_threshold": "0"})
    decoded = []
    decode = Decoder._decode

    def counting(self, packet):
        frames = decode(self, packet)
        decoded.extend(frame.pts for frame in frames)
        return frames

    monkeypatch.setattr(Decoder, "_decode", counting)
    read(tmp_path / "a.mp4", Part(start=Fraction(25, 30)))
    # Beside the first picture, by which the video is described.
    assert min(pts for pts in decoded if pts > 30_000) == 60_000


@pytest.mark.parametrize(
    ("text", "rectangle"),
    [
        ("10,5,20,30", (10, 5, 30, 35)),
        ("25%,50%,50%,50%", (16, 24, 48, 48)),
        ("0,0,100%,10", (0, 0, 64, 10)),
        ("60,40,100,100", (60, 40, 64, 48)),
    ],
)
def test_a_region_is_cut_out(tmp_path, text, rectangle):
    make_video(tmp_path / "a.mp4", moving(3))
    with open_source(tmp_path / "a.mp4") as video:
        whole = next(video.frames()).image
    left, top, right, bottom = rectangle
    part, frames = read(tmp_path / "a.mp4", Part(roi=Region.parse(text)))
    np.testing.assert_array_equal(frames[0].image, whole[top:bottom, left:right])
    assert (part.info.width, part.info.height) == (right - left, bottom - top)
    assert (part.place.x, part.place.y) == (left, top)
    assert (part.place.whole.width, part.place.whole.height) == (64, 48)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,0,4", "-1,2,3,4", "1,2,3,4 px", "1,,2,3"]
)
def test_what_is_no_region(text):
    with pytest.raises(UsageError, match="X,Y,WIDTH,HEIGHT"):
        Region.parse(text)


def test_a_region_outside_and_times_after_the_end(tmp_path):
    make_video(tmp_path / "a.mp4", moving(3))
    with pytest.raises(PosecliError, match="64x48"), open_source(tmp_path / "a.mp4") as video:
        PartOfSource(video, Part(roi=Region.parse("64,0,10,10")))
    with pytest.raises(PosecliError, match="no frame from 9 s on"):
        read(tmp_path / "a.mp4", Part(start=Fraction(9)))
    with pytest.raises(UsageError, match="--end"):
        Part(start=Fraction(2), end=Fraction(2))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12.5", Fraction(25, 2)), ("1:02.5", Fraction(125, 2)), ("1:00:02", 3602), ("0", 0)],
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1:", ":1", "1:2:3:4", "1e3", "nan", "1.2:3"])
def test_what_is_no_time(text):
    with pytest.raises(UsageError, match="no time"):
        parse_time(text)


def test_reading_goes_on_within_a_part(tmp_path):
    from posecli.video.source import checksum

    make_video(tmp_path / "a.mp4", moving(COUNT), options={"g": "10"})
    part = Part(start=Fraction(5, 30), stride=2)
    _, whole = read(tmp_path / "a.mp4", part)
    with PartOfSource(open_source(tmp_path / "a.mp4"), part) as video:
        assert video.skip_to(7, whole[7].pts, checksum(whole[7].image))
        rest = list(video.frames())
    assert [(f.index, f.pts, f.time_s) for f in rest] == [(f.index, f.pts, f.time_s) for f in whole[7:]]
