import numpy as np
import pytest

from posecli.data.synthetic.camera import MovingCamera, View
from posecli.data.synthetic.motion import Sway
from posecli.data.synthetic.person import Lens

SIZE = (160, 120)
MARGIN = (40, 30)


def centroid(image):
    weights = image[..., 0].astype(float)
    rows, columns = np.indices(weights.shape)
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


@pytest.mark.parametrize("zoom", [0.9, 1.0, 1.2])
def test_the_background_moves_as_positions_do(zoom):
    panorama = np.zeros((180, 240, 3), np.uint8)
    panorama[78:87, 108:117] = 255  # its middle is at (112, 82) of the panorama, (72, 52) at rest
    view = View(zoom, np.array([7.3, -4.6]))
    seen = view.look(panorama, MARGIN, SIZE)
    assert seen.shape == (120, 160, 3)
    wanted = [zoom * 72 + 7.3, zoom * 52 - 4.6]
    np.testing.assert_allclose(centroid(seen), wanted, atol=0.05)
    np.testing.assert_allclose(view.points(np.array([[72.0, 52.0]]))[0], wanted, atol=1e-4)


def test_people_move_as_the_background_does():
    """A point in space lands where the view takes its place at rest."""
    rest, view = Lens(200.0, (80.0, 50.0)), View(1.3, np.array([-20.0, 11.0]))
    at_rest, seen = rest.end(np.array([0.4, 0.7, 4.0])), view.lens(rest).end(np.array([0.4, 0.7, 4.0]))
    assert (at_rest.x, at_rest.y) == pytest.approx((100, 85))
    assert (seen.x, seen.y) == pytest.approx((1.3 * 100 - 20, 1.3 * 85 + 11))


def test_panning_zooming_and_shaking_are_what_they_say():
    camera = MovingCamera(
        Lens(200.0, (80.0, 50.0)), SIZE, 1.5, middle_s=1.0, pan=(10.0, -4.0), zoom=np.log(2)
    )
    at_rest, later = camera.view(1.0), camera.view(2.0)
    assert at_rest.zoom == 1
    np.testing.assert_allclose(at_rest.shift, 0)
    # A second later the camera looks at what was 10 pixels right of the middle and 4 above it, twice as large.
    np.testing.assert_allclose(later.points(np.array([[79.5 + 10, 59.5 - 4]]))[0], [79.5, 59.5], atol=1e-4)
    assert later.zoom == pytest.approx(2)
    assert camera.lens(2.0).focal == pytest.approx(400)


def test_shaking_stays_within_its_reach_and_comes_and_goes():
    rng = np.random.default_rng(0)
    sways = (Sway.random(rng, 3.0), Sway.random(rng, 3.0))
    camera = MovingCamera(Lens(200.0, (80.0, 50.0)), SIZE, 1.5, shake=3.0, sways=sways)
    shifts = np.array([camera.view(i / 30).shift for i in range(90)])
    assert np.abs(shifts).max() <= 3
    assert np.all(np.ptp(shifts, axis=0) > 1)
