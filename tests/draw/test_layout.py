"""Sizes and arrangements, trails and names of a rendered picture."""

import numpy as np
import pytest

from posecli.draw import Layout, Renderer, Style
from posecli.draw.layout import resize_poses
from posecli.draw.names import read_names
from posecli.draw.style import LEFT, track_colour
from posecli.draw.trails import read_trails
from posecli.errors import PosecliError, UsageError
from posecli.skeletons import COCO
from posecli.types import Frame, Poses

from .test_people import person

GREY = np.full((200, 300, 3), 90, np.uint8)
BARE = Style(boxes=False, ids=False)
THIGH = {"left_hip": (200.0, 50.0), "left_knee": (200.0, 150.0)}


def frame(index=0):
    return Frame(index, index / 25, GREY)


def test_side_by_side_is_the_picture_and_the_people_on_black():
    out = Renderer(COCO, BARE, Layout("black", side_by_side=True)).render(frame(), person(THIGH))
    assert out.shape == (200, 600, 3)
    np.testing.assert_array_equal(out[:, :300], GREY)
    assert tuple(out[100, 500]) == LEFT
    assert not out[100, 320:480].any()


@pytest.mark.parametrize(
    ("layout", "size"),
    [
        (Layout(scale=0.5), (100, 150)),
        (Layout(height=50), (50, 75)),
        (Layout(height=400, side_by_side=True), (400, 1200)),
        (Layout("black", scale=1.5), (300, 450)),
    ],
)
def test_people_stay_in_place_when_the_size_changes(layout, size):
    out = Renderer(COCO, BARE, layout).render(frame(), person(THIGH))
    assert out.shape[:2] == size
    assert out.shape[1::-1] == layout.output_size(300, 200)
    scale = size[0] / 200
    offset = out.shape[1] - round(300 * scale)
    orange = (np.abs(out[round(100 * scale)].astype(int) - LEFT).max(axis=-1) < 60).nonzero()[0]
    np.testing.assert_allclose(orange.mean() - offset, 200.5 * scale - 0.5, atol=0.6)


def test_corners_stay_corners():
    """The picture's upper left corner is at -0.5, -0.5 in every size."""
    moved = resize_poses(person({"nose": (-0.5, -0.5), "left_eye": (299.5, 199.5)}), 2, 3)
    np.testing.assert_allclose(moved.keypoints[0, 0], [-0.5, -0.5])
    np.testing.assert_allclose(moved.keypoints[0, 1], [599.5, 599.5])
    np.testing.assert_allclose(moved.tracks.xyxy[0], [100.5, 121, 500.5, 571])


def test_a_size_beyond_any_video():
    with pytest.raises(UsageError, match="16384"):
        Layout(scale=16).picture_size(1920, 1080)


def test_the_colour_of_a_track_is_lighter_on_the_left():
    places = THIGH | {"right_hip": (100, 50), "right_knee": (100, 150)}
    style = Style(boxes=False, ids=False, colour_by="track")
    out = Renderer(COCO, style).render(frame(), person(places)).astype(int)
    left, right, own = out[100, 200], out[100, 100], np.array(track_colour(1))
    assert (left > own).any()
    assert (left >= own).all()
    assert (right < own).all()


def test_a_trail_is_where_the_joint_was_and_fades():
    renderer = Renderer(COCO, BARE, trails={"left_wrist": 5})
    for index in range(12):
        out = renderer.render(frame(index), person({"left_wrist": (20.0 + 20 * index, 100.0)}))
    red = out[100, :, 0].astype(int) - 90
    assert not red[: 20 + 20 * 7 - 3].any()  # frame 7 is the last of the five
    strengths = [red[30 + 20 * i] for i in (7, 8, 9, 10)]
    assert strengths == sorted(strengths)
    assert strengths[0] > 10
    assert not out[:90].astype(int).std()
    for index in range(12, 17):
        out = renderer.render(frame(index), Poses.empty(index, 0.0, 17))
    np.testing.assert_array_equal(out, GREY)


def test_a_trail_has_no_line_over_a_gap():
    renderer = Renderer(COCO, BARE, trails={"nose": 9})
    for index, x in enumerate((50.0, None, 250.0)):
        out = renderer.render(frame(index), person({"nose": (x, 100.0)} if x else {}))
    np.testing.assert_array_equal(out[:, 60:240], GREY[:, 60:240])


@pytest.mark.parametrize(
    ("text", "said"),
    [("tail:9", "no such joint; these poses have nose"), ("nose", "write nose:30"), ("nose:1", "2 to 10000")],
)
def test_wrong_trails(text, said):
    with pytest.raises(UsageError, match=said):
        read_trails([text], COCO)


def test_several_trails():
    assert read_trails(["nose:9,left_ear:10", "right_ear:3"], COCO) == {
        "nose": 9,
        "left_ear": 10,
        "right_ear": 3,
    }


def test_names(tmp_path):
    (tmp_path / "names.txt").write_text("# the family\n1 = Änn\n\n12=Bob, senior\n", "utf-8")
    assert read_names("1=Ann, 2=Bob=B") == {1: "Ann", 2: "Bob=B"}
    assert read_names(str(tmp_path / "names.txt")) == {1: "Änn", 12: "Bob, senior"}
    (tmp_path / "binary").write_bytes(b"\xff\xfe1=")
    with pytest.raises(PosecliError, match="not UTF-8"):
        read_names(str(tmp_path / "binary"))


@pytest.mark.parametrize("text", ["Ann", "x=Ann", "1=", "1=A,1=B", "1=a\x07", "-1=Ann"])
def test_wrong_names(text):
    with pytest.raises(UsageError):
        read_names(text)


def test_a_name_stands_instead_of_the_id():
    plates = [
        Renderer(COCO, Style(boxes=False, ids=ids, names=names)).render(frame(), person({}))
        for ids, names in ((True, {}), (True, {1: "Änn"}), (False, {1: "Änn"}), (False, {2: "Bob"}))
    ]
    widths = [int((plate == track_colour(1)).all(axis=-1).any(axis=0).sum()) for plate in plates]
    assert 0 < widths[0] < widths[1] == widths[2]
    assert widths[3] == 0
