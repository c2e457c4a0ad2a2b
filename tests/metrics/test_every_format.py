"""eval takes predictions in every format: the figures are those of the same poses in the default one."""

import pytest

from posecli.formats import FORMATS
from posecli.formats.convert import convert
from posecli.metrics.from_files import evaluate_files
from posecli.skeletons import COCO
from tests.formats.recordings import random_poses, write
from tests.formats.test_convert import path_in

NAMES = [
    name for name, format in FORMATS.items() if format.skeleton in (None, COCO) and name != "coco-results"
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("metric", ["oks", "pck"])
def test_the_figures_are_the_same(tmp_path, name, metric):
    truth = write(tmp_path / "truth.json", random_poses())
    guess = random_poses()
    for poses in guess:
        poses.keypoints[..., 0] += 9  # some joints within the limit, some not
    expected = evaluate_files(metric, truth, write(tmp_path / "guess.json", guess))
    path = path_in(tmp_path, name)
    convert(tmp_path / "guess.json", path, to_format=name)
    assert repr(evaluate_files(metric, truth, path)) == repr(expected)
