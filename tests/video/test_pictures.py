"""Pictures in: one, a folder, a pattern; their order, size, orientation and damage."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.video import open_source
from posecli.video.pictures import natural_order

from .making import corner_names, corners, index_of, make_video, moving


def save(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


def save_with_exif(path: Path, image: np.ndarray, orientation: int) -> Path:
    """A JPEG whose APP1 segment holds a TIFF directory (big-endian) with the orientation tag 0x0112 alone."""
    encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    entry = b"\x01\x12" + b"\x00\x03" + b"\x00\x00\x00\x01" + orientation.to_bytes(2, "big") + b"\x00\x00"
    exif = b"Exif\x00\x00" + b"MM\x00*\x00\x00\x00\x08" + b"\x00\x01" + entry + bytes(4)
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    path.write_bytes(encoded[:2] + segment + encoded[2:])
    return path


def test_one_picture(tmp_path):
    path = save(tmp_path / "a.PNG", corners(65, 49))
    with open_source(path) as source:
        frames = list(source.frames())
        info = source.info
    assert (info.width, info.height, info.frame_count) == (65, 49, 1)
    assert info.frame_rate is None
    assert info.time_base is None
    assert [(f.index, f.time_s, f.pts, f.name) for f in frames] == [(0, 0.0, None, "a.PNG")]
    np.testing.assert_array_equal(frames[0].image, corners(65, 49))


@pytest.mark.parametrize("as_pattern", [False, True])
def test_a_folder_or_pattern_in_natural_order_with_other_files_left_out(tmp_path, as_pattern):
    images = moving(12)
    for index, image in enumerate(images):
        save(tmp_path / f"shot{index}.png", image)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._shot3.png").write_bytes(b"macOS resource fork")
    with open_source(tmp_path / "shot*.png" if as_pattern else tmp_path) as source:
        frames = list(source.frames())
        assert source.info.frame_count == 12
        assert source.warnings == []
    assert [index_of(f.image) for f in frames] == list(range(12))
    assert [f.name for f in frames] == [f"shot{index}.png" for index in range(12)]
    assert [f.time_s for f in frames] == pytest.approx([index / 25 for index in range(12)])


def test_natural_order():
    names = ["b2", "a10.png", "a2.png", "a.png", "10", "9", "a2b1", "a²"]
    ordered = sorted(map(Path, names), key=natural_order)
    assert [str(p) for p in ordered] == ["9", "10", "a.png", "a2.png", "a2b1", "a10.png", "a²", "b2"]


def test_pictures_of_different_sizes(tmp_path):
    save(tmp_path / "1.png", corners(64, 48))
    save(tmp_path / "2.png", corners(31, 90))
    with open_source(tmp_path) as source:
        assert [f.image.shape for f in source.frames()] == [(48, 64, 3), (90, 31, 3)]


# EXIF's orientations 1 to 8 and where the corners of the stored picture are then seen.
EXIF_CORNERS = [
    (1, ["red", "green", "blue", "grey"]),
    (2, ["green", "red", "grey", "blue"]),
    (3, ["grey", "blue", "green", "red"]),
    (4, ["blue", "grey", "red", "green"]),
    (5, ["red", "blue", "green", "grey"]),
    (6, ["blue", "red", "grey", "green"]),
    (7, ["grey", "green", "blue", "red"]),
    (8, ["green", "grey", "red", "blue"]),
]


@pytest.mark.parametrize(("orientation", "expected"), EXIF_CORNERS)
def test_exif_orientation(tmp_path, orientation, expected):
    path = save_with_exif(tmp_path / "a.jpg", corners(), orientation)
    with open_source(path) as source:
        (frame,) = source.frames()
        size = (source.info.height, source.info.width)
    assert corner_names(frame.image) == expected
    assert frame.image.shape[:2] == size == ((48, 64) if orientation < 5 else (64, 48))


def test_rotate_overrides_exif(tmp_path):
    path = save_with_exif(tmp_path / "a.jpg", corners(), 3)
    with open_source(path, rotate=90) as source:
        (frame,) = source.frames()
    assert corner_names(frame.image) == ["blue", "red", "grey", "green"]


@pytest.mark.parametrize(
    "image",
    [
        np.full((20, 30), 77, np.uint8),
        np.full((20, 30, 4), (77, 77, 77, 255), np.uint8),
        np.full((20, 30, 3), 77 * 257, np.uint16),
    ],
    ids=["grey", "alpha", "16 bit"],
)
def test_other_depths_and_channels_become_rgb(tmp_path, image):
    assert cv2.imwrite(str(tmp_path / "a.png"), image)
    with open_source(tmp_path / "a.png") as source:
        (frame,) = source.frames()
    np.testing.assert_array_equal(frame.image, np.full((20, 30, 3), 77, np.uint8))


def test_unreadable_pictures_in_a_folder_are_skipped_with_a_warning(tmp_path):
    for index, image in enumerate(moving(4)):
        save(tmp_path / f"{index}.png", image)
    (tmp_path / "1.png").write_bytes(b"nonsense")
    (tmp_path / "2.png").write_bytes(b"")
    with open_source(tmp_path) as source:
        frames = list(source.frames())
        warnings = source.warnings
    assert [(f.index, f.name) for f in frames] == [(0, "0.png"), (1, "3.png")]
    assert len(warnings) == 2
    assert "1.png is damaged" in warnings[0]
    assert "2.png is empty" in warnings[1]


def test_errors(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nonsense")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.heic").write_bytes(b"\x00\x00\x00\x18ftypheic")
    cases = {
        "a.png": r"a\.png is damaged or not a picture",
        "empty": "holds no pictures",
        "*.jpg": r"nothing matches .*\*\.jpg",
        "missing.png": "does not exist",
        "a.heic": r"HEIC.*convert it to JPEG",
    }
    for name, message in cases.items():
        with pytest.raises(PosecliError, match=message) as error:
            open_source(tmp_path / name)
        assert "\n" not in str(error.value)


def test_a_pattern_of_videos(tmp_path):
    make_video(tmp_path / "take1.mp4", moving(3))
    with open_source(tmp_path / "take*.mp4") as source:
        assert len(list(source.frames())) == 3
    make_video(tmp_path / "take2.mp4", moving(3))
    with pytest.raises(PosecliError, match=r"matches 2 files.*one at a time"):
        open_source(tmp_path / "take*.mp4")


def test_a_picture_with_brackets_in_its_name_is_meant_literally(tmp_path):
    path = save(tmp_path / "take[1].png", corners())
    with open_source(path) as source:
        assert len(list(source.frames())) == 1
