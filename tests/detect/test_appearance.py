"""People's looks on pictures of flat colours, where the histograms are known."""

import numpy as np
import pytest

from posecli.detect.appearance import LENGTH, appearance

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)
BOX = np.array([20, 30, 60, 120], np.float32)


def dressed(*colours, background=GREY, box=BOX):
    """A picture of one person in as many colours from head to foot."""
    image = np.full((150, 100, 3), background, np.uint8)
    x0, y0, x1, y1 = (round(float(side)) for side in box)
    edges = np.linspace(y0, y1, len(colours) + 1).round().astype(int)
    for top, bottom, colour in zip(edges, edges[1:], colours, strict=False):
        image[top:bottom, x0:x1] = colour
    return image


def look(*colours, box=BOX, **more):
    return appearance(dressed(*colours, box=box, **more), box)


def test_likeness_is_the_share_of_parts_of_one_colour():
    red_green_blue = look(RED, GREEN, BLUE)
    for other, likeness in (
        (look(RED, GREEN, BLUE), 1),
        (look(RED, GREEN, RED), 2 / 3),
        (look(RED, BLUE, RED), 1 / 3),
        (look(BLUE, RED, GREEN), 0),  # the same colours, elsewhere
    ):
        assert float(red_green_blue @ other) == pytest.approx(likeness, abs=1e-5)


def test_bhattacharyya_coefficient_of_mixed_colours():
    """A part half red and half blue, against one all red: the square root of 1/2."""
    half = dressed(RED)
    half[30:120:2, :] = BLUE
    assert float(appearance(half, BOX) @ look(RED)) == pytest.approx(np.sqrt(0.5), abs=1e-5)


def test_background_beside_the_person_does_not_count():
    wider = np.array([14, 30, 66, 120], np.float32)
    on_grey = appearance(dressed(RED, GREEN, BLUE), wider)
    on_green = appearance(dressed(RED, GREEN, BLUE, background=GREEN), wider)
    assert float(on_grey @ on_green) == pytest.approx(1)


def test_size_and_place_do_not_matter():
    small = np.array([50, 60, 62, 90], np.float32)
    assert float(look(RED, GREEN, BLUE) @ look(RED, GREEN, BLUE, box=small)) == pytest.approx(1)


@pytest.mark.parametrize(
    "box",
    [(-30, -40, 10, 60), (90, 100, 300, 400), (40, 50, 40.2, 50.3), (200, 200, 300, 300), (-9, -9, -5, -5)],
)
def test_boxes_at_and_beyond_the_border(box):
    found = appearance(dressed(RED, GREEN), np.array(box, np.float32))
    assert found.shape == (LENGTH,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
