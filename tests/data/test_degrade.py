"""What happens to single frames."""

import numpy as np
import pytest

from posecli.data.degrade import Degradation, compress, cut_oval, degrade, motion_kernel, paste, paste_oval

NOTHING = {"motion_blur": 0.0, "occlusion": 0.0, "darkness": 0.0, "compression": 0.0}


def crops(count=5):
    return list(np.random.default_rng(0).integers(0, 256, (count, 32, 24, 3), np.uint8))


def changed(before, after):
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


def test_nothing_happens_at_probability_zero():
    assert not any(changed(crops(), degrade(np.random.default_rng(0), crops(), Degradation(**NOTHING))))


@pytest.mark.parametrize("kind", ["motion_blur", "occlusion", "intrusion"])
def test_a_run_of_frames_is_hit_and_the_others_stay(kind):
    runs = set()
    for seed in range(30):
        config = Degradation(**NOTHING | {kind: 1.0})
        hit = changed(crops(), degrade(np.random.default_rng(seed), crops(), config))
        indices = np.flatnonzero(hit)
        assert len(indices) < 5  # never all: one frame at least is worth looking at
        assert (np.diff(indices) == 1).all()
        runs.add(tuple(indices))
    assert len(runs) > 5


def test_an_oval_is_pasted_where_it_belongs():
    white, black = np.full((40, 40, 3), 255, np.uint8), np.zeros((60, 50, 3), np.uint8)
    oval = cut_oval(white, np.array([20.0, 20.0]), np.array([8.0, 12.0]))
    pasted = paste_oval(black, oval, np.array([25.0, 30.0]))
    rows, columns = np.nonzero(pasted[..., 0] > 127)
    assert (columns.mean(), rows.mean()) == pytest.approx((25, 30), abs=0.6)
    # The rim is half transparent at 15/16 of the radius.
    assert len(rows) == pytest.approx(np.pi * 8 * 12 * (15 / 16) ** 2, rel=0.06)
    assert not black.any()
    assert not paste_oval(black, oval, np.array([500.0, 30.0])).any()


@pytest.mark.parametrize("kind", ["darkness", "compression"])
def test_all_frames_are_hit(kind):
    config = Degradation(**NOTHING | {kind: 1.0})
    after = degrade(np.random.default_rng(0), crops(), config)
    assert all(changed(crops(), after))
    assert all(image.dtype == np.uint8 and image.shape == (32, 24, 3) for image in after)
    if kind == "darkness":
        assert np.mean(after) < 0.6 * np.mean(crops())


def test_given_frames_are_left_as_they_are():
    given = crops()
    degrade(np.random.default_rng(0), given, Degradation(**dict.fromkeys(NOTHING, 1.0)))
    assert not any(changed(crops(), given))


@pytest.mark.parametrize(("angle", "expected"), [(0, (1, 7)), (90, (7, 1)), (45, (5, 5))])
def test_motion_kernel_is_a_line_that_keeps_the_light(angle, expected):
    kernel = motion_kernel(7, angle)
    assert kernel.sum() == pytest.approx(1)
    rows, columns = np.nonzero(kernel)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == expected
    assert kernel[3, 3] > 0


@pytest.mark.parametrize(
    ("x", "y", "covered"),
    [(2, 1, 6), (-1, 0, 4), (23, 31, 1), (24, 0, 0), (0, -2, 0)],  # inside, cut at a side, a corner, outside
)
def test_paste_cuts_what_sticks_out(x, y, covered):
    image = np.zeros((32, 24, 3), np.uint8)
    result = paste(image, np.full((2, 3, 3), 9, np.uint8), x, y)
    assert (result[..., 0] == 9).sum() == covered
    assert not image.any()
    if covered == 6:
        assert (result[1:3, 2:5] == 9).all()


def test_compression_keeps_the_order_of_colours():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    assert compress(red, 30).mean((0, 1)) == pytest.approx([200, 0, 0], abs=12)
