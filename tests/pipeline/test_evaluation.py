"""A model on a whole dataset: known figures, and the same from the result files."""

import json

import numpy as np
import pytest
import torch

from posecli.data.footage import Footage
from posecli.data.packed import PackedPeople
from posecli.data.posetrack18 import load_posetrack18
from posecli.metrics.posetrack import PoseTrackMetric
from posecli.metrics.posetrack_files import compared_sequences
from posecli.pipeline.evaluation import ResultFolder, evaluate, mean_report
from posecli.pipeline.options import Options
from posecli.pipeline.people import FoundPeople, TruePeople
from posecli.skeletons import COCO, POSETRACK18
from posecli.types import Boxes
from tests.pipeline.oracle import Oracle, make_footage, walk, write_annotations

NAMES = ("000001_film", "000002_film")


@pytest.fixture
def dataset(tmp_path):
    """Two films on disk in PoseTrack 2018's layout, the second sparsely labelled and partly empty."""
    write_annotations(make_footage(tmp_path, walk(5), 5, NAMES[0]))
    people = {i: group for i, group in walk(6).items() if i != 2}
    write_annotations(make_footage(tmp_path, people, 6, NAMES[1], labelled={0, 2, 4}))
    return load_posetrack18(tmp_path, "val")


class OracleOf(Oracle):
    """Of several films whose people are alike at the same places."""

    def __init__(self, sequences, **options):
        super().__init__(sequences[0], **options)
        self.people = {place: group for footage in sequences for place, group in footage.people.items()}


class Unsteady(OracleOf):
    """At times a cell wrong, which is more than half a head; more or less sure."""

    def forward(self, images_BTHWC):
        heatmaps = super().forward(images_BTHWC)
        random = torch.Generator().manual_seed(int(images_BTHWC.long().sum()))
        shift = int(torch.randint(0, 2, (1,), generator=random))
        strength = torch.rand(heatmaps.shape[:3], generator=random)
        return heatmaps.roll(shift, -1) * strength[..., None, None]


class Eager:
    """Finds the people of the films beside their places, and one who is not there."""

    name = "eager"

    def detect(self, images):
        found = []
        for image in images:
            index = int(image[0, 0, 2])
            boxes = [person.box + 2 for person in walk(6)[index]] + [
                np.array([70, 100, 110, 160], np.float32)
            ]
            scores = np.random.default_rng(index).uniform(0.3, 1, len(boxes)).astype(np.float32)
            found.append(Boxes(np.stack(boxes), scores))
        return found

    def provenance(self):
        return {}


def test_true_boxes_and_true_heatmaps_give_100(dataset):
    metric = PoseTrackMetric()
    evaluate(dataset, TruePeople(), OracleOf(dataset), metric, Options())
    assert {round(value, 6) for value in metric.compute().values()} == {100.0}


@pytest.mark.parametrize("form", ["posetrack17", "posetrack18", "coco"])
def test_result_files_have_exactly_the_same_figures(dataset, tmp_path, form):
    metric = PoseTrackMetric()
    results = ResultFolder(
        path=tmp_path / "results", form=form, skeleton=POSETRACK18, provenance={"tool": "posecli"}
    )
    evaluate(dataset, FoundPeople(Eager(), 4), Unsteady(dataset), metric, Options(), results=results)
    assert 5 < metric.compute()["Mean"] < 95
    from_files = PoseTrackMetric()
    for frames in compared_sequences(tmp_path / "annotations" / "val", tmp_path / "results"):
        from_files.update_frames(frames)
    assert from_files.report() == metric.report()
    assert sorted(file.name for file in (tmp_path / "results").iterdir()) == [
        f"{name}.json" for name in NAMES
    ]


def test_every_labelled_frame_is_told(dataset):
    told = []
    evaluate(
        dataset,
        TruePeople(),
        OracleOf(dataset),
        PoseTrackMetric(),
        Options(),
        on_frame=lambda footage, poses: told.append((footage.name, poses.frame_index, len(poses))),
    )
    first = [(NAMES[0], i, 2 if i >= 3 else 1) for i in range(5)]
    assert told == [*first, (NAMES[1], 0, 1), (NAMES[1], 2, 0), (NAMES[1], 4, 2)]


def test_stills_share_batches_and_a_result_file(tmp_path):
    """Each still is its own neighbour; the result has them under their own ids."""
    films = [make_footage(tmp_path, {i: walk(6)[i]}, 6) for i in range(6)]
    stills = [
        Footage(f"{i:06d}", film.skeleton, (film.frames[i],), PackedPeople({0: film.people[i]}), {})
        for i, film in enumerate(films)
    ]

    class Seen:
        def update(self, footage, predictions, skeleton=None):
            self.footage, self.predictions = footage, predictions

    model, metric = OracleOf(films), Seen()
    results = ResultFolder(path=tmp_path / "results", form="coco", skeleton=COCO, provenance={})
    evaluate(stills, TruePeople(), model, metric, Options(batch=4), stills=True, results=results)
    assert model.batches == [4, 4, 1]
    assert {tuple(window) for window in model.windows} == {(i,) * 5 for i in range(6)}
    assert [len(metric.footage.people[i]) for i in range(6)] == [len(metric.predictions[i]) for i in range(6)]
    for i in range(6):
        np.testing.assert_allclose(
            metric.predictions[i].keypoints[0], films[i].people[i][0].keypoints, atol=0.25
        )
    (file,) = (tmp_path / "results").iterdir()
    content = json.loads(file.read_text())
    assert content["info"] == {"converted_from": "coco", "derived_joints": ["head_bottom", "head_top"]}
    images = content["images"]
    assert [image["id"] for image in images] == [film.frames[i].image_id for i, film in enumerate(films)]


def test_mean_of_reports():
    reports = [{"PCK": {"Head": 90.0, "Mean": 80.0}}, {"PCK": {"Head": 70.0, "Mean": 50.0}}]
    assert mean_report(reports) == {"PCK": {"Head": 80.0, "Mean": 65.0}}
