"""ViTPose: a plain vision transformer that sees one person's crop and draws one heatmap a keypoint.

Xu et al., "ViTPose: Simple Vision Transformer Baselines for Human Pose Estimation", NeurIPS 2022,
arXiv:2204.12484.

Shapes:
    B  images (crops of people)
    H W  heatmap's height and width, 64 x 48; I J  the image's, 256 x 192; P Q  the patch grid's, 16 x 12
    L  tokens, P * Q
    D  width of the transformer; N E  attention heads and channels of a head, D = N * E
    C  channels of the feature before the last convolution (classic head 256, simple head D)
    K  keypoints
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 16
PATCH_PADDING = 2  # the grid stays image / PATCH, but every patch is seen shifted by two pixels
MLP_RATIO = 4
UPSAMPLING = 4  # from the patch grid to the heatmap
DECONV_CHANNELS = 256

HeadName = Literal["classic", "simple"]
HEADS: tuple[str, ...] = get_args(HeadName)


class ViTPoseOutput(NamedTuple):
    """What one pass yields; a caller takes the depth it needs."""

    features_BCHW: Tensor  # before the last convolution, 1/4 of the image
    heatmaps_BKHW: Tensor
    backbone_BDPQ: Tensor  # after the transformer's last norm, 1/16 of the image


class ViTPose(nn.Module):
    """Encoder and head. Frozen inside another model it must also stay in eval(): the head has batch norms."""

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Config:
        """ViT-B with the classic head on 256 x 192 crops, unless told otherwise."""

        dim: int = 768
        depth: int = 12
        num_heads: int = 12
        num_keypoints: int = 17
        head: HeadName = "classic"
        image_size: tuple[int, int] = (256, 192)  # height, width
        norm_eps: float = 1e-6
        mean: tuple[float, float, float] = (0.485, 0.456, 0.406)  # of RGB in 0..1, ImageNet's
        std: tuple[float, float, float] = (0.229, 0.224, 0.225)

        def __post_init__(self) -> None:
            if self.dim % self.num_heads:
                raise ValueError(f"ViTPose: dim {self.dim} is not a multiple of num_heads {self.num_heads}")
            if any(side % PATCH for side in self.image_size):
                raise ValueError(f"ViTPose: image_size {self.image_size} is not a multiple of {PATCH}")
            if self.head not in HEADS:
                raise ValueError(f"ViTPose: head {self.head!r} is none of {', '.join(HEADS)}")

        @property
        def grid_size(self) -> tuple[int, int]:
            """(P, Q) patches."""
            return self.image_size[0] // PATCH, self.image_size[1] // PATCH

        @property
        def feature_channels(self) -> int:
            """C of features_BCHW."""
            return DECONV_CHANNELS if self.head == "classic" else self.dim

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config)
        self.head = Head(config)

    def forward(self, image_B3IJ: Tensor) -> ViTPoseOutput:
        """Normalised RGB crops of config.image_size to features and heatmaps.

        Raises:
            ValueError: the crops are of another size.
        """
        backbone_BDPQ = self.backbone(image_B3IJ)
        features_BCHW = self.head.upsample(backbone_BDPQ)
        return ViTPoseOutput(features_BCHW, self.head.final(features_BCHW), backbone_BDPQ)


# Sizes of the paper's Table 1 (S from the authors' repository).
VITPOSE_SIZES: dict[str, ViTPose.Config] = {
    "S": ViTPose.Config(dim=384, depth=12, num_heads=12),
    "B": ViTPose.Config(dim=768, depth=12, num_heads=12),
    "L": ViTPose.Config(dim=1024, depth=24, num_heads=16),
    "H": ViTPose.Config(dim=1280, depth=32, num_heads=16),
}


class Backbone(nn.Module):
    """The vision transformer, without a class token: (B, 3, I, J) to (B, D, P, Q)."""

    def __init__(self, config: ViTPose.Config) -> None:
        super().__init__()
        self.config = config
        grid_height, grid_width = config.grid_size
        self.patch_embed = nn.Conv2d(3, config.dim, PATCH, stride=PATCH, padding=PATCH_PADDING)
        # Row 0 is left over from the class token of the pre-training; it is added to every patch.
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + grid_height * grid_width, config.dim))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, image_B3IJ: Tensor) -> Tensor:
        if image_B3IJ.shape[-2:] != self.config.image_size:
            height, width = image_B3IJ.shape[-2:]
            raise ValueError(f"ViTPose: an image of {(height, width)}, not {self.config.image_size}")
        x_BLD = self.patch_embed(image_B3IJ).flatten(2).mT
        x_BLD = x_BLD + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            x_BLD = block(x_BLD)
        return self.norm(x_BLD).mT.unflatten(2, self.config.grid_size)


class Block(nn.Module):
    """Pre-norm attention and MLP, each with its residual."""

    def __init__(self, config: ViTPose.Config) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.attn = Attention(config.dim, config.num_heads)
        self.norm2 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.mlp = MLP(config.dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        x_BLD = x_BLD + self.attn(self.norm1(x_BLD))
        return x_BLD + self.mlp(self.norm2(x_BLD))


class Attention(nn.Module):
    """Multi-head self-attention over all tokens."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        qkv_BLD3 = self.qkv(x_BLD)
        q_BNLE, k_BNLE, v_BNLE = qkv_BLD3.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        y_BNLE = F.scaled_dot_product_attention(q_BNLE, k_BNLE, v_BNLE)
        return self.proj(y_BNLE.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Two linear layers with a GELU between them, token by token."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, MLP_RATIO * dim)
        self.fc2 = nn.Linear(MLP_RATIO * dim, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x_BLD)))


class Head(nn.Module):
    """From the patch grid to heatmaps: `upsample` to features_BCHW, then `final` to heatmaps_BKHW.

    classic: two deconvolutions with batch norm, then 1x1. simple: ReLU, bilinear, then 3x3 (paper 3.1).
    """

    def __init__(self, config: ViTPose.Config) -> None:
        super().__init__()
        if config.head == "classic":
            self.upsample = nn.Sequential(
                *_deconvolution(config.dim, DECONV_CHANNELS),
                *_deconvolution(DECONV_CHANNELS, DECONV_CHANNELS),
            )
        else:
            self.upsample = nn.Sequential(nn.ReLU(), nn.Upsample(scale_factor=UPSAMPLING, mode="bilinear"))
        kernel = 1 if config.head == "classic" else 3
        self.final = nn.Conv2d(config.feature_channels, config.num_keypoints, kernel, padding=kernel // 2)

    def forward(self, backbone_BDPQ: Tensor) -> Tensor:
        return self.final(self.upsample(backbone_BDPQ))


def _deconvolution(in_channels: int, out_channels: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Doubles height and width."""
    deconvolution = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    return deconvolution, nn.BatchNorm2d(out_channels), nn.ReLU()
