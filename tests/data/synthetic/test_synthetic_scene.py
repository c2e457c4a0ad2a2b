import numpy as np
import pytest

from posecli.data.synthetic.body import Proportions
from posecli.data.synthetic.motion import stand, walk
from posecli.data.synthetic.render import OCCLUDER, Occluder
from posecli.data.synthetic.scene import Actor, Camera, Scene
from posecli.data.synthetic.texture import Outfit, cloth
from posecli.skeletons import COCO

SIZE = (320, 240)
GREEN = np.broadcast_to(np.array([0, 200, 0], np.uint8), (240, 320, 3)).copy()


def standing(x: float, z: float, seed: int = 5) -> Actor:
    rng = np.random.default_rng(seed)
    return Actor(Proportions(), Outfit.random(rng), stand(rng), (x, z), yaw=0.0)


def scene(*actors: Actor, occluders: tuple[Occluder, ...] = ()) -> Scene:
    """Camera at 1 m, so that the feet of someone 4 m away are at row 110 + 75."""
    return Scene(GREEN, Camera(300.0, (160.0, 110.0), 1.0), list(actors), occluders=list(occluders))


def test_the_same_seed_gives_the_same_clip_in_any_order():
    first = Scene.random(np.random.default_rng(1000), 2, SIZE, camera_drift=5)
    second = Scene.random(np.random.default_rng(1000), 2, SIZE, camera_drift=5)
    later = second.render(0.5)
    for one, other in ((first.render(0.0), second.render(0.0)), (first.render(0.5), later)):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
    assert not np.array_equal(first.render(0.0).keypoints, later.keypoints)


def test_other_seeds_give_other_pictures():
    images = [Scene.random(np.random.default_rng(seed), 1, SIZE).render().image for seed in (1000, 1001)]
    assert not np.array_equal(*images)


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_labels_agree_with_each_other(seed):
    people = 1 + seed % 4
    frame = Scene.random(np.random.default_rng(seed), people, SIZE).render(0.4)
    count = len(frame.track_ids)
    assert frame.image.shape == (240, 320, 3)
    assert frame.image.dtype == np.uint8
    assert frame.keypoints.shape == (count, 17, 2)
    assert frame.visible.shape == (count, 17)
    assert 1 <= count <= people
    for keypoints, visible, box, track in zip(
        frame.keypoints, frame.visible, frame.boxes, frame.track_ids, strict=True
    ):
        # Every visible keypoint lies in its box (a pixel of slack for soft edges), and so does every pixel.
        assert np.all(keypoints[visible] >= box[:2] - 1.5)
        assert np.all(keypoints[visible] <= box[2:] + 1.5)
        rows, columns = np.nonzero(frame.instances == track)
        if len(rows):
            assert columns.min() >= box[0]
            assert columns.max() <= box[2]
            assert rows.min() >= box[1]
            assert rows.max() <= box[3]


def test_the_box_of_a_lone_person_is_exactly_its_mask():
    frame = scene(standing(0.0, 4.0)).render()
    rows, columns = np.nonzero(frame.instances == 1)
    wanted = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
    assert np.abs(frame.boxes[0] - wanted).max() <= 1
    # 1.72 m at 4 m with a focal length of 300 pixels; the soles' fronts are a little nearer and so lower.
    assert frame.boxes[0, 3] - frame.boxes[0, 1] == pytest.approx(1.72 * 300 / 4, abs=8)
    assert frame.visible.all()
    assert frame.visible_fraction[0] == 1


def test_keypoints_are_drawn_where_they_are_said_to_be():
    frame = scene(standing(0.0, 4.0)).render()
    x, y = np.rint(frame.keypoints[0]).astype(int).T
    assert np.all(frame.instances[y, x] == 1)


def test_someone_in_front_hides_someone_behind():
    alone = scene(standing(0.0, 5.0, seed=6)).render()
    frame = scene(standing(0.0, 3.0), standing(0.0, 5.0, seed=6)).render()
    torso = [COCO.index(name) for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder")]
    assert frame.visible[0].all()
    assert not frame.visible[1, torso].any()
    assert frame.visible_fraction[0] == 1
    assert frame.visible_fraction[1] < 0.5
    # Being hidden moves neither keypoints nor box.
    np.testing.assert_array_equal(frame.keypoints[1], alone.keypoints[0])
    np.testing.assert_array_equal(frame.boxes[1], alone.boxes[0])


def test_the_order_of_actors_does_not_decide_who_is_in_front():
    near, far = standing(0.0, 3.0), standing(0.1, 5.0, seed=6)
    one, other = scene(near, far).render(), scene(far, near).render()
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.visible, other.visible[::-1])


def test_an_occluder_hides_what_is_behind_it_only():
    material = cloth(np.random.default_rng(0), (120.0, 90.0, 60.0))
    wall = Occluder(0.0, 3.5, 2.0, 0.7, material)
    frame = scene(standing(0.0, 4.0), occluders=(wall,)).render()
    legs = [COCO.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]
    assert not frame.visible[0, legs].any()
    assert frame.visible[0, : COCO.index("left_elbow")].all()
    assert (frame.instances == OCCLUDER).any()
    assert scene(standing(0.0, 3.0), occluders=(wall,)).render().visible.all()


def test_people_outside_the_picture_are_left_out_and_cut_people_are_cut():
    frame = scene(standing(0.0, 4.0), standing(30.0, 4.0), standing(2.1, 4.0)).render()
    assert frame.track_ids.tolist() == [1, 3]
    assert frame.boxes[1, 2] == 319.5
    outside = frame.keypoints[1, :, 0] > 319.5
    assert outside.any()
    assert not frame.visible[1, outside].any()


def test_a_background_of_the_caller_is_used():
    frame = scene(standing(0.0, 4.0)).render()
    empty = frame.instances == 0
    empty[100:] = False  # the person's edges and its shadow are below the sky
    far = empty.copy()
    far[:, 100:220] = False
    np.testing.assert_array_equal(frame.image[far], GREEN[far])
    stretched = Scene.random(
        np.random.default_rng(1003), 1, SIZE, background=np.full((60, 60, 3), 77, np.uint8)
    )
    assert stretched.background.shape == (240, 320, 3)
    assert np.all(stretched.background == 77)


def test_a_walker_covers_the_ground_at_its_speed():
    rng = np.random.default_rng(1)
    actor = standing(0.0, 5.0)
    assert actor.position(3.0) == (0.0, 5.0)
    walker = Actor(Proportions(), Outfit.random(rng), walk(rng), (0.0, 5.0), yaw=np.pi / 2)
    x, z = walker.position(2.0)
    assert x == pytest.approx(2 * walker.motion.speed * 1.72)
    assert z == pytest.approx(5.0)
    turning = Actor(walker.body, walker.outfit, walker.motion, (0.0, 5.0), yaw=np.pi / 2, turn=np.pi)
    # Half a turn ends a diameter to the side.
    assert turning.position(1.0)[0] == pytest.approx(0, abs=1e-9)
    assert abs(turning.position(1.0)[1] - 5) == pytest.approx(2 * walker.motion.speed * 1.72 / np.pi)
