"""OKS AP: pycocotools on the same files, and cases by hand."""

import contextlib
import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from posecli.data.footage import Footage, FootageFrame
from posecli.data.people import Person
from posecli.errors import PosecliError
from posecli.formats import open_writer, read_poses
from posecli.metrics.coco_files import read_footage
from posecli.metrics.from_files import evaluate_files
from posecli.metrics.oks import FIGURES, OksMetric, person_scores
from posecli.skeletons import COCO, POSETRACK18
from posecli.types import Poses, Tracks, VideoInfo

pytest.importorskip("pycocotools")


def random_truth(rng, count=12):
    """Small, medium and large people, crowds, people without joints, pictures without people."""
    annotations = []
    for image in range(count):
        for _ in range(rng.integers(0, 4)):
            size = float(rng.choice([25, 60, 150]))
            corner = rng.uniform(0, 300, 2)
            points = np.round(corner + rng.uniform(0, size, (17, 2)), 2)
            visible = rng.choice([0, 1, 2], (17, 1)) * (rng.random() < 0.85)
            triples = np.concatenate([np.where(visible > 0, points, 0), visible], axis=1)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": 10 + image, "category_id": 1,
                 "keypoints": triples.ravel().tolist(), "num_keypoints": int((visible > 0).sum()),
                 "bbox": [*np.round(corner, 2).tolist(), size, size], "area": round(0.6 * size**2, 2),
                 "iscrowd": int(rng.random() < 0.15)}
            )  # fmt: skip
    images = [{"id": 10 + i, "file_name": f"{i}.jpg", "width": 500, "height": 500} for i in range(count)]
    categories = [{"id": 1, "name": "person", "keypoints": list(COCO.keypoints)}]
    return {"images": images, "annotations": annotations, "categories": categories}


def random_results(rng, truth):
    results = []
    for annotation in [*truth["annotations"], *truth["annotations"]]:
        points = np.array(annotation["keypoints"]).reshape(17, 3)[:, :2]
        moved = np.round(points + rng.normal(0, 0.05 * annotation["bbox"][2] * rng.uniform(0, 2), (17, 2)), 2)
        results.append(
            {"image_id": annotation["image_id"], "category_id": 1, "score": round(float(rng.random()), 3),
             "keypoints": np.concatenate([moved, np.ones((17, 1))], axis=1).ravel().tolist()}
        )  # fmt: skip
    return results


def write(path, value):
    path.write_text(json.dumps(value))
    return path


def plain_pycocotools(truth, results):
    import pycocotools.coco
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        labels = pycocotools.coco.COCO(str(truth))
        evaluation = COCOeval(labels, labels.loadRes(str(results)), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [100 * value if value >= 0 else math.nan for value in evaluation.stats.tolist()]


@pytest.mark.parametrize("seed", range(4))
def test_a_bare_list_is_scored_as_pycocotools_scores_it(tmp_path, seed):
    rng = np.random.default_rng(seed)
    truth = random_truth(rng)
    paths = (
        write(tmp_path / "truth.json", truth),
        write(tmp_path / "results.json", random_results(rng, truth)),
    )
    expected = plain_pycocotools(*paths)
    assert 5 < expected[0] < 95
    report = evaluate_files("oks", *paths)
    assert list(report["OKS"]) == list(FIGURES)
    assert list(report["OKS"].values()) == pytest.approx(expected, abs=1e-6, nan_ok=True)


def someone(size=100.0, labelled=True, crowd=False, area=None):
    keypoints = np.tile(np.array([50, 50], np.float32), (17, 1))
    box = np.array([0, 0, size, size], np.float32)
    return Person(box, keypoints, np.full(17, float(labelled), np.float32), True, crowd, area=area)


def picture(*people):
    frame = FootageFrame(Path("0.jpg"), "0.jpg", 0, True)
    return Footage("clip", COCO, (frame,), {0: people} if people else {}, {})


def poses(*offsets, scores=None, box_scores=None):
    """Everyone in the middle, this many pixels to the right."""
    count = len(offsets)
    keypoints = np.full((count, 17, 2), 50, np.float32)
    keypoints[:, :, 0] += np.array(offsets, np.float32).reshape(-1, 1)
    boxes = np.tile(np.array([0, 0, 100, 100], np.float32), (count, 1))
    box_scores = np.ones(count, np.float32) if box_scores is None else np.array(box_scores, np.float32)
    scores = np.ones((count, 17), np.float32) if scores is None else np.array(scores, np.float32)
    return {0: Poses(0, 0.0, Tracks(np.arange(1, count + 1), boxes, box_scores), keypoints, scores)}


def figures(*updates):
    metric = OksMetric()
    for footage, predictions in updates:
        metric.update(footage, predictions)
    return metric.compute()


def test_oks_is_measured_by_the_area_and_by_the_box_where_there_is_none():
    """OKS of a nose 8 pixels off: exp(-d^2 / (2 (2 sigma)^2 area)) with sigma 0.026.

    By the box's 100 x 100 it is exp(-64 / 54.08) = 0.306: not found. By an area of 60,000 it is 0.821: at 0.5 to 0.8.
    """
    truth = someone()
    only_nose = np.zeros(17, np.float32)
    only_nose[0] = 1
    for area, expected in ((None, 0), (60_000.0, 70)):
        person = Person(truth.box, truth.keypoints, only_nose, True, area=area)
        assert figures((picture(person), poses(8)))["AP"] == pytest.approx(expected)


def test_ap_by_hand():
    """Two people on two pictures, found exactly; a false one is ranked between. Precision 1 and 2/3 at recall 1/2, 1.

    Of the 101 recalls 0, 0.01, ... 1 the first 51 have 1, the other 50 have 2/3.
    """
    sure, doubtful = poses(0, 500, box_scores=[0.9, 0.8]), poses(0, box_scores=[0.7])
    result = figures((picture(someone()), sure), (picture(someone()), doubtful))
    assert result["AP50"] == pytest.approx(100 * (51 + 50 * 2 / 3) / 101)
    assert result["AR"] == pytest.approx(100)


def test_false_people_on_a_picture_without_people_count():
    right = (picture(someone()), poses(0, box_scores=[0.5]))
    assert figures(right, (picture(), poses(0, box_scores=[0.9])))["AP"] == pytest.approx(50)
    assert figures(right, (picture(), {}))["AP"] == pytest.approx(100)


def test_crowds_and_people_without_joints_neither_help_nor_hurt():
    right = (picture(someone()), poses(0, box_scores=[0.5]))
    for ignored in (someone(crowd=True), someone(labelled=False)):
        assert figures(right, (picture(ignored), poses(0, box_scores=[0.9])))["AP"] == pytest.approx(100)
        assert figures(right, (picture(ignored), {}))["AP"] == pytest.approx(100)


def test_people_are_ranked_by_their_boxs_score_times_their_joints():
    """0.9 x 0.2 comes after 0.5 x 1."""
    scores = [[1.0] * 17, [0.2] * 17]
    found = poses(0, 500, scores=scores, box_scores=[0.5, 0.9])
    assert person_scores(found[0]) == pytest.approx([0.5, 0.18])
    assert figures((picture(someone()), found))["AP"] == pytest.approx(100)
    found[0].scores[1] = np.nan  # nobody knows of that one
    assert person_scores(found[0]) == pytest.approx([0.5, 0])


def test_nothing_found_and_nothing_labelled():
    assert figures((picture(someone()), {}))["AP"] == 0
    assert math.isnan(figures((picture(), poses(0)))["AP"])


def test_pictures_that_are_not_labelled_are_left_out():
    frame = FootageFrame(Path("1.jpg"), "1.jpg", 1, False)
    unlabelled = Footage("clip", COCO, (frame,), {}, {})
    assert figures((picture(someone()), poses(0)), (unlabelled, poses(0)))["AP"] == pytest.approx(100)


def test_files_of_ours_and_footage_give_the_same(tmp_path):
    rng = np.random.default_rng(5)
    truth = write(tmp_path / "truth.json", random_truth(rng))
    footage = read_footage(truth)
    video = VideoInfo("folder", 500, 500, None, None, len(footage))
    frames = []
    for place in range(len(footage)):
        people = footage.people.get(place, ())
        keypoints = np.array([p.keypoints for p in people], np.float32).reshape(-1, 17, 2)
        keypoints += rng.normal(0, 4, keypoints.shape).astype(np.float32)
        boxes = np.array([p.box for p in people], np.float32).reshape(-1, 4)
        count = len(people)
        tracks = Tracks(np.arange(1, count + 1), boxes, rng.random(count).astype(np.float32))
        scores = rng.random((count, 17)).astype(np.float32)
        frames.append(Poses(place, float(place), tracks, keypoints, scores))
    with open_writer(tmp_path / "poses.json", video=video, skeleton=COCO, provenance={}) as writer:
        for frame in frames:
            writer.write(frame)
    metric = OksMetric()
    metric.update(footage, {frame.frame_index: frame for frame in frames})
    assert 5 < metric.compute()["AP"] < 95
    assert evaluate_files("oks", truth, tmp_path / "poses.json") == metric.report()
    assert len(read_poses(tmp_path / "poses.json").frames) == len(frames)


def test_sequences_need_one_skeleton():
    metric = OksMetric()
    metric.update(picture(someone()), {})
    other = Footage("other", POSETRACK18, (), {}, {})
    with pytest.raises(ValueError, match="other has other joints"):
        metric.update(other, {})


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools.cocoeval", None)
    with pytest.raises(PosecliError, match="pip install pycocotools"):
        OksMetric()
