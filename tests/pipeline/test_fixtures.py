"""Real pictures with human labels, and the shipped model: three of PoseTrack 2018 and three of sub-JHMDB."""

import json

import pytest

from posecli.data.box_lists import DatasetBoxes
from posecli.data.datasets import DATASETS, load_dataset
from posecli.data.recent import RecentPictures
from posecli.metrics.boxes import iou
from posecli.metrics.of_dataset import metric_of
from posecli.pipeline.evaluation import evaluate
from posecli.pipeline.footage import FootageFrames
from posecli.pipeline.options import Options
from posecli.pipeline.people import BoxesOfFile, TruePeople
from posecli.weights.locate import embedded_weights
from posecli.weights.models import load_model
from tests.data.real import FIXTURES, lay_sub_jhmdb, needs_fixtures

pytestmark = [
    needs_fixtures,
    pytest.mark.skipif(not embedded_weights("glsmamba-t"), reason="no weights inside"),
]


@pytest.fixture(scope="module")
def model():
    return load_model("glsmamba-t").model


@pytest.fixture(scope="module")
def jhmdb(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jhmdb")
    lay_sub_jhmdb(folder)
    return folder


def figures(name, folder, split, people, model):
    metric = metric_of(DATASETS[name])
    sequences = load_dataset(name, folder, split)
    told = []
    evaluate(
        sequences, people, model, metric, Options(), on_frame=lambda footage, poses: told.append(len(poses))
    )
    return metric.report(), told


def test_posetrack18(model):
    report, people = figures("posetrack18", FIXTURES / "posetrack18", "val", TruePeople(), model)
    assert people == [1, 2, 11]
    assert report["AP"]["Mean"] > 30  # by chance next to none: a joint has to be within a third of the head
    assert report["AP"]["Head"] > 50


def test_detections_of_posetrack18():
    """They name their pictures by image_id."""
    file = FIXTURES / "posetrack18" / "annotations" / "test_posetrack18_human_detections.json"
    people = BoxesOfFile(DatasetBoxes(file, threshold=0.5))
    strong = [box["image_id"] for box in json.loads(file.read_text()) if box["score"] >= 0.5]
    for footage in load_dataset("posetrack18", FIXTURES / "posetrack18", "val"):
        ((frame, tracks),) = people.locate(FootageFrames(footage, RecentPictures()), [0])
        assert frame.name == footage.frames[0].name
        assert len(tracks) == strong.count(footage.frames[0].image_id) > 0
        labels = [person.box for person in footage.people[0] if person.labelled.any()]
        best = [iou(box, tracks.xyxy).max() for box in labels]
        assert max(best) > 0.7  # they are the right picture's


def test_sub_jhmdb(model, jhmdb):
    report, people = figures("sub-jhmdb", jhmdb, "val1", TruePeople(), model)
    assert people == [1, 1, 1]
    assert report["PCK"]["Mean"] > 80
    assert report["PCK"]["Head"] > 60
