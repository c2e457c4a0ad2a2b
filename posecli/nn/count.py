"""How large a model is and what it costs: parameters, tokens, multiply-accumulates.

Two counts of multiply-accumulates, because the paper's is one of modules: a counter that adds up
convolutions and linear layers never sees attention products, S6's projections and scans, or the deformable
convolution. "Everything" has those too. Neither has normalisations, activations and other element-wise
work. A FLOP count is twice either.

Legend: T frames, H and W height and width of the token grid, L = T*H*W tokens, D channels, N state size, R
rank of the step size's projection, G routes, K joints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from posecli.nn.config import LITE_MULTIPLE, EncoderConfig, InputConfig, ModelConfig
from posecli.nn.glsmamba import GLSMamba
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.nn.vitpose import DECONV_CHANNELS, MLP_RATIO, PATCH, UPSAMPLING, VITPOSE_SIZES, ViTPose

# Of one state and step: delta * A, exp, times h, (delta * u) * B, add, times C, add.
SCAN_OPERATIONS = 7
STMM_TAPS = 9


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates of one window of video."""

    modules: int  # convolutions and linear layers alone: as the paper counts
    everything: int

    def __add__(self, other: Macs) -> Macs:
        return Macs(self.modules + other.modules, self.everything + other.everything)

    def __mul__(self, times: int) -> Macs:
        return Macs(self.modules * times, self.everything * times)


@dataclass(frozen=True, kw_only=True)
class ModelCount:
    """Sizes of a model and the cost of one window."""

    tokens: int
    encoder_parameters: int  # of the parts that are run
    encoder_frozen: bool
    temporal_parameters: int  # with the dropped ones: as the paper counts its ablations
    dropped_parameters: int  # of routes that are switched off: allocated, frozen, never run
    upsampler_parameters: int  # of the temporal ones, those between the token grid and larger heatmaps
    macs: Macs

    @property
    def trainable(self) -> int:
        live = self.temporal_parameters - self.dropped_parameters
        return live if self.encoder_frozen else live + self.encoder_parameters

    @property
    def frozen(self) -> int:
        return self.temporal_parameters + self.encoder_parameters - self.trainable


def count_model(config: ModelConfig) -> ModelCount:
    """Counts without allocating the model (on PyTorch's meta device)."""
    with torch.device("meta"):
        temporal = GLSMamba(config.temporal)
    heatmaps = config.temporal.base_heatmaps == "encoder"
    encoder_parameters, encoder_macs = count_encoder(config.encoder, config.input, heatmaps)
    return ModelCount(
        tokens=config.temporal.tokens,
        encoder_parameters=encoder_parameters,
        encoder_frozen=config.encoder.frozen,
        temporal_parameters=_parameters(temporal),
        dropped_parameters=temporal.dropped_parameters(),
        upsampler_parameters=_parameters(temporal.head.upsample),
        macs=encoder_macs * config.input.frames + temporal_macs(config.temporal),
    )


def count_encoder(encoder: EncoderConfig, crop: InputConfig, heatmaps: bool) -> tuple[int, Macs]:
    """Parameters, and multiply-accumulates of one frame, of what is run of an encoder.

    Args:
        heatmaps: whether the encoder's own heatmaps are needed.
    """
    size = (crop.height, crop.width)
    if encoder.size is None:
        return _count_lite(size)
    config = replace(VITPOSE_SIZES[encoder.size.upper()], image_size=size)
    with torch.device("meta"):
        network = ViTPose(config)
    deconvolutions = encoder.feature == "deconvolution" or heatmaps
    parameters = _parameters(network.backbone)
    parameters += _parameters(network.head.upsample) if deconvolutions else 0
    parameters += _parameters(network.head.final) if heatmaps else 0
    return parameters, vitpose_macs(config, deconvolutions, heatmaps)


def _count_lite(size: tuple[int, int]) -> tuple[int, Macs]:
    """Runs the network on the smallest crop: its work grows with the area."""
    network = LitePoseEncoder(LitePoseEncoder.Config()).eval()
    smallest = module_macs(network, lambda: network(torch.zeros(1, 3, LITE_MULTIPLE, LITE_MULTIPLE)))
    return _parameters(network), _modules(smallest * (size[0] // LITE_MULTIPLE) * (size[1] // LITE_MULTIPLE))


def vitpose_macs(config: ViTPose.Config, deconvolutions: bool, heatmaps: bool) -> Macs:
    """Of one frame through the backbone and, where they run, the classic head's deconvolutions and 1x1."""
    tokens, D = config.grid_size[0] * config.grid_size[1], config.dim
    blocks = config.depth * tokens * (4 + 2 * MLP_RATIO) * D**2
    macs = tokens * 3 * PATCH**2 * D + blocks
    if deconvolutions:
        # 4x4 kernels; the second stage has four times the cells.
        macs += tokens * 16 * DECONV_CHANNELS * (D + 4 * DECONV_CHANNELS)
    if heatmaps:
        macs += tokens * UPSAMPLING**2 * DECONV_CHANNELS * config.num_keypoints
    attention = config.depth * 2 * tokens**2 * D  # queries with keys, weights with values
    return Macs(macs, macs + attention)


def module_macs(network: nn.Module, run: Callable[[], Any]) -> int:
    """Multiply-accumulates of all convolutions and linear layers while `run` calls the network."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Linear):
            total += output.numel() * module.in_features
        elif isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.ConvTranspose2d):
            total += inputs[0].numel() * module.weight[0].numel()

    handles = [module.register_forward_hook(count) for module in network.modules()]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return total


def temporal_macs(config: GLSMamba.Config) -> Macs:
    """Of one window through the temporal network."""
    L, D = config.tokens, config.dim
    merges = len(config.routes) - 1 if config.stmm else 0
    stem = L * config.channels * D
    attention = 4 * config.frames * D * config.attention_hidden
    gate_ffn = L * 9 * D + L * 2 * config.ffn_ratio * D**2
    scans = _s6_macs(config) * (2 * len(config.routes)) + _stmm_macs(config) * merges
    gsm = _modules(attention + gate_ffn) + scans
    lrm = _modules(gate_ffn) + _s6_macs(config) * 2
    return _modules(stem + _head_macs(config)) + gsm * config.gsm_blocks + lrm * config.lrm_blocks


def _modules(macs: int) -> Macs:
    return Macs(macs, macs)


def _s6_macs(config: GLSMamba.Config) -> Macs:
    """Of one route."""
    L, D, N, R = config.tokens, config.dim, config.state, config.dt_rank
    projections = L * D * (R + 2 * N) + L * R * D + L * D * config.conv1d
    scan = L * D * N * SCAN_OPERATIONS // 2 + L * D  # and D * u
    return Macs(0, projections + scan)


def _stmm_macs(config: GLSMamba.Config) -> Macs:
    """Of one unit: the steering convolution, the sample (four neighbours, modulation) and the 1x1 kernel."""
    L, D = config.tokens, config.dim
    steer = L * STMM_TAPS * 2 * D * 3
    return Macs(steer, steer + L * 5 * D + L * D**2)


def _head_macs(config: GLSMamba.Config) -> int:
    """Of all heatmaps of a window."""
    cells, D = config.grid[0] * config.grid[1], config.dim
    joints, stages = config.joints, 0
    if config.upsampler == "pixel_shuffle":
        joints *= 4**config.upsample
    else:
        stages = config.upsample
    deconvolutions = sum(cells * 4**stage * 16 * D**2 for stage in range(stages))
    pictures = config.frames if config.output == "every_frame" else 1
    return pictures * (deconvolutions + cells * 4**stages * 9 * D * joints)


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
