"""Rendered people as training data."""

from itertools import pairwise

import numpy as np
import pytest

from posecli.data.rendered import SCENE_SIZE, RenderedScenes

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def scenes():
    return RenderedScenes(3)


def test_scene_and_moment_are_fixed_by_index_and_seed(scenes):
    image, people = scenes.render(1, RNG(5), min_people=1)
    again, _ = scenes.render(1, RNG(5), min_people=1)
    np.testing.assert_array_equal(image, again)
    assert image.shape == (SCENE_SIZE[1], SCENE_SIZE[0], 3)
    for person in people:
        inside = np.all((person.keypoints >= 0) & (person.keypoints < SCENE_SIZE), -1)
        np.testing.assert_array_equal(person.labelled, inside)
        assert not person.human


def test_film_follows_one_person(scenes):
    images, people = scenes.film(0, RNG(1), 3, 24.0)
    assert len(images) == len(people) == 3
    assert people[1] is not None  # the middle one is what a window is asked about
    seen = [person for person in people if person is not None]
    assert len({person.track_id for person in seen}) == 1
    steps = [np.abs(b.keypoints - a.keypoints).max() for a, b in pairwise(seen)]
    assert all(0 < step < 40 for step in steps)


def test_encoder_gets_a_person_with_keypoints(scenes):
    _, person, group = scenes.load(2, RNG(0))
    assert person.labelled.sum() >= 5
    assert not person.crowd
    assert group == "synthetic"
