"""A convolution and the ReLU6 behind it in one pass over the memory, where PyTorch can do that.

A light network's layers wait for memory more than for arithmetic: on CPUs, a ReLU6 of its own took two fifths of the
embedded encoder's time. oneDNN does both at once. PyTorch reaches it by an operator that torch.compile's CPU code calls
and that has no public name: where there is none (another build, another version), the two run one after the other. The
results are the same to the last bit.

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_FUSED = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)


def conv_relu6(conv: nn.Conv2d, x_BCHW: Tensor) -> Tensor:
    """min(max(conv(x), 0), 6), in the dtype that autocast asks for."""
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x_BCHW.dtype
    if torch.is_grad_enabled() or not _can_fuse(x_BCHW.device, dtype):
        return F.relu6(conv(x_BCHW))
    weight, bias = conv.weight.to(dtype), None if conv.bias is None else conv.bias.to(dtype)
    geometry = conv.padding, conv.stride, conv.dilation, conv.groups
    return _FUSED(x_BCHW.to(dtype), weight, bias, *geometry, "hardtanh", [0.0, 6.0], "")  # type: ignore[misc]


def _can_fuse(device: torch.device, dtype: torch.dtype) -> bool:
    if _FUSED is None or device.type != "cpu":
        return False
    # Where a CPU has no instructions for bf16, oneDNN refuses it; PyTorch's own convolution imitates it.
    return dtype == torch.float32 or (dtype == torch.bfloat16 and _has_bf16())


@cache
def _has_bf16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
