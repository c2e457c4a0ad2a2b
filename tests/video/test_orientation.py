"""Videos come out upright: by the display matrix, or by what the user says."""

from __future__ import annotations

import pytest

from posecli.errors import UsageError
from posecli.video import open_source

from .making import corner_names, corners, make_video, read

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
