"""What is drawn: the right colours at the right places, as faint as the scores say, and nothing else."""

import numpy as np
import pytest

from posecli.draw import Style, draw_poses
from posecli.draw.style import LEFT, MIDDLE, RIGHT, line_width, opacity, text_colour, track_colour
from posecli.skeletons import COCO, SKELETONS, Skeleton
from posecli.types import Poses, Tracks

BLACK = np.zeros((200, 300, 3), np.uint8)
ONLY_KEYPOINTS = Style(boxes=False, ids=False)


def person(places: dict[str, tuple[float, float]], score: float = 0.9, skeleton: Skeleton = COCO) -> Poses:
    """One person, id 1, boxed by the whole picture, with these keypoints only."""
    keypoints = np.full((1, len(skeleton), 2), np.nan, np.float32)
    scores = np.full((1, len(skeleton)), np.nan, np.float32)
    for name, place in places.items():
        keypoints[0, skeleton.index(name)] = place
        scores[0, skeleton.index(name)] = score
    tracks = Tracks(np.array([1]), np.float32([[50, 40, 250, 190]]), np.float32([0.9]))
    return Poses(0, 0.0, tracks, keypoints, scores)


def test_the_picture_itself_is_not_touched() -> None:
    image = np.full((200, 300, 3), 7, np.uint8)
    drawn = draw_poses(image, person({"nose": (100, 100)}), COCO)
    assert (image == 7).all()
    assert (drawn != 7).any()
    assert drawn.shape == image.shape


def test_a_picture_that_may_not_be_written_to_will_do() -> None:
    image = BLACK[::-1, ::-1]
    image.setflags(write=False)
    assert draw_poses(image, person({"nose": (100, 100)}), COCO).any()


def test_left_and_right_have_their_colours() -> None:
    places = {
        "left_hip": (200, 50),
        "left_knee": (200, 150),
        "right_hip": (100, 50),
        "right_knee": (100, 150),
    }
    drawn = draw_poses(BLACK, person(places), COCO, ONLY_KEYPOINTS)
    assert tuple(drawn[100, 200]) == LEFT
    assert tuple(drawn[100, 100]) == RIGHT
    assert not drawn[100, 150].any()


def test_a_limb_needs_both_ends() -> None:
    drawn = draw_poses(BLACK, person({"left_hip": (200, 50)}), COCO, ONLY_KEYPOINTS)
    assert drawn[50, 200].any()
    drawn[40:61, 190:211] = 0
    assert not drawn.any()


def test_opacity_is_blended() -> None:
    """Orange at opacity a over grey g is a orange + (1 - a) g."""
    grey = np.full_like(BLACK, 100)
    places = {"left_hip": (200, 50), "left_knee": (200, 150)}
    alpha = opacity(0.4, 0.2)
    drawn = draw_poses(grey, person(places, score=0.4), COCO, ONLY_KEYPOINTS)
    np.testing.assert_allclose(drawn[100, 200], alpha * np.array(LEFT) + (1 - alpha) * 100, atol=1.5)


def test_opacity_grows_with_the_score() -> None:
    alphas = [opacity(score, 0.2) for score in (0.0, 0.19, 0.2, 0.4, 0.6, 1.0)]
    assert alphas == sorted(alphas)
    assert alphas[:2] == [0, 0]
    assert alphas[2] > 0
    assert alphas[-1] == 1
    assert opacity(float("nan"), 0.0) == 0
    assert opacity(0.9, 1.0) == 0


def test_keypoints_below_the_least_score_are_left_out() -> None:
    places = {"nose": (100, 100)}
    assert not draw_poses(BLACK, person(places, score=0.1), COCO, ONLY_KEYPOINTS).any()
    assert draw_poses(BLACK, person(places, score=0.1), COCO, Style(0.05, False, False)).any()


@pytest.mark.parametrize("place", [(-1e6, 50), (1e30, 50), (np.inf, 50), (-40, -40), (299, 199), (0, 0)])
@pytest.mark.parametrize("score", [0.9, 0.3])
def test_keypoints_off_the_picture_do_no_harm(place: tuple[float, float], score: float) -> None:
    places = {"left_hip": (150, 100), "left_knee": place}
    drawn = draw_poses(BLACK, person(places, score), COCO)
    assert drawn[100, 150].any()


def test_boxes_and_ids_can_be_left_out() -> None:
    poses = person({})
    assert not draw_poses(BLACK, poses, COCO, ONLY_KEYPOINTS).any()
    box = draw_poses(BLACK, poses, COCO, Style(ids=False))
    np.testing.assert_allclose(box[190, 150].astype(int), track_colour(1), atol=40)  # a smoothed edge
    assert not box[30, 55].any()
    label = draw_poses(BLACK, poses, COCO, Style(boxes=False))
    assert tuple(label[38, 51]) == track_colour(1)  # the plate stands on the box
    assert not label[45:].any()


def test_people_without_a_track_have_no_id() -> None:
    poses = person({})
    poses.tracks.ids[0] = 0
    assert not draw_poses(BLACK, poses, COCO, Style(boxes=False)).any()


@pytest.mark.parametrize("box", [[-50, -50, 20, 20], [290, 0, 400, 5], [280, 195, 900, 900], [0, 0, 0, 0]])
def test_labels_stay_on_the_picture(box: list[float]) -> None:
    poses = person({})
    poses.tracks.xyxy[0] = box
    drawn = draw_poses(BLACK, poses, COCO, Style(boxes=False))
    plate = (drawn == track_colour(1)).all(axis=-1)
    rows, columns = np.nonzero(plate)
    assert rows.max() - rows.min() >= 9
    assert columns.max() - columns.min() >= 8


def test_no_people() -> None:
    np.testing.assert_array_equal(draw_poses(BLACK + 9, Poses.empty(0, 0.0, 17), COCO), BLACK + 9)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda skeleton: skeleton.name)
def test_every_keypoint_of_every_skeleton_is_drawn_at_its_place(skeleton: Skeleton) -> None:
    places = {name: (20.0 + 15 * i, 30.0 + 7 * (i % 3)) for i, name in enumerate(skeleton.keypoints)}
    for name, (x, y) in places.items():
        drawn = draw_poses(BLACK, person({name: (x, y)}, skeleton=skeleton), skeleton, ONLY_KEYPOINTS)
        rows, columns = np.nonzero(drawn.any(axis=-1))
        np.testing.assert_allclose((columns.mean(), rows.mean()), (x, y), atol=0.1)
        sides = {"left": LEFT, "right": RIGHT}
        assert tuple(drawn[int(y), int(x)]) == sides.get(name.split("_")[0], MIDDLE)


def test_lines_grow_with_the_person_and_the_picture() -> None:
    small, large = np.float32([0, 0, 30, 80]), np.float32([0, 0, 300, 900])
    assert line_width(small, 360, 640) < line_width(large, 360, 640)
    assert line_width(large, 360, 640) < line_width(large, 1080, 1920)


def test_tracks_that_follow_each_other_look_different_and_are_readable() -> None:
    for track_id in range(1, 50):
        colour, following = np.array(track_colour(track_id)), np.array(track_colour(track_id + 1))
        assert np.abs(colour - following).max() > 60
        assert np.abs(np.array(text_colour(tuple(colour))) - colour).mean() > 80
