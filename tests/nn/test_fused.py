"""A convolution with its ReLU6: what the two give one after the other, fused or not."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from posecli.nn import fused
from posecli.nn.depthwise import DepthwiseConv2d
from posecli.nn.fused import conv_relu6

LAYERS = {
    "pointwise": lambda: nn.Conv2d(8, 12, 1),
    "strided, no bias": lambda: nn.Conv2d(8, 12, 3, 2, 1, bias=False),
    "depthwise": lambda: DepthwiseConv2d(8, 5),
    "dilated groups": lambda: nn.Conv2d(8, 12, 3, padding=2, dilation=2, groups=4),
}


def layer_and_input(name):
    torch.manual_seed(0)
    layer = LAYERS[name]().to(memory_format=torch.channels_last)
    with torch.no_grad():
        layer.weight.mul_(4)  # so that both ends of ReLU6 count
    return layer, torch.randn(2, 8, 10, 14).contiguous(memory_format=torch.channels_last) * 4


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_it_is_the_convolution_and_then_relu6(name, bf16):
    layer, image = layer_and_input(name)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        expected, actual = F.relu6(layer(image)), conv_relu6(layer, image)
    assert (expected == 0).any()
    assert (expected == 6).any()
    torch.testing.assert_close(actual, expected, atol=0.04 if bf16 else 1e-5, rtol=0)
    assert actual.is_contiguous(memory_format=torch.channels_last)


def test_a_pytorch_without_the_operator_gives_the_same(monkeypatch):
    layer, image = layer_and_input("pointwise")
    with torch.inference_mode():
        expected = conv_relu6(layer, image)
        monkeypatch.setattr(fused, "_FUSED", None)
        torch.testing.assert_close(conv_relu6(layer, image), expected)


def test_what_onednn_does_not_take_is_convolved_all_the_same():
    layer, image = layer_and_input("pointwise")
    with torch.inference_mode():
        expected = conv_relu6(layer, image)
        actual = conv_relu6(layer.double(), image.double())
    assert actual.dtype == torch.float64
    torch.testing.assert_close(actual.float(), expected)


def test_gradients_pass():
    layer, image = layer_and_input("pointwise")
    conv_relu6(layer, image).sum().backward()
    reference, _ = layer_and_input("pointwise")
    F.relu6(reference(image)).sum().backward()
    torch.testing.assert_close(layer.weight.grad, reference.weight.grad)
