"""The state of a run on disk."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from posecli.errors import PosecliError, UsageError
from posecli.train import checkpoint
from posecli.train.checkpoint import RunState
from posecli.train.ema import Average
from posecli.train.recipe import DataShare, Recipe

PLAIN = Recipe(task="encoder", data=(DataShare(name="coco"),), augmentation={"scale": 0.1})


def state(width=3, seed=0):
    torch.manual_seed(seed)
    model = nn.Linear(width, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, width)).sum().backward()
    optimizer.step()
    average = Average(model, 0.9)
    model(torch.ones(1, width)).sum().backward()
    optimizer.step()
    return RunState(model, optimizer, average, step=seed + 5)


def test_round_trip(tmp_path):
    saved = state()
    checkpoint.save(tmp_path, saved, PLAIN)
    loaded = state(seed=1)
    assert checkpoint.load(tmp_path, loaded, PLAIN)
    assert loaded.step == 5
    for ours, theirs in ((loaded.model, saved.model), (loaded.average.model, saved.average.model)):
        torch.testing.assert_close(ours.weight, theirs.weight, rtol=0, atol=0)
    assert not torch.equal(loaded.average.model.weight, loaded.model.weight)
    moments = [s["exp_avg"] for s in loaded.optimizer.state.values()]
    assert len(moments) == 2
    torch.testing.assert_close(moments, [s["exp_avg"] for s in saved.optimizer.state.values()])
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_no_checkpoint_is_no_error(tmp_path):
    assert not checkpoint.load(tmp_path, state(), PLAIN)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_what_is_no_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "last.pt"
    if content is None:
        torch.save({"model": {}}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(PosecliError, match=r"last\.pt: not a checkpoint of this model"):
        checkpoint.load(tmp_path, state(), PLAIN)


def test_checkpoint_of_another_model_is_named(tmp_path):
    checkpoint.save(tmp_path, state(width=4), PLAIN)
    with pytest.raises(PosecliError, match="not a checkpoint of this model"):
        checkpoint.load(tmp_path, state(), PLAIN)


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RuntimeError("PytorchStreamWriter failed")])
def test_failed_write_keeps_the_earlier_checkpoint(tmp_path, monkeypatch, error):
    checkpoint.save(tmp_path, state(), PLAIN)
    before = (tmp_path / "last.pt").read_bytes()

    def fail(content, stream):
        stream.write(b"half")
        raise error

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(PosecliError, match=r"last\.pt: can't be written"):
        checkpoint.save(tmp_path, state(seed=1), PLAIN)
    assert (tmp_path / "last.pt").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize(
    "fields",
    [
        {"learning_rate": 0.1},
        {"batch": 7, "seed": 4},
        {"data": (DataShare(name="coco", share=0.5),)},
        {"augmentation": {"scale": 0.2}},
    ],
)
def test_another_recipe_is_refused_unless_it_is_meant(tmp_path, fields):
    checkpoint.save(tmp_path, state(), PLAIN)
    other = replace(PLAIN, **fields)
    with pytest.raises(UsageError) as error:
        checkpoint.load(tmp_path, state(), other)
    for name in fields:
        assert f"{name} was " in str(error.value)
    assert checkpoint.load(tmp_path, state(), other, fields)


def test_a_run_may_go_on_for_longer_and_report_otherwise(tmp_path):
    checkpoint.save(tmp_path, state(), PLAIN)
    other = replace(PLAIN, steps=9, accumulate=4, log_every=1, evaluate_every=2, checkpoint_seconds=3.0)
    assert checkpoint.load(tmp_path, state(), other)


def test_checkpoint_of_an_earlier_version_goes_on(tmp_path):
    """It had random numbers' states and no recipe."""
    checkpoint.save(tmp_path, state(), PLAIN)
    content = torch.load(tmp_path / "last.pt")
    del content["recipe"], content["best"]
    torch.save(content | {"torch_rng": torch.get_rng_state()}, tmp_path / "last.pt")
    loaded = state(seed=1)
    assert checkpoint.load(tmp_path, loaded, PLAIN)
    assert (loaded.step, loaded.best) == (5, None)
