"""GLSMamba: the temporal network between a frozen encoder's features and heatmaps.

"High-resolution Spatiotemporal Modeling with Global-Local State Space Models for Video-Based Human Pose
Estimation"; symbols of the paper: F features in, G after the GSM blocks, D after the LRM blocks, H
heatmaps. docs/method.md lists the choices that are ours.

Legend: B windows, T frames, C encoder channels, H and W height and width of the token grid, D channels, K
joints, h and w height and width of the heatmaps, n pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from posecli.errors import PosecliError
from posecli.nn.channel_attention import SequentialChannelAttention
from posecli.nn.deformable import Sampler
from posecli.nn.embeddings import Stem
from posecli.nn.ffn import FFN
from posecli.nn.gate import Gate
from posecli.nn.gsm import GSMBlock, SpaceTimeScan
from posecli.nn.head import Head, Upsampler
from posecli.nn.layout import to_pictures
from posecli.nn.lrm import LRMBlock, WindowedScan
from posecli.nn.routes import ROUTES, PanoramaAxis, Route, SpaceScan
from posecli.nn.s6 import S6, StateInit
from posecli.nn.stmm import STMM

Output = Literal["keyframe", "every_frame"]
BaseHeatmaps = Literal["none", "encoder"]


class GLSMamba(nn.Module):
    """Stem, GSM blocks, LRM blocks, head."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """Every choice of the temporal network; the defaults are GLSMamba-B's."""

        # What comes in and how many joints go out: fixed by encoder, input and skeleton.
        channels: int = 256
        frames: int = 5
        grid: tuple[int, int] = (64, 48)  # height, width of the encoder's feature
        joints: int = 15

        dim: int = 256
        gsm_blocks: int = 4
        lrm_blocks: int = 2
        ffn_ratio: int = 4
        ffn_zero_init: bool = False  # FFNs start as the identity
        gate_init: float = 1.0  # weight of the gates' LayerNorms; near 0: blocks start as the identity
        outer_residual: bool = False  # z = x + main * gate instead of main * gate

        state: int = 16
        dt_rank: int = 16
        dt_min: float = 1e-3
        dt_max: float = 0.1
        state_init: StateInit = "s4d_real"
        conv1d: int = 0

        attention_hidden: int = 256  # of SCA's bottlenecks
        routes: tuple[Route, ...] = ROUTES  # in the order in which STMM merges them
        panorama_axis: PanoramaAxis = "vertical"
        space_scan: SpaceScan = "panorama"
        stmm: bool = True  # False: routes are added
        sampler: Sampler = "auto"
        window: tuple[int, int] = (8, 6)  # of LRM: height, width in tokens

        output: Output = "keyframe"
        base_heatmaps: BaseHeatmaps = (
            "none"  # encoder: the network predicts what to add to the encoder's heatmaps
        )
        upsample: int = 0  # doublings from the token grid to the heatmaps
        upsampler: Upsampler = "deconvolution"

        def __post_init__(self) -> None:
            if not self.routes or len(set(self.routes)) != len(self.routes):
                raise PosecliError(
                    f"temporal.routes: {list(self.routes)} must name each route once, and one at least"
                )
            if self.gate_init == 0 and not self.outer_residual:
                raise PosecliError(
                    "temporal.gate_init = 0 lets nothing pass unless temporal.outer_residual is on"
                )
            if self.frames % 2 == 0 and self.output == "keyframe":
                raise PosecliError(f"input.frames: {self.frames} has no middle frame; choose an odd number")
            if self.lrm_blocks and any(
                side % part for side, part in zip(self.grid, self.window, strict=True)
            ):
                raise PosecliError(
                    f"temporal.window: {self.window[0]}x{self.window[1]} does not divide the "
                    f"{self.grid[0]}x{self.grid[1]} token grid"
                )

        @property
        def tokens(self) -> int:
            """Of one window of video."""
            return self.frames * self.grid[0] * self.grid[1]

        @property
        def heatmap_size(self) -> tuple[int, int]:
            """Height, width."""
            return self.grid[0] * 2**self.upsample, self.grid[1] * 2**self.upsample

        @property
        def state_updates(self) -> int:
            """Of all scans over one window: tokens x channels x states, for every route of every block."""
            scans = self.gsm_blocks * 2 * len(self.routes) + self.lrm_blocks * 2
            return self.tokens * self.dim * self.state * scans

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.activation_checkpointing = False  # of the blocks: less memory in training, one more forward pass
        self.stem = Stem(
            Stem.Config(channels=config.channels, dim=config.dim, frames=config.frames, grid=config.grid)
        )
        self.gsm = nn.ModuleList(GSMBlock(_gsm_block(config)) for _ in range(config.gsm_blocks))
        self.lrm = nn.ModuleList(LRMBlock(_lrm_block(config)) for _ in range(config.lrm_blocks))
        self.head = Head(
            Head.Config(
                dim=config.dim,
                joints=config.joints,
                upsample=config.upsample,
                upsampler=config.upsampler,
                zero_init=config.base_heatmaps == "encoder",
            )
        )

    def forward(self, features_BTCHW: Tensor, heatmaps_BTKhw: Tensor | None = None) -> Tensor:
        """The encoder's features, and its own heatmaps if the configuration builds on them, to raw heatmaps.

        Returns (B, K, h, w) for the middle frame with output = "keyframe", (B, T, K, h, w) with
        "every_frame".

        Raises:
            PosecliError: the encoder's heatmaps are missing or the features' shape is another than
            configured.
        """
        x_BTHWD = self.stem(features_BTCHW)
        for block in (*self.gsm, *self.lrm):
            if self.activation_checkpointing and self.training:
                x_BTHWD = checkpoint(block, x_BTHWD, use_reentrant=False)
            else:
                x_BTHWD = block(x_BTHWD)
        if self.config.output == "keyframe":
            predicted = self.head(to_pictures(x_BTHWD.sum(1, keepdim=True)))
        else:
            predicted = self.head(to_pictures(x_BTHWD)).unflatten(0, x_BTHWD.shape[:2])
        return predicted if self.config.base_heatmaps == "none" else predicted + self._base(heatmaps_BTKhw)

    def _base(self, heatmaps_BTKhw: Tensor | None) -> Tensor:
        if heatmaps_BTKhw is None:
            raise PosecliError('temporal.base_heatmaps = "encoder" needs the encoder\'s heatmaps')
        if self.config.output == "every_frame":
            return heatmaps_BTKhw
        return heatmaps_BTKhw[:, self.config.frames // 2]

    def set_scan_backend(self, backend: str) -> None:
        """Which selective scan all blocks run (posecli.nn.scan names them); "auto" is the fastest at hand."""
        for module in self.modules():
            if isinstance(module, S6):
                module.backend = backend

    def dropped_parameters(self) -> int:
        """Frozen parameters of routes that are switched off: allocated as the paper counts, but never run."""
        dropped = [module.dropped for module in self.modules() if isinstance(module, SpaceTimeScan)]
        return sum(p.numel() for s6 in dropped if s6 is not None for p in s6.parameters())


def _s6(config: GLSMamba.Config) -> S6.Config:
    return S6.Config(
        dim=config.dim,
        routes=2,  # set by the scans
        state=config.state,
        dt_rank=config.dt_rank,
        state_init=config.state_init,
        dt_min=config.dt_min,
        dt_max=config.dt_max,
        conv1d=config.conv1d,
    )


def _ffn(config: GLSMamba.Config) -> FFN.Config:
    return FFN.Config(dim=config.dim, ratio=config.ffn_ratio, zero_init=config.ffn_zero_init)


def _gsm_block(config: GLSMamba.Config) -> GSMBlock.Config:
    return GSMBlock.Config(
        attention=SequentialChannelAttention.Config(
            dim=config.dim, frames=config.frames, hidden=config.attention_hidden
        ),
        scan=SpaceTimeScan.Config(
            s6=_s6(config),
            stmm=STMM.Config(dim=config.dim, sampler=config.sampler) if config.stmm else None,
            routes=config.routes,
            panorama_axis=config.panorama_axis,
            space_scan=config.space_scan,
        ),
        gate=Gate.Config(dim=config.dim, init=config.gate_init),
        ffn=_ffn(config),
        outer_residual=config.outer_residual,
    )


def _lrm_block(config: GLSMamba.Config) -> LRMBlock.Config:
    return LRMBlock.Config(
        scan=WindowedScan.Config(s6=_s6(config), window=config.window),
        gate=Gate.Config(dim=config.dim, init=config.gate_init),
        ffn=_ffn(config),
        outer_residual=config.outer_residual,
    )
