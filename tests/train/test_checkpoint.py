"""The state of a run on disk."""

import pytest
import torch
from torch import nn

from posecli.errors import PosecliError
from posecli.train import checkpoint
from posecli.train.checkpoint import RunState
from posecli.train.ema import Average


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
    checkpoint.save(tmp_path, saved)
    expected = torch.rand(3)
    loaded = state(seed=1)
    assert checkpoint.load(tmp_path, loaded)
    assert loaded.step == 5
    torch.testing.assert_close(torch.rand(3), expected)
    for ours, theirs in ((loaded.model, saved.model), (loaded.average.model, saved.average.model)):
        torch.testing.assert_close(ours.weight, theirs.weight, rtol=0, atol=0)
    assert not torch.equal(loaded.average.model.weight, loaded.model.weight)
    moments = [s["exp_avg"] for s in loaded.optimizer.state.values()]
    assert len(moments) == 2
    torch.testing.assert_close(moments, [s["exp_avg"] for s in saved.optimizer.state.values()])
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_no_checkpoint_is_no_error(tmp_path):
    assert not checkpoint.load(tmp_path, state())


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_what_is_no_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "last.pt"
    if content is None:
        torch.save({"model": {}}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(PosecliError, match=r"last\.pt: not a checkpoint of this model"):
        checkpoint.load(tmp_path, state())


def test_checkpoint_of_another_model_is_named(tmp_path):
    checkpoint.save(tmp_path, state(width=4))
    with pytest.raises(PosecliError, match="not a checkpoint of this model"):
        checkpoint.load(tmp_path, state())


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RuntimeError("PytorchStreamWriter failed")])
def test_failed_write_keeps_the_earlier_checkpoint(tmp_path, monkeypatch, error):
    checkpoint.save(tmp_path, state())
    before = (tmp_path / "last.pt").read_bytes()

    def fail(content, part):
        part.write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(PosecliError, match=r"last\.pt: can't be written"):
        checkpoint.save(tmp_path, state(seed=1))
    assert (tmp_path / "last.pt").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]
