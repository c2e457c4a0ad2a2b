"""The deformable convolution in its three forms, torchvision's being the reference, and STMM around it."""

import pytest
import torch
from torchvision.ops import deform_conv2d

from posecli.errors import PosecliError
from posecli.nn.deformable import deformable_conv1x1
from posecli.nn.stmm import STMM


def inputs(height: int, width: int) -> list[torch.Tensor]:
    """x, offsets that also leave the picture, modulation, weight, bias; two pictures, 3 channels to 4."""
    generator = torch.Generator().manual_seed(1)
    shapes = [(2, height, width, 3), (2, 2, height, width), (2, 1, height, width), (4, 3), (4,)]
    tensors = [torch.randn(shape, generator=generator, dtype=torch.double) for shape in shapes]
    tensors[1] *= 3
    return [tensor.requires_grad_() for tensor in tensors]


def reference(x_nHWD, offset_n2HW, modulation_n1HW, weight_DD, bias_D):
    weight = weight_DD[:, :, None, None]
    y = deform_conv2d(x_nHWD.permute(0, 3, 1, 2), offset_n2HW, weight, bias_D, mask=modulation_n1HW)
    return y.permute(0, 2, 3, 1)


@pytest.mark.parametrize("sampler", ["gather", "grid_sample", "deform_conv2d", "auto"])
@pytest.mark.parametrize("size", [(6, 5), (1, 4), (3, 1)])
def test_values_and_gradients_equal_torchvisions(sampler, size):
    tensors = inputs(*size)
    expected = reference(*tensors)
    actual = deformable_conv1x1(*tensors, sampler=sampler)
    torch.testing.assert_close(actual, expected)
    weights = torch.randn_like(expected)
    expected_gradients = torch.autograd.grad((expected * weights).sum(), tensors)
    gradients = torch.autograd.grad((actual * weights).sum(), tensors)
    torch.testing.assert_close(gradients, expected_gradients)


def test_whole_pixel_offsets_move_the_picture():
    x_nHWD = torch.arange(12.0).view(1, 3, 4, 1)
    offset = torch.zeros(1, 2, 3, 4)
    offset[:, 0] = 1  # dy: every pixel shows the one below it
    y = deformable_conv1x1(x_nHWD, offset, torch.full((1, 1, 3, 4), 2.0), torch.ones(1, 1), torch.zeros(1))
    assert y[0, :, :, 0].tolist() == [[8, 10, 12, 14], [16, 18, 20, 22], [0, 0, 0, 0]]


def test_an_unknown_sampler_is_refused():
    with pytest.raises(PosecliError, match="grid_sample"):
        deformable_conv1x1(*inputs(2, 2), sampler="nearest")


def test_starts_on_the_regular_grid_with_half_the_intensity():
    stmm = STMM(STMM.Config(dim=8))
    base, guide = torch.randn(2, 2, 3, 4, 5, 8)
    torch.testing.assert_close(stmm(base, guide), base + stmm.kernel(base / 2))


def test_the_guide_steers_and_is_not_added():
    torch.manual_seed(0)
    stmm = STMM(STMM.Config(dim=8))
    torch.nn.init.normal_(stmm.steer.weight)
    base, guide = torch.randn(2, 1, 2, 4, 5, 8)
    assert not torch.allclose(stmm(base, guide), stmm(base, -guide))
    torch.nn.init.zeros_(stmm.kernel.weight)
    torch.nn.init.zeros_(stmm.kernel.bias)
    assert torch.equal(stmm(base, guide), base)


def test_has_the_papers_number_of_parameters():
    assert sum(p.numel() for p in STMM(STMM.Config(dim=256)).parameters()) == 79_619
