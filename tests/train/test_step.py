"""A step: the gradient of the whole batch whatever its parts, and scans in fp32 under autocast."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from posecli.nn import s6
from posecli.nn.glsmamba import GLSMamba
from posecli.train.checkpoint import RunState
from posecli.train.distributed import Processes
from posecli.train.ema import Average
from posecli.train.losses import Loss, heatmap_loss
from posecli.train.optimizer import make_optimizer
from posecli.train.step import Step
from tests.nn.test_glsmamba import TINY, features
from tests.train.ranks import UNEVEN, ExactTask, run
from tests.train.stub import StubTask, recipe

CPU = torch.device("cpu")


@pytest.mark.parametrize("accumulate", [2, 3, 7])
def test_accumulated_parts_are_one_large_batch(tmp_path, accumulate):
    """Labels are unequal among the parts, and some parts have none; gradients are clipped."""
    parts, whole = ExactTask(UNEVEN), ExactTask(UNEVEN)
    run(parts, replace(UNEVEN, accumulate=accumulate), tmp_path / "parts")
    run(whole, UNEVEN, tmp_path / "whole")
    for name, value in whole.exported.items():
        torch.testing.assert_close(parts.exported[name], value, rtol=1e-9, atol=1e-12)


class ScoreTask(StubTask):
    """A model that is its own loss, so that its gradient is known."""

    def build_model(self):
        return nn.Linear(1, 1, bias=False)

    def loss(self, model, batch):
        return Loss(model.weight.sum() * batch["total"], batch["count"], {"seen": batch["seen"]})


def test_gradient_and_values_are_means_over_all_that_counts():
    config = recipe(accumulate=2, ema=0.0, clip_norm=1e9)
    task = ScoreTask(config)
    model = task.build_model()
    state = RunState(model, make_optimizer(model, config), Average(model, 0.0))
    values = Step(task, config, state, Processes(CPU))(
        [{"total": 6.0, "count": 3.0, "seen": 1.0}, {"total": -2.0, "count": 5.0, "seen": 2.0}]
    )
    assert float(model.weight.grad) == pytest.approx((6 - 2) / (3 + 5))
    assert values["norm"] == pytest.approx(0.5)
    assert values["seen"] == pytest.approx((3 * 1 + 5 * 2) / 8)
    assert state.step == 1


def test_heatmap_losses_of_parts_add_up_to_that_of_the_batch():
    torch.manual_seed(0)
    heatmaps, cells = torch.randn(4, 3, 8, 6), torch.rand(4, 3, 2) * 5
    weights = torch.tensor([[1.0, 1, 2], [0, 0, 0], [0, 0.5, 0], [0, 0, 0]])
    parts = [
        Loss.of_mean(
            heatmap_loss("mse", heatmaps[i : i + 2], cells[i : i + 2], weights[i : i + 2], 1.0),
            weights[i : i + 2].sum(),
        )
        for i in (0, 2)
    ]
    total, count = sum(part.total for part in parts), sum(part.count for part in parts)
    torch.testing.assert_close(total / count, heatmap_loss("mse", heatmaps, cells, weights, 1.0))


def test_scans_are_fp32_under_autocast(monkeypatch):
    """All that enters the scan of every block, while a convolution of the same network gets bf16."""
    entered, convolved = [], []
    scan = s6.scan_routes

    def spy(*tensors, **named):
        entered.extend(
            t.dtype for t in (*tensors, *named.values()) if torch.is_tensor(t) and t.is_floating_point()
        )
        return scan(*tensors, **named)

    class Task(StubTask):
        def build_model(self):
            model = GLSMamba(TINY)
            model.set_scan_backend("torch")
            model.gsm[0].gate.conv.register_forward_hook(lambda module, x, y: convolved.append(y.dtype))
            return model

        def loss(self, model, batch):
            return Loss(model(batch["x"]).float().square().sum(), len(batch["x"]))

    monkeypatch.setattr(s6, "scan_routes", spy)
    config = recipe(bf16=True)
    task = Task(config)
    model = task.build_model()
    state = RunState(model, make_optimizer(model, config), Average(model, 0.0))
    values = Step(task, config, state, Processes(CPU))([{"x": features(TINY)}])
    assert set(convolved) == {torch.bfloat16}
    assert len(entered) == 2 * 7  # one GSM and one LRM block
    assert set(entered) == {torch.float32}
    assert values["norm"] > 0
