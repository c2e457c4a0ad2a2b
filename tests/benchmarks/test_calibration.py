"""The benchmark of calibration on made-up predictions: nothing leaks, laws are found, and files are whole."""

import numpy as np
import pytest

from benchmarks import calibration
from benchmarks.validation import Predictions, cut_in_half
from posecli.data.windows import RawWindow
from posecli.weights.files import load_tensors
from posecli.weights.locate import embedded_weights
from posecli.weights.models import read_config

SLOPE, OFFSET = 0.6, -0.7


def made_up(count=30_000, places=60, seed=0):
    """Keypoints of stills whose hits follow a known law of their scores."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, count).astype(np.float32)
    chance = 1 / (1 + np.exp(-(SLOPE * np.log(score / (1 - score)) + OFFSET)))
    distance = np.where(rng.random(count) < chance, 0.05, 0.5).astype(np.float32)
    distance[::10] = np.nan
    return Predictions(
        place=np.array([f"picture {i}" for i in rng.integers(0, places, count)]),
        group=np.where(rng.random(count) < 0.2, "lspet", "coco"),
        joint=rng.integers(0, 17, count),
        score=score,
        distance=distance,
        outside=np.zeros(count, bool),
        height=np.full(count, 200, np.float32),
    )


@pytest.fixture(scope="module")
def raw():
    return {"clean": made_up(), "degraded": made_up(seed=1), "cut": made_up(3000, seed=2)}


def test_the_known_law_is_found(raw):
    laws = calibration.fit(calibration.join(raw, calibration.FITTED), False, 17)
    np.testing.assert_allclose(laws, [(SLOPE, OFFSET)] * 17, atol=0.05)


def test_a_law_a_joint_follows_each_joint(raw):
    said = raw["clean"].labelled
    said.distance[said.joint == 3] = 0.5  # always a miss
    said.distance[said.joint == 4] = 0.0
    laws = calibration.fit(said, True, 17)
    assert laws.shape == (17, 2)
    scores = calibration.apply(laws, said)
    assert scores[said.joint == 3].max() < 0.05
    assert scores[said.joint == 4].min() > 0.95


def test_scores_of_a_place_do_not_depend_on_its_own_labels(raw):
    """Turning all of one picture's labels round changes everybody's law but its own."""
    before = calibration.out_of_fold(raw, False, 17)
    mine = "picture 7"
    turned = {}
    for name, said in raw.items():
        distance = np.where(said.place == mine, 0.55 - said.distance, said.distance).astype(np.float32)
        turned[name] = calibration.replace(said, distance=distance)
    after = calibration.out_of_fold(turned, False, 17)
    for name, said in raw.items():
        own = said.place == mine
        np.testing.assert_array_equal(before[name].score[own], after[name].score[own])
        assert np.any(before[name].score != after[name].score)


def test_the_table_tells_the_error_before_and_after(raw):
    one = calibration.out_of_fold(raw, False, 17)
    table = calibration.error_table(raw, one, calibration.out_of_fold(raw, True, 17))
    row = next(line for line in table.splitlines() if line.startswith("| **all, clean**"))
    cells = [float(cell) for cell in row.split("|")[2:-1]]
    assert cells[0] == 27_000
    assert cells[4] > 0.1  # raw
    assert cells[5] < 0.02  # one law
    widths = {line.count("|") for line in table.splitlines()}
    assert len(widths) == 1


def test_filters_keep_the_better_part(raw):
    table = calibration.filter_table({"clean": raw["clean"]})
    rows = [[float(cell) for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    kept, right, found = np.array(rows)[:, 1:].T
    assert kept[0] == found[0] == 1
    assert np.all(np.diff(kept) < 0)
    assert np.all(np.diff(right) > 0)


def test_predictions_are_read_as_they_were_written(raw, tmp_path):
    path = tmp_path / "said.npz"
    assert calibration.read_predictions(path) is None
    calibration.write_predictions(path, raw)
    again = calibration.read_predictions(path)
    assert again is not None
    assert again.keys() == raw.keys()
    np.testing.assert_array_equal(again["cut"].place, raw["cut"].place)
    np.testing.assert_array_equal(again["clean"].distance, raw["clean"].distance)


def test_the_copy_of_a_model_carries_the_law(tmp_path):
    source, target = embedded_weights("glsmamba-t"), tmp_path / "copy.safetensors"
    calibration.write_calibrated(source, target, np.tile((SLOPE, OFFSET), (17, 1)))
    heatmap = read_config(target).heatmap
    assert heatmap.score_slope == (SLOPE,) * 17
    assert heatmap.score_offset == (OFFSET,) * 17
    assert load_tensors(target).keys() == load_tensors(source).keys()


def test_the_diagram_is_drawn(raw, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "reliability.svg"
    calibration.draw(raw["clean"], raw["clean"], path)
    assert path.read_text().lstrip().startswith("<?xml")
    assert list(tmp_path.iterdir()) == [path]


def test_people_are_cut_by_the_pictures_border():
    image = np.zeros((100, 80, 3), np.uint8)
    box = np.array([10, 20, 50, 90], np.float32)
    points = np.zeros((2, 17, 2), np.float32)
    raw = RawWindow([image, image], [np.eye(2, 3)] * 2, box, points, points[..., 0], "coco")
    cut = cut_in_half(raw)
    assert [picture.shape for picture in cut.images] == [(55, 80, 3)] * 2
    assert cut.box.tolist() == [10, 20, 50, 55]
    assert raw.box.tolist() == [10, 20, 50, 90]
