"""Counts against the paper's numbers and against counters that run the networks."""

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import posecli.nn.s6
from posecli.nn.config import EncoderConfig
from posecli.nn.count import count_encoder, count_model, module_macs, temporal_macs, vitpose_macs
from posecli.nn.glsmamba import GLSMamba
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.nn.vitpose import ViTPose
from posecli.weights.presets import load_preset

LOW_RESOLUTION = {"temporal.upsample": 0, "heatmap.height": 16, "heatmap.width": 12}


def test_glsmamba_b():
    count = count_model(load_preset("glsmamba-b"))
    assert count.tokens == 15_360
    assert count.trainable == 9_759_527
    assert count.frozen == 85_794_816 + 4_195_328
    assert count.macs.modules / 1e9 == pytest.approx(140.5, abs=0.05)  # the paper prints 138.9
    assert count.macs.everything / 1e9 == pytest.approx(165, abs=1)


def test_the_low_resolution_variant():
    count = count_model(load_preset("glsmamba-lr", LOW_RESOLUTION))
    assert count.tokens == 960
    assert count.trainable == 9_890_599
    assert count.macs.modules / 1e9 == pytest.approx(85.4, abs=0.05)  # the paper prints 85.1
    shipped = count_model(load_preset("glsmamba-lr"))
    assert shipped.trainable - shipped.upsampler_parameters == 9_890_599


def test_the_embedded_model_is_small():
    preset = load_preset("glsmamba-t")
    assert preset.temporal.tokens == 3_840
    assert preset.temporal.state_updates / preset.input.frames == 3_840 * 64 * 8 * (6 * 2 + 2 * 1) / 5
    assert count_model(preset).trainable < 500_000


@pytest.mark.parametrize(("route_names", "live"), [(["unified", "space"], 1), (["unified"], 2)])
def test_ablations_count_with_and_without_what_is_dropped(route_names, live):
    count = count_model(load_preset("glsmamba-b", {"temporal.routes": route_names}))
    dropped = 4 * 2 * live * 20_992  # four blocks, forward and reverse
    assert count.dropped_parameters == dropped
    assert count.temporal_parameters == {1: 9_441_051, 2: 9_122_575}[live]
    assert count.trainable == count.temporal_parameters - dropped
    assert count.frozen == 89_990_144 + dropped


def test_an_encoder_that_is_trained_counts_as_trainable():
    count = count_model(load_preset("glsmamba-t", {"encoder.frozen": False}))
    frozen = count_model(load_preset("glsmamba-t"))
    assert count.frozen == 0
    assert count.trainable == frozen.trainable + frozen.frozen


def test_each_route_of_the_paper_adds_what_its_table_6_says():
    giga = []
    for route_names in (["unified"], ["unified", "space"], ["unified", "space", "time"]):
        count = count_model(load_preset("glsmamba-b", {"temporal.routes": route_names}))
        giga.append(count.macs.modules / 1e9)
    # 137.4, 138.1 and 138.9: steps of 0.7 and 0.8.
    assert giga[1] - giga[0] == pytest.approx(giga[2] - giga[1]) == pytest.approx(0.75, abs=0.15)


TEMPORAL = GLSMamba.Config(
    channels=6, frames=3, grid=(4, 6), joints=2, dim=8, gsm_blocks=2, lrm_blocks=1, state=2, dt_rank=2, window=(2, 3)
)  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [
        TEMPORAL,
        GLSMamba.Config(
            **{**vars(TEMPORAL), "output": "every_frame", "upsample": 1, "upsampler": "pixel_shuffle"}
        ),
        GLSMamba.Config(**{**vars(TEMPORAL), "upsample": 2, "stmm": False, "routes": ("time",)}),
    ],
)
def test_temporal_network_against_counters(config, monkeypatch):
    network = GLSMamba(config)
    x = torch.randn(1, 3, 6, 4, 6)
    macs = temporal_macs(config)
    assert macs.modules == module_macs(network, lambda: network(x))
    # PyTorch's counter sees matrix products as well, but not the sampling of pixels, and scans are left out here.
    monkeypatch.setattr(posecli.nn.s6, "scan_routes", lambda x, delta_BGLD, *_, **__: delta_BGLD)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(x)
    L, D, N = config.tokens, config.dim, config.state
    scans = config.gsm_blocks * 2 * len(config.routes) + config.lrm_blocks * 2
    merges = config.gsm_blocks * (len(config.routes) - 1) * config.stmm
    unseen = scans * (L * D * N * 7 // 2 + L * D) + merges * 5 * L * D
    assert macs.everything - unseen == counter.get_total_flops() / 2


@pytest.mark.parametrize(("deconvolutions", "heatmaps"), [(False, False), (True, False), (True, True)])
def test_vitpose_against_counters(deconvolutions, heatmaps):
    config = ViTPose.Config(dim=32, depth=2, num_heads=2, image_size=(64, 48))
    network = ViTPose(config).eval()
    parts = [network.backbone, *[network.head.upsample] * deconvolutions, *[network.head.final] * heatmaps]
    run = torch.nn.Sequential(*parts)
    image = torch.randn(1, 3, 64, 48)
    macs = vitpose_macs(config, deconvolutions, heatmaps)
    assert macs.modules == module_macs(run, lambda: run(image))
    # Attention as plain products, which the counter knows on every device.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        run(image)
    assert macs.everything == counter.get_total_flops() / 2


def test_light_encoder_against_its_run():
    crop = replace(load_preset("glsmamba-t").input, height=64, width=96)
    network = LitePoseEncoder(LitePoseEncoder.Config()).eval()
    parameters, macs = count_encoder(EncoderConfig(kind="efficientnet-lite0"), crop, heatmaps=True)
    assert parameters == sum(p.numel() for p in network.parameters())
    assert macs.modules == module_macs(network, lambda: network(torch.zeros(1, 3, 64, 96)))
