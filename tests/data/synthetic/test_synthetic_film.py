from dataclasses import replace

import cv2
import numpy as np
import pytest

from posecli.data.synthetic.body import Pose, Proportions, head_ends
from posecli.data.synthetic.camera import MovingCamera
from posecli.data.synthetic.film import Film, Mover
from posecli.data.synthetic.motion import Motion, stand, walk
from posecli.data.synthetic.person import Lens
from posecli.data.synthetic.raster import Light, Material
from posecli.data.synthetic.render import OCCLUDER, Occluder
from posecli.data.synthetic.scene import Actor
from posecli.data.synthetic.texture import Outfit
from posecli.skeletons import POSETRACK18

SIZE = (160, 120)
MARGIN = (40, 30)
RATE = 10.0
BLACK = np.zeros((180, 240, 3), np.uint8)
GREEN = np.broadcast_to(np.array([0, 200, 0], np.uint8), BLACK.shape).copy()
EVEN = Light(ambient=1.0, diffuse=0.0)
WHITE = Material(np.full((128, 128, 3), 255, np.float32))


def still(_):
    """Standing upright without the least movement."""
    return Motion("still", lambda time_s: Pose())


def camera(**moves):
    return MovingCamera(Lens(150.0, (80.0, 50.0)), SIZE, 1.0, **moves)


def film(*actors, background=BLACK, moves=None, exposure=1e-6, **parts):
    return Film(background, MARGIN, camera(**(moves or {})), list(actors), RATE, exposure, EVEN, **parts)


def person(motion, x, z, yaw=0.0, seed=3):
    outfit = replace(Outfit.random(np.random.default_rng(seed)), hair="bald", bag_colour=None, hem=0.0)
    return Actor(Proportions(), outfit, motion(np.random.default_rng(seed)), (x, z), yaw)


def centroid(image):
    weights = image[..., 1].astype(float)
    rows, columns = np.indices(weights.shape)
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


def test_labels_are_the_projections_of_the_body_through_the_moving_camera():
    actor = person(walk, -0.3, 4.0, yaw=1.2)
    frame = film(actor, moves={"middle_s": 0.5, "pan": (20.0, 5.0), "zoom": 0.3}).frame(9)
    figure = actor.motion.figure(actor.body, 0.9, 1.2)
    pace = actor.motion.speed * actor.body.stature * 0.9
    foot = np.array([-0.3 + pace * np.sin(1.2), 1.0, 4.0 - pace * np.cos(1.2)])
    zoom, looked_at = np.exp(0.3 * 0.4), np.array([79.5 + 20 * 0.4, 59.5 + 5 * 0.4])
    for name, point in (figure.points | head_ends(figure)).items():
        if name in POSETRACK18.keypoints:
            x, y, z = point + foot
            at_rest = np.array([80 + 150 * x / z, 50 + 150 * y / z])
            wanted = [79.5, 59.5] + zoom * (at_rest - looked_at)
            got = frame.drawn.keypoints[0, POSETRACK18.index(name)]
            np.testing.assert_allclose(got, wanted, atol=1e-3)


@pytest.mark.parametrize("yaw", [0.0, 0.8, np.pi / 2])
def test_the_head_is_drawn_between_its_ends_and_in_its_box(yaw):
    close = MovingCamera(Lens(600.0, (80.0, 220.0)), SIZE, 1.0)  # the head is some 60 pixels high
    frame = replace(film(person(still, 0.0, 2.2, yaw)), camera=close).frame(0)
    rows, columns = np.nonzero(frame.drawn.instances == 1)
    top = frame.drawn.keypoints[0, POSETRACK18.index("head_top")]
    bottom = frame.drawn.keypoints[0, POSETRACK18.index("head_bottom")]
    box = frame.head_boxes[0]
    assert rows.min() == pytest.approx(top[1], abs=1)
    assert box[1] == pytest.approx(rows.min() - 0.5, abs=1)
    # Above its ears and nose the person is nothing but a skull, nearly as wide there as it gets.
    skull = columns[rows < top[1] + 0.38 * (bottom[1] - top[1])]
    assert box[0] == pytest.approx(skull.min() - 0.5, abs=1.5)
    assert box[2] == pytest.approx(skull.max() + 0.5, abs=1.5)
    for end in (top, bottom):
        assert np.all((end >= box[:2] - 1e-4) & (end <= box[2:] + 1e-4))


def test_a_blurred_ball_is_labelled_in_the_middle_of_its_smear():
    ball = Occluder(-0.6, 3.0, 0.3, 0.3, WHITE, above=0.5, round=True)
    picture = film(movers=[Mover(ball, velocity=2.0)], exposure=0.1).frame(3).drawn.image
    # After 0.3 s it is at x = 0, half-way up 0.65 m above the ground; 0.2 m of way make 10 pixels of smear.
    np.testing.assert_allclose(centroid(picture), [80, 50 + 150 * 0.35 / 3], atol=0.1)
    columns = np.flatnonzero(picture[..., 1].max(0))
    assert np.ptp(columns) == pytest.approx(15 + 10, abs=2.5)


@pytest.mark.parametrize("index", [2, 5])
def test_a_blurred_person_stays_where_the_sharp_one_is(index):
    """Under a fast pan: the exposure moves the picture by 9 pixels, evenly to both sides of its middle."""
    moves = {"middle_s": 0.4, "pan": (90.0, 0.0)}
    sharp, blurred = (
        film(person(stand, 0.0, 4.0), moves=moves, exposure=e).frame(index) for e in (1e-6, 0.1)
    )
    np.testing.assert_array_equal(sharp.drawn.keypoints, blurred.drawn.keypoints)
    np.testing.assert_allclose(centroid(sharp.drawn.image), centroid(blurred.drawn.image), atol=0.25)
    wide = [np.flatnonzero(frame.drawn.image.max((0, 2)) > 3) for frame in (sharp, blurred)]
    assert np.ptp(wide[1]) - np.ptp(wide[0]) == pytest.approx(9, abs=2.5)


def test_something_that_passes_hides_joints_while_it_is_in_front():
    post = Mover(Occluder(-1.0, 2.5, 0.5, 1.8, WHITE), velocity=2.0)
    shots = film(person(stand, 0.0, 4.0), movers=[post])
    nose = POSETRACK18.index("nose")
    assert [bool(shots.frame(i).drawn.visible[0, nose]) for i in (0, 5, 9)] == [True, False, True]
    assert (shots.frame(5).drawn.instances == OCCLUDER).any()


@pytest.mark.parametrize("index", [0, 8])
def test_the_ignored_region_covers_the_crowd(index):
    crowd = [person(stand, x, 14.0, seed=i) for i, x in enumerate((-1.0, 0.2, 1.1))]
    moves = {"middle_s": 0.4, "pan": (30.0, -10.0), "zoom": 0.2}
    frame = film(crowd=crowd, background=GREEN, moves=moves).frame(index)
    (polygon,) = frame.ignored
    # Green is background, dark green its shadows.
    rows, columns = np.nonzero(np.delete(frame.drawn.image, 1, 2).max(-1) > 25)
    assert len(rows) > 60
    outline = polygon.astype(np.float32).reshape(-1, 1, 2)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        assert cv2.pointPolygonTest(outline, (column, row), False) >= 0
    # And it is no larger than it must be.
    np.testing.assert_allclose(polygon.min(0), [columns.min(), rows.min()], atol=3.5)
    np.testing.assert_allclose(polygon.max(0), [columns.max(), rows.max()], atol=3.5)
    assert len(frame.drawn.track_ids) == 0


def test_a_region_that_left_the_picture_is_no_region():
    crowd = [person(stand, -1.8, 5.0)]
    moves = {"pan": (100.0, 0.0)}
    shots = film(crowd=crowd, background=GREEN, moves=moves)
    assert [len(shots.frame(i).ignored) for i in (0, 8)] == [1, 0]
    (polygon,) = shots.frame(0).ignored
    assert polygon[:, 0].min() >= -0.5


def test_frames_do_not_depend_on_the_order_they_are_asked_for_in():
    one, other = (film(person(walk, 0.0, 3.0, yaw=1.5), exposure=0.05) for _ in range(2))
    later = one.frame(4)
    for first, second in ((one.frame(1), other.frame(1)), (later, other.frame(4))):
        np.testing.assert_array_equal(first.drawn.image, second.drawn.image)
        np.testing.assert_array_equal(first.head_boxes, second.head_boxes)
