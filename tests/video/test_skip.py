"""Reading that begins in the middle: the same frames as if all had been read."""

from fractions import Fraction

import numpy as np
import pytest

from posecli.video.source import checksum
from posecli.video.video_file import VideoFile

from .making import make_video as encode

COUNT = 40
RATES = {
    "even": [3000 * i for i in range(COUNT)],
    "variable": np.cumsum(np.random.default_rng(0).integers(900, 9000, COUNT)).tolist(),
    "late start": [450_000 + 3000 * i for i in range(COUNT)],
}


def make_video(path, images, pts, **options):
    encode(path, images, pts, **options)
    return path


def noise():
    random = np.random.default_rng(1)
    return [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(COUNT)]


def read(path, *skip, rotate=None):
    with VideoFile(path, rotate=rotate) as video:
        skipped = video.skip_to(*skip) if skip else False
        return skipped, list(video.frames()), video.warnings


def same(a, b):
    assert [(f.index, f.pts, f.time_s) for f in a] == [(f.index, f.pts, f.time_s) for f in b]
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts"])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "options", [{}, {"g": "12", "bf": "3"}, {"g": "1"}], ids=["long", "b-frames", "keys"]
)
def test_from_any_frame_on(tmp_path, suffix, rate, options):
    path = make_video(tmp_path / f"a{suffix}", noise(), RATES[rate], options=options)
    _, whole, warnings = read(path)
    assert len(whole) == COUNT
    done = 0
    for index in (0, 1, 11, 12, 13, 25, COUNT - 1):
        frame = whole[index]
        skipped, frames, said = read(path, index, frame.pts, checksum(frame.image))
        same(whole[index:] if skipped else whole, frames)
        assert said == warnings
        done += skipped
    # Where a container's index leads past a frame, everything is read: slow, and right.
    assert done >= (1 if suffix == ".ts" else 6)


def test_a_turned_video(tmp_path):
    path = make_video(tmp_path / "a.mp4", noise(), RATES["even"])
    _, whole, _ = read(path, rotate=90)
    skipped, frames, _ = read(path, 20, whole[20].pts, checksum(whole[20].image), rotate=90)
    assert skipped
    same(whole[20:], frames)


@pytest.mark.parametrize("change", ["pts", "checksum", "beyond"])
def test_what_is_not_there_is_read_from_the_beginning(tmp_path, change):
    path = make_video(tmp_path / "a.mp4", noise(), RATES["even"])
    _, whole, _ = read(path)
    pts, known = whole[20].pts, checksum(whole[20].image)
    wrong = {"pts": (20, pts + 1, known), "checksum": (20, pts, known ^ 1), "beyond": (90, 10**9, known)}
    skipped, frames, warnings = read(path, *wrong[change])
    assert not skipped
    assert warnings == []
    same(whole, frames)
    assert Fraction(frames[-1].pts, 90_000) > 1


def test_a_damaged_video(tmp_path):
    """Bytes in the middle are gone: wherever reading begins, it gives what reading all gives, or says that it can't."""
    path = make_video(tmp_path / "a.mkv", noise(), RATES["even"], options={"g": "10"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    _, whole, _ = read(path)
    for frame in whole[::3]:
        skipped, frames, _ = read(path, frame.index, frame.pts, checksum(frame.image))
        same(whole[frame.index :] if skipped else whole, frames)
