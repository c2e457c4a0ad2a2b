"""Encoder and temporal network together, and the light encoder alone."""

import pytest
import torch
from torch import nn

from posecli.geometry.heatmaps import crop_to_cells, decode, gaussian_targets
from posecli.nn.config import ModelConfig
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.nn.pose_model import PoseModel
from posecli.weights.presets import load_preset


def small(**overrides) -> ModelConfig:
    """The embedded preset on small crops."""
    table = {
        "input.height": 64, "input.width": 96, "input.frames": 3, "temporal.dim": 16, "temporal.gsm_blocks": 1,
        "temporal.attention_hidden": 8, "temporal.window": [4, 6], "heatmap.height": 16, "heatmap.width": 24,
    }  # fmt: skip
    return load_preset("glsmamba-t", table | overrides)


def crops(count=1):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 64, 96, 3), dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return PoseModel(small())


def test_light_encoder_gives_features_at_an_eighth_and_heatmaps_at_a_quarter():
    encoder = LitePoseEncoder(LitePoseEncoder.Config(num_keypoints=5, channels=12, fine_channels=8)).eval()
    with torch.inference_mode():
        encoded = encoder(torch.randn(2, 3, 64, 96))
    assert encoded.features_BCHW.shape == (2, 12, 8, 12)
    assert encoded.heatmaps_BKHW.shape == (2, 5, 16, 24)


def test_gradients_reach_all_of_the_light_encoder():
    encoder = LitePoseEncoder(LitePoseEncoder.Config(num_keypoints=2, channels=8, fine_channels=8))
    encoded = encoder(torch.randn(2, 3, 64, 64))
    (encoded.heatmaps_BKHW * torch.randn(2, 2, 16, 16)).sum().backward()
    assert [name for name, p in encoder.named_parameters() if p.grad is None] == []


def test_frozen_encoder_gets_no_gradient_and_stays_in_eval(model):
    model.train()
    assert model.temporal.training
    assert not any(module.training for module in model.encoder.modules())
    before = {name: value.clone() for name, value in model.encoder.state_dict().items()}
    model(crops()).square().sum().backward()
    assert all(p.grad is None for p in model.encoder.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.temporal.parameters())
    for name, value in model.encoder.state_dict().items():
        torch.testing.assert_close(value, before[name])
    model.zero_grad()


def test_encoder_that_is_not_frozen_trains():
    model = PoseModel(small(**{"encoder.frozen": False})).train()
    assert all(module.training for module in model.encoder.modules())
    model(crops(2)).square().sum().backward()
    assert model.encoder.backbone.stem.conv.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(("output", "answered"), [("every_frame", (0, 1, 2)), ("keyframe", (1,))])
def test_untrained_model_gives_its_encoders_heatmaps(output, answered):
    """Step 0 of the embedded model's training: the head adds nothing yet."""
    torch.manual_seed(0)
    model = PoseModel(small(**{"temporal.output": output})).eval()
    assert model.output_frames == answered
    with torch.inference_mode():
        encoded = model.encode(crops(2))
        heatmaps = model(crops(2))
    assert heatmaps.shape == (2, len(answered), 17, 16, 24)
    assert encoded.features_BTCHW.shape == (2, 3, 64, 8, 12)
    torch.testing.assert_close(heatmaps, encoded.heatmaps_BTKHW[:, list(answered)])


def test_keypoints_are_crop_pixels(model):
    pixels = torch.rand(2, 3, 17, 2) * torch.tensor([40.0, 24.0]) + torch.tensor([30.0, 20.0])
    cells = crop_to_cells(pixels.flatten(0, 1), (16, 24), (64, 96))
    logits = gaussian_targets(cells, (16, 24), 1.5).clamp(min=1e-30).log().unflatten(0, (2, 3))
    found, scores = model.keypoints(logits)
    torch.testing.assert_close(found, pixels, atol=0.3, rtol=0)
    assert scores.shape == (2, 3, 17)
    assert (scores > 0.9).all()


def random_heatmaps():
    return 3 * torch.randn(2, 3, 17, 16, 24, generator=torch.Generator().manual_seed(1))


def test_scores_stay_raw_where_nothing_calibrates_them(model):
    heatmaps = random_heatmaps()
    raw = decode(heatmaps.flatten(0, 1), "dark", "softmax")[1].unflatten(0, (2, 3))
    assert model.config.heatmap.score_slope is None
    assert torch.equal(model.keypoints(heatmaps)[1], raw)


def test_scores_are_about_a_tenth_of_the_persons_own_height(model):
    # All of the probability in two cells side by side, two apart: both are near if a tenth of the box is two cells.
    heatmaps = torch.full((2, 3, 17, 16, 24), -50.0)
    heatmaps[..., 8, 10], heatmaps[..., 8, 12] = 1.0, 0.0
    tallest = 63 / 1.25  # crop pixels: a box as tall as the crop allows
    tall, wide = model.keypoints(heatmaps, torch.tensor([tallest, tallest / 5]))[1]
    peak = float(torch.tensor([1.0, 0.0]).softmax(0)[0])
    torch.testing.assert_close(tall, torch.ones(3, 17))
    torch.testing.assert_close(wide, torch.full((3, 17), peak))
    assert torch.equal(model.keypoints(heatmaps)[1][0], tall)


def test_scores_are_calibrated_keypoint_by_keypoint(model):
    heatmaps = random_heatmaps()
    slope, offset = [1.0] * 16 + [0.5], [0.0] * 16 + [-1.0]
    config = small(**{"heatmap.score_slope": slope, "heatmap.score_offset": offset})
    points, raw = model.keypoints(heatmaps)
    same_points, scores = PoseModel(config).keypoints(heatmaps)
    assert torch.equal(points, same_points)
    torch.testing.assert_close(scores[..., :16], raw[..., :16], rtol=1e-4, atol=1e-6)
    last = raw[..., 16]
    torch.testing.assert_close(scores[..., 16], 1 / (1 + torch.e * ((1 - last) / last).sqrt()))


def test_optimised_for_inference_gives_the_same_and_needs_no_norms():
    torch.manual_seed(0)
    model = PoseModel(small()).eval()
    for module in model.encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    with torch.inference_mode():
        before = model(crops())
        after = model.optimize_for_inference()(crops())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.encoder.modules())
    torch.testing.assert_close(before, after, atol=1e-3, rtol=1e-3)
    assert not any(p.requires_grad for p in model.parameters())
