"""Depthwise convolution whose gradient is fast on CPUs.

In bf16, oneDNN's input gradient of a strided depthwise convolution and its weight gradient for kernels above 3x3 are
twenty to forty times slower than the rest of the layer: they were three quarters of a training step of
EfficientNet-Lite0. Both can be written with the operations that are fast:

- the input gradient is a plain depthwise convolution, with the mirrored kernel, of the output gradient spread out by
  the stride (zeros between its pixels);
- the weight gradient of a 5x5 kernel consists of the weight gradients of four 3x3 kernels on shifted inputs.

The forward pass is PyTorch's own. Shapes: B batch, C channels, H and W height and width, K kernel size.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise Conv2d with an odd square kernel, "same" padding and no bias; its parameters are nn.Conv2d's."""

    def __init__(self, channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__(
            channels, channels, kernel_size, stride, padding=kernel_size // 2, groups=channels, bias=False
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        needs_gradient = torch.is_grad_enabled() and (x_BCHW.requires_grad or self.weight.requires_grad)
        if x_BCHW.device.type != "cpu" or not needs_gradient:
            return super().forward(x_BCHW)
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            return _Depthwise.apply(x_BCHW.to(dtype), self.weight.to(dtype), self.stride[0])
        return _Depthwise.apply(x_BCHW, self.weight, self.stride[0])


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_BCHW: Tensor, weight_C1KK: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x_BCHW, weight_C1KK)
        ctx.stride = stride
        padding = weight_C1KK.shape[-1] // 2
        return F.conv2d(x_BCHW, weight_C1KK, None, stride, padding, groups=x_BCHW.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x_BCHW, weight_C1KK = ctx.saved_tensors
        grad_BCHW = gradients[0].to(x_BCHW.dtype).contiguous(memory_format=torch.channels_last)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = _input_gradient(grad_BCHW, weight_C1KK, ctx.stride, x_BCHW.shape)
        if ctx.needs_input_grad[1]:
            grad_weight = _weight_gradient(grad_BCHW, x_BCHW, weight_C1KK, ctx.stride)
        return grad_x, grad_weight, None


def _input_gradient(grad_BCHW: Tensor, weight_C1KK: Tensor, stride: int, shape_BCHW: torch.Size) -> Tensor:
    if stride > 1:
        spread = grad_BCHW.new_zeros(shape_BCHW).contiguous(memory_format=torch.channels_last)
        spread[:, :, ::stride, ::stride] = grad_BCHW
        grad_BCHW = spread
    padding = weight_C1KK.shape[-1] // 2
    return F.conv2d(grad_BCHW, weight_C1KK.flip(2, 3), None, 1, padding, groups=shape_BCHW[1])


def _weight_gradient(grad_BCHW: Tensor, x_BCHW: Tensor, weight_C1KK: Tensor, stride: int) -> Tensor:
    kernel = weight_C1KK.shape[-1]
    if kernel != 5:
        return _native_weight_gradient(grad_BCHW, x_BCHW, weight_C1KK, stride, kernel // 2)
    grad_weight = torch.empty_like(weight_C1KK)
    corner = weight_C1KK[..., :3, :3].contiguous()
    for row in (0, 2):
        for column in (0, 2):
            # Tap (row + i, column + j) is tap (i, j) of a 3x3 kernel on an input shifted by (row, column).
            shifted = F.pad(x_BCHW, (2 - column, column, 2 - row, row))
            shifted = shifted.contiguous(memory_format=torch.channels_last)
            gradient = _native_weight_gradient(grad_BCHW, shifted, corner, stride, 0)
            grad_weight[..., row : row + 3, column : column + 3] = gradient
    return grad_weight


def _native_weight_gradient(
    grad_BCHW: Tensor, x_BCHW: Tensor, weight_C1KK: Tensor, stride: int, padding: int
) -> Tensor:
    rows, columns = grad_BCHW.shape[2:]
    kernel = weight_C1KK.shape[-1]
    # Pixels that no window reaches would make the shapes disagree.
    x_BCHW = x_BCHW[
        :, :, : (rows - 1) * stride + kernel - padding, : (columns - 1) * stride + kernel - padding
    ]
    return torch.ops.aten.convolution_backward(
        grad_BCHW,
        x_BCHW.contiguous(memory_format=torch.channels_last),
        weight_C1KK,
        None,
        [stride, stride],
        [padding, padding],
        [1, 1],
        False,
        [0, 0],
        x_BCHW.shape[1],
        [False, True, False],
    )[1]
