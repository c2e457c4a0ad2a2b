"""The real tasks, end to end on a made dataset of a few small pictures: a step, an evaluation, a file that loads."""

import numpy as np
import pytest
import torch

from posecli.errors import PosecliError
from posecli.nn.detector import PersonDetector
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.nn.pose_model import PoseModel
from posecli.train.loop import train
from posecli.train.recipe import DataShare, Recipe
from posecli.train.tasks import make_task
from posecli.weights.files import load_metadata
from posecli.weights.models import load_into, load_model, read_config
from tests.data.making import annotation, blob, write_clip, write_coco
from tests.train.stub import Watcher


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    image = blob(96, 128, 60, 50, 12.0)
    for split in ("train", "val"):
        labels = [annotation(1, (30, 20, 50, 70)), annotation(1, (0, 0, 20, 20), iscrowd=1)]
        write_coco(folder, [(1, image, {"group": "made"})], labels, split)
        people = [annotation(100 + i, (30 + i, 20, 50, 70), track_id=1) for i in range(3)]
        write_clip(folder, "walk", [image] * 3, people, split)
    return folder


def run(corpus, folder, **fields):
    plain = {"steps": 2, "batch": 2, "warmup": 1, "init": "none", "log_every": 1, "seed": 1}
    recipe = Recipe(**plain | fields)
    task, watcher = make_task(recipe, corpus, folder / "cache"), Watcher()
    path = train(
        task, recipe, folder / "run", torch.device("cpu"), watcher_of(watcher), resume=False, workers=0
    )
    assert all(np.isfinite(loss) for loss in watcher.steps.values())
    assert len(watcher.steps) == recipe.steps
    return path, watcher


def watcher_of(watcher):
    """Keeps all of an evaluation's figures."""
    watcher.on_evaluation = lambda step, values: watcher.evaluations.update(values)
    return watcher


def test_detector(corpus, tmp_path):
    data = (DataShare(name="coco", share=0.5), DataShare(name="synthetic", share=0.5, size=5))
    sizes = ((0.0, 64, 96),)
    pytest.importorskip("pycocotools")
    path, watcher = run(corpus, tmp_path, task="detector", data=data, sizes=sizes)
    assert 0 <= watcher.evaluations["ap50"] <= 1
    load_into(PersonDetector(PersonDetector.Config()), path)
    assert "task='detector'" in load_metadata(path)["recipe"]


def test_encoder(corpus, tmp_path):
    shares = (("coco", 0.4), ("clips", 0.4), ("synthetic", 0.2))
    data = tuple(DataShare(name=name, share=share, size=5) for name, share in shares)
    path, watcher = run(corpus, tmp_path, task="encoder", data=data, sizes=((0.0, 64, 64),))
    assert {"pck@0.1", "pck@0.2", "made pck@0.1", "walk pck@0.1"} == set(watcher.evaluations)
    load_into(LitePoseEncoder(LitePoseEncoder.Config()), path)


def test_temporal_on_a_trained_encoder(corpus, tmp_path):
    encoder, _ = run(
        corpus, tmp_path / "e", task="encoder", data=(DataShare(name="coco"),), sizes=((0.0, 64, 64),)
    )
    data = (DataShare(name="clips", share=0.5), DataShare(name="coco", share=0.5))
    path, watcher = run(
        corpus, tmp_path, task="temporal", data=data, batch=1, encoder=str(encoder), learning_rate=1e-3
    )
    assert "encoder made pck@0.1" in watcher.evaluations
    model = load_model(str(path)).model
    assert model.config == read_config(path)
    # The frozen encoder is the very one that was given.
    loaded, given = PoseModel(model.config), LitePoseEncoder(LitePoseEncoder.Config())
    load_into(loaded, path)
    load_into(given, encoder)
    for name, value in given.named_parameters():
        torch.testing.assert_close(loaded.encoder.get_parameter(name), value, rtol=0, atol=0)


@pytest.mark.parametrize("task", ["detector", "encoder", "temporal"])
def test_unknown_dataset_is_named(task, corpus, tmp_path):
    recipe = Recipe(task=task, init="none", data=(DataShare(name="mpii"),))
    with pytest.raises(PosecliError, match=f"dataset 'mpii' is unknown to the {task}.*known: .*coco"):
        make_task(recipe, corpus, tmp_path).datasets()


def test_unknown_task_is_named(tmp_path):
    with pytest.raises(PosecliError, match="task 'pose' is unknown; known: detector, encoder, temporal"):
        make_task(Recipe(task="pose"), tmp_path, tmp_path)
