"""The whole temporal network, small: shapes, gradients, switches, and the paper's counts of parameters."""

from dataclasses import replace

import pytest
import torch

from posecli.errors import PosecliError
from posecli.nn.channel_attention import SequentialChannelAttention
from posecli.nn.embeddings import sine_cosine
from posecli.nn.ffn import FFN
from posecli.nn.gate import Gate
from posecli.nn.glsmamba import GLSMamba

TINY = GLSMamba.Config(
    channels=6,
    frames=3,
    grid=(4, 6),
    joints=2,
    dim=8,
    gsm_blocks=1,
    lrm_blocks=1,
    ffn_ratio=2,
    state=2,
    dt_rank=2,
    attention_hidden=4,
    window=(2, 3),
)


def features(config: GLSMamba.Config, windows: int = 2) -> torch.Tensor:
    return torch.randn(windows, config.frames, config.channels, *config.grid)


def heatmaps(config: GLSMamba.Config, windows: int = 2) -> torch.Tensor:
    return torch.randn(windows, config.frames, config.joints, *config.heatmap_size)


def unsettled(config: GLSMamba.Config) -> GLSMamba:
    """A network past the start, where zero-initialised parts would hide what lies before them."""
    torch.manual_seed(0)
    model = GLSMamba(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model


def test_keyframe_output():
    assert GLSMamba(TINY)(features(TINY)).shape == (2, 2, 4, 6)


@pytest.mark.parametrize(
    ("upsample", "upsampler", "size"),
    [(0, "deconvolution", (4, 6)), (1, "pixel_shuffle", (8, 12)), (2, "deconvolution", (16, 24))],
)
@pytest.mark.parametrize(("output", "leading"), [("keyframe", (2, 2)), ("every_frame", (2, 3, 2))])
def test_size_of_the_heatmaps(upsample, upsampler, size, output, leading):
    config = replace(TINY, upsample=upsample, upsampler=upsampler, output=output)
    assert config.heatmap_size == size
    assert GLSMamba(config)(features(config)).shape == (*leading, *size)


def test_every_frame_and_keyframe_share_one_head():
    """The head is linear without upsampling: the keyframe's heatmap is that of the frames' sum."""
    config = replace(TINY, output="every_frame")
    every = unsettled(config)
    keyframe = GLSMamba(TINY)
    keyframe.load_state_dict(every.state_dict())
    x = features(TINY)
    bias = every.head.heatmaps.bias[:, None, None]
    expected = (every(x) - bias).sum(1) + bias
    torch.testing.assert_close(keyframe(x), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"outer_residual": True, "output": "every_frame", "upsample": 1, "upsampler": "pixel_shuffle"},
        {"conv1d": 4, "upsample": 1},
        {"stmm": False},
        {"routes": ("space",)},
        {"routes": ("time", "unified")},
    ],
)
def test_every_trainable_parameter_receives_a_gradient(switches):
    model = unsettled(replace(TINY, **switches))
    model(features(TINY)).square().mean().backward()
    without = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    zero = [name for name, p in model.named_parameters() if p.grad is not None and not p.grad.any()]
    assert without == []
    assert zero == []


@pytest.mark.parametrize("outer_residual", [False, True])
def test_gradient_equals_finite_differences(outer_residual):
    model = unsettled(replace(TINY, outer_residual=outer_residual)).double()
    x = features(TINY, windows=1).double()
    parameters = list(model.parameters())
    directions = [torch.randn_like(parameter) for parameter in parameters]

    def loss(step: float) -> torch.Tensor:
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter += step * direction
        return model(x).square().mean()

    step = 1e-6
    gradients = torch.autograd.grad(loss(0), parameters)
    slope = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    difference = (loss(step).detach() - loss(-2 * step).detach()) / (2 * step)
    torch.testing.assert_close(slope, difference, rtol=1e-4, atol=1e-8)


def test_windows_of_video_do_not_mix():
    model = unsettled(TINY)
    x = features(TINY)
    alone = torch.cat([model(x[:1]), model(x[1:])])
    torch.testing.assert_close(model(x), alone, atol=1e-5, rtol=1e-5)


def test_every_frame_informs_the_keyframe():
    model = unsettled(TINY)
    x = features(TINY, 1).requires_grad_()
    model(x).square().sum().backward()
    assert (x.grad.abs().sum((0, 2, 3, 4)) > 0).all()


@pytest.mark.parametrize("field", [{"panorama_axis": "horizontal"}, {"space_scan": "frame"}, {"stmm": False}])
def test_scans_and_merge_are_fields(field):
    torch.manual_seed(0)
    reference = unsettled(TINY)
    other = GLSMamba(replace(TINY, **field))
    other.load_state_dict(reference.state_dict(), strict="stmm" not in field)
    x = features(TINY)
    assert not torch.allclose(reference(x), other(x))


@pytest.mark.parametrize("output", ["keyframe", "every_frame"])
def test_starts_at_the_encoders_own_heatmaps(output):
    config = replace(TINY, base_heatmaps="encoder", output=output)
    base = heatmaps(config)
    expected = base if output == "every_frame" else base[:, 1]
    assert torch.equal(GLSMamba(config)(features(config), base), expected)


def test_leaves_the_encoders_heatmaps_after_one_step():
    config = replace(TINY, base_heatmaps="encoder")
    model = GLSMamba(config)
    x, base = features(config), heatmaps(config)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    before = model(x, base).square().mean()
    before.backward()
    optimizer.step()
    assert model(x, base).square().mean() < before


def test_blocks_can_start_as_the_identity():
    config = replace(TINY, outer_residual=True, ffn_zero_init=True, gate_init=0.0)
    model, x = GLSMamba(config), features(TINY)
    stem_BTHWD = model.stem(x)
    assert torch.equal(model.lrm[0](model.gsm[0](stem_BTHWD)), stem_BTHWD)
    model(x).square().mean().backward()
    assert model.gsm[0].gate.norm.weight.grad.abs().min() > 0  # and leave it with the first step


def test_needs_the_encoders_heatmaps_to_build_on_them():
    config = replace(TINY, base_heatmaps="encoder")
    with pytest.raises(PosecliError, match="heatmaps"):
        GLSMamba(config)(features(config))


def test_checkpointing_changes_no_gradient():
    model, x = unsettled(TINY), features(TINY)
    plain = torch.autograd.grad(model(x).square().mean(), list(model.parameters()))
    model.activation_checkpointing = True
    checkpointed = torch.autograd.grad(model(x).square().mean(), list(model.parameters()))
    torch.testing.assert_close(checkpointed, plain)


def test_bf16_autocast_stays_close_to_float32():
    model, x = unsettled(TINY), features(TINY)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model(x)
    exact = model(x)
    assert (mixed - exact).abs().max() < 0.05 * exact.abs().max()


def test_the_scan_backend_is_set_everywhere():
    model = GLSMamba(TINY)
    model.set_scan_backend("no such scan")
    with pytest.raises(PosecliError, match="no such scan"):
        model(features(TINY))
    expected = unsettled(TINY)
    x = features(TINY)
    by_default = expected(x)
    expected.set_scan_backend("torch")
    torch.testing.assert_close(expected(x), by_default, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"routes": ()}, "temporal.routes"),
        ({"routes": ("time", "time")}, "temporal.routes"),
        ({"frames": 4}, "no middle frame"),
        ({"window": (3, 3)}, "does not divide"),
        ({"gate_init": 0.0}, "outer_residual"),
    ],
)
def test_configurations_that_cannot_be(wrong, message):
    with pytest.raises(PosecliError, match=message):
        replace(TINY, **wrong)


def test_features_of_another_shape_are_refused():
    with pytest.raises(PosecliError, match=r"\(3, 6, 4, 5\), expected \(3, 6, 4, 6\)"):
        GLSMamba(TINY)(features(TINY)[..., :5])


def parameters(config: GLSMamba.Config) -> int:
    with torch.device("meta"):
        model = GLSMamba(config)
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, 9_759_527),
        ({"routes": ("unified", "space")}, 9_441_051),
        ({"routes": ("unified",)}, 9_122_575),
        ({"stmm": False}, 9_122_575),
        ({"lrm_blocks": 0}, 8_616_231),
        ({"gsm_blocks": 0}, 1_244_943),
        ({"channels": 768, "grid": (16, 12)}, 9_890_599),
        # The two doublings of -lr's heatmaps, which are ours: two kernels, two batch norms.
        ({"channels": 768, "grid": (16, 12), "upsample": 2}, 9_890_599 + 2 * (16 * 256**2 + 2 * 256)),
    ],
)
def test_parameters_of_the_papers_variants(switches, expected):
    assert parameters(replace(GLSMamba.Config(), **switches)) == expected


def test_parameters_piece_by_piece():
    with torch.device("meta"):
        model = GLSMamba(GLSMamba.Config())
        pieces = {
            525_568: FFN(FFN.Config(dim=256)),
            3_072: Gate(Gate.Config(dim=256)),
            1_313_792: SequentialChannelAttention(
                SequentialChannelAttention.Config(dim=256, frames=5, hidden=256)
            ),
            2_128_646: model.gsm[0],
            571_648: model.lrm[0],
            67_072: model.stem,
            34_575: model.head,
        }
    norm = 512  # the FFN's LayerNorm, which the paper's piece does not include
    for expected, piece in pieces.items():
        extra = norm if isinstance(piece, FFN) else 0
        assert sum(p.numel() for p in piece.parameters()) == expected + extra


def test_dropped_routes_stay_allocated_and_frozen():
    model = GLSMamba(replace(TINY, routes=("space",)))
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    assert frozen == model.dropped_parameters() > 0
    assert GLSMamba(TINY).dropped_parameters() == 0


def test_spatial_embedding_tells_every_token_from_every_other():
    embedding = sine_cosine((16, 12), 32).flatten(0, 1)
    assert embedding.shape == (192, 32)
    distances = torch.cdist(embedding, embedding) + torch.eye(192) * 9
    assert distances.min() > 0.1
    # Row 0, column 0: sines are 0 and cosines 1, on both axes.
    assert embedding[0].tolist() == ([0.0] * 8 + [1.0] * 8) * 2


def test_channel_attention_weighs_channels_of_frames_by_all_frames():
    torch.manual_seed(0)
    attention = SequentialChannelAttention(SequentialChannelAttention.Config(dim=4, frames=2, hidden=8))
    x = torch.rand(1, 2, 3, 3, 4) + 0.5
    weights = attention(x) / x
    torch.testing.assert_close(weights, weights[:, :, :1, :1].expand_as(weights))
    assert 0 < weights.min() < weights.max() < 1
    changed = x.clone()
    changed[:, 1] *= 3  # another second frame gives the first frame other weights
    assert not torch.allclose(attention(changed)[:, 0], attention(x)[:, 0])
