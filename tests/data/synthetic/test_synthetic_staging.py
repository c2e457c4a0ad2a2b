import numpy as np
import pytest

from posecli.data.synthetic.staging import FRAME_RATE, random_film

SIZE = (128, 96)
FRAMES = 20
SEEDS = range(12)


@pytest.fixture(scope="module")
def films():
    return [random_film(np.random.default_rng(seed), FRAMES, SIZE) for seed in SEEDS]


def overlap(one, other):
    """Whether two boxes x0, y0, x1, y1 share some area."""
    return bool(np.all(np.minimum(one[2:], other[2:]) > np.maximum(one[:2], other[:2])))


def test_the_first_two_cross_on_their_way(films):
    for film in films:
        columns = []
        for time_s in (0.0, (FRAMES - 1) / FRAME_RATE):
            lens = film.camera.rest
            places = [actor.position(time_s) for actor in film.actors[:2]]
            columns.append([lens.focal * x / z + lens.centre[0] for x, z in places])
        (first, second), (first_later, second_later) = columns
        assert (first - second) * (first_later - second_later) < 0


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_somewhere_they_hide_each_other(films, seed):
    film = films[seed]
    pairs = []
    for index in range(FRAMES // 3, 2 * FRAMES // 3 + 1):
        drawn = film.frame(index).drawn
        boxes = dict(zip(drawn.track_ids.tolist(), drawn.boxes, strict=True))
        pairs += [(boxes[1], boxes[2])] if {1, 2} <= set(boxes) else []
    assert any(overlap(*pair) for pair in pairs)


def test_the_camera_never_sees_beyond_the_background(films):
    width, height = SIZE
    for film in films:
        (left, top), (rows, columns) = film.margin, film.background.shape[:2]
        edges = np.array([[-left, -top], [columns - 1 - left, rows - 1 - top]], np.float32)
        for index in range(FRAMES):
            low, high = film.camera.view(index / FRAME_RATE).points(edges)
            assert np.all(low <= 0)
            assert np.all(high >= [width - 1, height - 1])


def test_every_film_is_different(films):
    assert {len(film.actors) for film in films} == {2, 3, 4}
    assert {bool(film.crowd) for film in films} == {bool(film.movers) for film in films} == {False, True}
    backgrounds = {film.background.tobytes() for film in films}
    outfits = {actor.outfit.top.texels.tobytes() for film in films for actor in film.actors}
    assert len(backgrounds) == len(films)
    assert len(outfits) == sum(len(film.actors) for film in films)
    assert len({film.camera.rest.focal for film in films}) == len(films)
