"""Depthwise convolution against PyTorch's own gradients."""

import pytest
import torch
import torch.nn.functional as F

from posecli.nn.depthwise import DepthwiseConv2d, _Depthwise


def made(kernel, stride, size, channels=3):
    torch.manual_seed(0)
    x = torch.randn(2, channels, *size, dtype=torch.float64, requires_grad=True)
    return DepthwiseConv2d(channels, kernel, stride).double(), x


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(9, 12), (8, 7), (5, 5), (2, 1)])
def test_values_and_gradients_are_those_of_conv2d(kernel, stride, size):
    layer, x = made(kernel, stride, size)
    result = layer(x)
    expected = F.conv2d(x, layer.weight, None, stride, kernel // 2, groups=3)
    torch.testing.assert_close(result, expected)
    weights = torch.randn_like(expected)
    ours = torch.autograd.grad((result * weights).sum(), (x, layer.weight))
    theirs = torch.autograd.grad((expected * weights).sum(), (x, layer.weight))
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 1), (5, 2)])
def test_gradcheck(kernel, stride):
    layer, x = made(kernel, stride, (5, 4), channels=2)
    assert torch.autograd.gradcheck(lambda x, w: _Depthwise.apply(x, w, stride), (x, layer.weight))


def test_frozen_weights_get_no_gradient_and_pass_one_on():
    layer, x = made(5, 2, (6, 6))
    layer.requires_grad_(False)
    layer(x).sum().backward()
    assert layer.weight.grad is None
    assert x.grad.abs().sum() > 0


def test_autocast_computes_in_bf16_and_returns_gradients_in_the_parameters_type():
    layer, x = made(5, 1, (6, 6))
    layer, x = layer.float(), x.detach().float()
    with torch.autocast("cpu", torch.bfloat16):
        result = layer(x)
    assert result.dtype == torch.bfloat16
    result.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32
    exact = torch.autograd.grad(F.conv2d(x, layer.weight, None, 1, 2, groups=3).sum(), layer.weight)[0]
    torch.testing.assert_close(layer.weight.grad, exact, atol=0.1, rtol=0.02)


def test_names_are_those_of_an_ordinary_convolution():
    assert list(DepthwiseConv2d(4, 5, 2).state_dict()) == ["weight"]
    assert DepthwiseConv2d(4, 5, 2).weight.shape == (4, 1, 5, 5)
