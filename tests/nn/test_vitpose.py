import pytest
import torch
from torch import nn

from posecli.nn.vitpose import VITPOSE_SIZES, Attention, ViTPose

TINY = ViTPose.Config(dim=32, depth=2, num_heads=4, image_size=(64, 48))


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("size", ["S", "B", "L", "H"])
def test_backbone_has_the_number_of_parameters_that_its_size_implies(size):
    dim, depth = VITPOSE_SIZES[size].dim, VITPOSE_SIZES[size].depth
    patch, position, block, norm = 3 * 16 * 16 * dim + dim, 193 * dim, 12 * dim**2 + 13 * dim, 2 * dim
    with torch.device("meta"):
        assert count(ViTPose(VITPOSE_SIZES[size]).backbone) == patch + position + depth * block + norm


def test_base_has_the_published_number_of_parameters():
    with torch.device("meta"):
        assert count(ViTPose(VITPOSE_SIZES["B"]).backbone) == 85_794_816


def test_deconvolutions_have_the_published_number_of_parameters():
    with torch.device("meta"):
        head = ViTPose(VITPOSE_SIZES["B"]).head
    assert count(head.upsample) == 4_195_328
    assert count(head.final) == 256 * 17 + 17


@pytest.mark.parametrize(("head", "channels"), [("classic", 256), ("simple", 384)])
def test_shapes(head, channels):
    config = ViTPose.Config(dim=384, depth=1, num_heads=12, head=head, num_keypoints=15)
    model = ViTPose(config).eval()
    with torch.no_grad():
        output = model(torch.randn(2, 3, 256, 192))
    assert output.backbone_BDPQ.shape == (2, 384, 16, 12)
    assert output.features_BCHW.shape == (2, channels, 64, 48)
    assert output.heatmaps_BKHW.shape == (2, 15, 64, 48)
    assert config.feature_channels == channels
    # What GLSMamba's skip path relies on: the heatmaps are the last convolution of the features.
    torch.testing.assert_close(model.head.final(output.features_BCHW), output.heatmaps_BKHW)


def test_attention_equals_the_written_out_softmax():
    torch.manual_seed(0)
    attention = Attention(dim=12, num_heads=3).double()
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    q, k, v = (x @ attention.qkv.weight.T + attention.qkv.bias).split(12, dim=-1)
    heads = []
    for i in range(3):
        channels = slice(4 * i, 4 * i + 4)
        scores = q[..., channels] @ k[..., channels].mT / 2.0  # sqrt of 4 channels
        heads.append(scores.softmax(-1) @ v[..., channels])
    expected = torch.cat(heads, -1) @ attention.proj.weight.T + attention.proj.bias
    torch.testing.assert_close(attention(x), expected)


def test_tokens_keep_their_place():
    """Without blocks, a bright patch of the image must come out at its own cell of the grid, row by row."""
    torch.manual_seed(0)
    model = ViTPose(ViTPose.Config(dim=32, depth=0, num_heads=4, image_size=(64, 48))).eval()
    image = torch.zeros(1, 3, 64, 48)
    changed = image.clone()
    changed[:, :, 32:44, 16:28] = 1.0  # inside row 2, column 1, whose patch starts two pixels up and left
    difference = (model.backbone(changed) - model.backbone(image)).abs().sum(1)[0]
    assert torch.nonzero(difference).tolist() == [[2, 1]]


def test_every_weight_gets_a_gradient():
    model = ViTPose(TINY)
    model(torch.randn(2, 3, 64, 48)).heatmaps_BKHW.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(64, 64\), not \(64, 48\)"):
        ViTPose(TINY)(torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize(
    "wrong", [{"dim": 30, "num_heads": 4}, {"image_size": (250, 192)}, {"head": "linear"}]
)
def test_configurations_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="ViTPose: "):
        ViTPose.Config(**wrong)
