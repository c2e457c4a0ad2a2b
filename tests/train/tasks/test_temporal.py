"""Training on datasets, end to end with a tiny model: layouts, joints, cached features, what stays frozen."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from posecli.data.augment import NO_AUGMENTATION
from posecli.errors import PosecliError, UsageError
from posecli.nn.pose_model import PoseModel
from posecli.skeletons import JHMDB, POSETRACK17, POSETRACK18
from posecli.train.loop import train
from posecli.train.observer import Observer
from posecli.train.recipe import DataShare
from posecli.train.tasks import make_task
from posecli.weights.files import load_metadata
from posecli.weights.models import load_model, read_config
from tests.data.real import lay_posetrack18, lay_sub_jhmdb, needs_fixtures
from tests.train.tasks.making import KEYFRAME, TINY, keys, recipe, write_jhmdb, write_tree17, write_tree18

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write_tree17(root / "posetrack17")
    write_tree18(root / "posetrack18")
    write_tree18(root / "posetrack21")
    write_jhmdb(root / "sub-jhmdb")
    return root


def run(made, folder, data, said=None):
    say = (lambda text: None) if said is None else said.append
    task = make_task(made, data, folder / "cache", CPU, say)
    folder.mkdir(exist_ok=True)
    path = train(task, made, folder, CPU, Observer(), resume=False, workers=0)
    with (folder / "log.csv").open() as log:
        return path, [float(row["loss"]) for row in csv.DictReader(log)]


def quality(folder):
    with (folder / "quality.csv").open() as log:
        return list(csv.DictReader(log))[-1]


@pytest.mark.parametrize(
    ("dataset", "split", "skeleton", "figure"),
    [
        ("posetrack17", "", "posetrack17", "posetrack17 AP"),
        ("posetrack18", "", "posetrack17", "posetrack18 AP"),
        ("posetrack21", "", "posetrack17", "posetrack21 AP"),
        ("sub-jhmdb", "2", "jhmdb", "sub-jhmdb PCK"),
    ],
)
def test_every_layout_is_trained_on_and_evaluated_in_its_own_metric(
    dataset, split, skeleton, figure, data, tmp_path
):
    made = recipe(
        dataset,
        KEYFRAME | {"skeleton": skeleton},
        data=(DataShare(name=dataset, split=split),),
        cache_features=dataset == "posetrack18",
    )
    said = []
    path, losses = run(made, tmp_path / "run", data / dataset, said=said)
    assert len(losses) == 2
    assert any("MB for the features" in line for line in said) == made.cache_features
    assert np.all(np.isfinite(losses))
    assert (
        0 <= float(next(value for name, value in quality(tmp_path / "run").items() if name != "step")) <= 100
    )
    assert any(name.startswith(figure) for name in quality(tmp_path / "run")), quality(tmp_path / "run")
    assert read_config(path).skeleton == skeleton
    assert load_model(str(path)).model.temporal.config.joints == 15


def test_labels_go_by_name_from_posetrack_18_to_the_15_joints(data, tmp_path):
    task = make_task(recipe(), data / "posetrack18", tmp_path)
    (dataset,) = task.datasets()
    batch = task.collate([dataset[keys(1)[0]]])
    # The first window: frame 0 repeated, then 0 and 1. The keyframe's box is (12, 22) to (188, 198), square already,
    # enlarged by 1.25: 220 pixels around (100, 110), of which UDP's crop shows 63 between its outer pixels' centres.
    slots = [POSETRACK18.index(name) for name in POSETRACK17.keypoints]
    picture = np.stack([20 + 10 * np.array(slots), 30 + 10 * np.array(slots)], -1)
    expected = (picture - [100 - 110, 110 - 110]) * 63 / 220
    np.testing.assert_allclose(batch["keypoints_BTK2"][0, 1].numpy(), expected, atol=1e-4)
    assert batch["weights_BTK"][0, 1].tolist() == [1.0] * 15


def test_jhmdb_labels_of_a_split_are_those_of_its_clips(data, tmp_path):
    overrides = KEYFRAME | {"skeleton": "jhmdb"}
    for split, clip in (("1", "first"), ("2", "second")):
        made = recipe(overrides=overrides, data=(DataShare(name="sub-jhmdb", split=split),))
        task = make_task(made, data / "sub-jhmdb", tmp_path)
        (footage,) = task._sources.sequences(made.data[0], "train")
        assert footage.name.endswith(clip)
        assert footage.skeleton is JHMDB


@pytest.mark.parametrize("bf16", [False, True])
def test_loss_and_gradients_are_the_same_with_cached_features(bf16, data, tmp_path):
    """To fp16's precision (half an ulp is 2 ** -11), or, under autocast, to that of bf16 (2 ** -8): what the encoder
    gives is bf16 already, and only the batches that it ran in differ.
    """
    found = []
    for cached in (False, True):
        task = make_task(recipe(bf16=bf16, cache_features=cached), data / "posetrack18", tmp_path / "cache")
        (dataset,) = task.datasets()
        batch = task.collate([dataset[key] for key in keys(2)])
        assert ("features_BTCHW" in batch) == cached
        model = task.build_model().train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = task.loss(model, batch)
        loss.total.backward()
        gradients = [p.grad.flatten() for p in model.temporal.parameters() if p.grad is not None]
        found.append((float(loss.total), torch.cat(gradients)))
    (plain, plain_gradient), (kept, kept_gradient) = found
    assert kept == pytest.approx(plain, rel=2e-2 if bf16 else 1e-3)
    difference = (kept_gradient - plain_gradient).norm() / plain_gradient.norm()
    assert difference < (5e-2 if bf16 else 5e-3)


def test_an_encoder_without_weights_is_the_same_for_cache_and_model(data, tmp_path):
    made = recipe(cache_features=True)
    task = make_task(made, data / "posetrack18", tmp_path / "cache")
    task.datasets()
    first, second = task.build_model(), task.build_model()
    for name, value in first.encoder.state_dict().items():
        torch.testing.assert_close(value, second.encoder.state_dict()[name], rtol=0, atol=0)


@pytest.mark.parametrize("overrides", [KEYFRAME, TINY], ids=["keyframe", "tubelet"])
def test_one_batch_can_be_learnt_by_heart(overrides, data, tmp_path):
    """Both kinds of answer and of loss: less than half of the first loss after a few steps on the same windows."""
    made = recipe(overrides=overrides, steps=15, batch=3, learning_rate=2e-2, clip_norm=1e9)
    _, losses = run(made, tmp_path / "run", data / "posetrack18")
    assert losses[-1] < losses[0] / 2


def test_the_frozen_encoder_stays_what_it_was(data, tmp_path):
    made = recipe(steps=3, learning_rate=1e-2)
    task = make_task(made, data / "posetrack18", tmp_path)
    before = task.build_model().encoder.half().float().state_dict()
    path, _ = run(made, tmp_path / "run", data / "posetrack18")
    after = PoseModel(read_config(path))
    after.load_state_dict(load_model_state(path), strict=False)
    for name, value in before.items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(after.encoder.state_dict()[name], value, rtol=0, atol=0)


def load_model_state(path):
    from posecli.weights.files import load_tensors

    return load_tensors(path)


def test_routes_that_are_switched_off_are_not_trained(data, tmp_path):
    overrides = KEYFRAME | {"temporal.routes": ["unified"], "temporal.stmm": False}
    model = make_task(recipe(overrides=overrides), data / "posetrack18", tmp_path).build_model()
    dropped = model.temporal.dropped_parameters()
    assert dropped > 0
    trained = [p for p in model.temporal.parameters() if p.requires_grad]
    assert sum(p.numel() for p in model.temporal.parameters()) == sum(p.numel() for p in trained) + dropped


@pytest.mark.parametrize(
    "changes",
    [
        {"temporal.gsm_blocks": 0, "temporal.lrm_blocks": 0},
        {"temporal.lrm_blocks": 0},
        {"temporal.gsm_blocks": 0},
        {"temporal.routes": ["unified", "space"]},
        {"temporal.stmm": False},
    ],
)
def test_every_ablation_starts_at_the_encoders_own_loss(changes, data, tmp_path):
    """The small-data start: zero head on top of the encoder's heatmaps (docs/method.md)."""
    joints = {"skeleton": "posetrack17", "encoder.skeleton": "posetrack17", "temporal.output": "keyframe"}
    task = make_task(recipe(overrides=TINY | joints | changes), data / "posetrack18", tmp_path)
    (dataset,) = task.datasets()
    loss = task.loss(task.build_model().train(), task.collate([dataset[key] for key in keys(2)]))
    assert float(loss.total) / float(loss.count) == pytest.approx(loss.values["encoder_loss"], rel=1e-5)
    loss.total.backward()


def test_a_run_can_start_from_a_whole_model(data, tmp_path):
    path, _ = run(recipe(), tmp_path / "first", data / "posetrack18")
    model = make_task(recipe(init=str(path), seed=9), data / "posetrack18", tmp_path).build_model()
    given = load_model_state(path)
    for name, value in model.temporal.state_dict().items():
        torch.testing.assert_close(value, given[f"temporal.{name}"].float(), rtol=0, atol=0)
    assert load_metadata(path)["encoder_sha256"] == "none"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"augment": True}, "add --set augment=false"),
        ({"strides": (1, 2)}, r"--set strides=\[1\]"),
        ({"data": (DataShare(name="coco"),)}, "windows of 'coco' are drawn anew"),
        ({"overrides": KEYFRAME | {"encoder.frozen": False}}, "is not frozen"),
    ],
)
def test_features_that_change_are_not_cached(fields, message, data, tmp_path):
    made = replace(recipe(cache_features=True), **fields)
    with pytest.raises((UsageError, PosecliError), match=message):
        make_task(made, data / "posetrack18", tmp_path)


def test_a_model_of_other_joints_and_a_mere_encoder_are_no_start(data, tmp_path):
    path, _ = run(recipe(), tmp_path / "first", data / "posetrack18")
    wider = recipe(overrides=KEYFRAME | {"skeleton": "coco"}, init=str(path))
    with pytest.raises(PosecliError, match="not the weights of the temporal part"):
        make_task(wider, data / "posetrack18", tmp_path).build_model()


def test_without_augmentation_windows_are_cut_as_they_are(data, tmp_path):
    task = make_task(recipe(augmentation={"rotation": 90.0}), data / "posetrack18", tmp_path)
    (dataset,) = task.datasets()
    assert dataset._augmentation is NO_AUGMENTATION
    one, other = (dataset[replace(keys(1)[0], step=step)] for step in (0, 7))
    np.testing.assert_array_equal(one.images, other.images)


@needs_fixtures
@pytest.mark.parametrize("dataset", ["posetrack18", "sub-jhmdb"])
def test_real_pictures_go_through_training_and_evaluation(dataset, tmp_path):
    if dataset == "posetrack18":
        lay_posetrack18(tmp_path / "data")
        made = recipe(steps=8, learning_rate=1e-2)
    else:
        lay_sub_jhmdb(tmp_path / "data", roles=(1, 1, 2))
        share = DataShare(name=dataset, split="1")
        made = recipe(overrides=KEYFRAME | {"skeleton": "jhmdb"}, data=(share,), steps=8, learning_rate=1e-2)
    path, losses = run(made, tmp_path / "run", tmp_path / "data")
    assert sum(losses[-2:]) < sum(losses[:2])
    assert 0 <= float(list(quality(tmp_path / "run").values())[1]) <= 100
    assert read_config(path).skeleton == made.overrides["skeleton"]
