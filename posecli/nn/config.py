"""What a whole model is made of: encoder, input, temporal network, heatmaps.

posecli.weights.presets reads it from TOML.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from posecli.errors import PosecliError
from posecli.geometry.heatmaps import DecodeMethod, HeatmapKind
from posecli.nn.glsmamba import GLSMamba
from posecli.skeletons import SKELETONS, Skeleton

EncoderKind = Literal["vitpose", "efficientnet-lite0"]
EncoderSize = Literal["s", "b", "l", "h"]
EncoderFeature = Literal["deconvolution", "backbone"]
HeatmapLoss = Literal["mse", "cross_entropy"]

VITPOSE_DIMS: dict[EncoderSize, int] = {"s": 384, "b": 768, "l": 1024, "h": 1280}
VITPOSE_STRIDES: dict[EncoderFeature, int] = {"deconvolution": 4, "backbone": 16}
DECONVOLUTION_CHANNELS = 256
VITPOSE_MULTIPLE = 16  # pixels: both sides of the input must be multiples of it
LITE_CHANNELS, LITE_STRIDE, LITE_MULTIPLE = 64, 8, 32
HEATMAP_STRIDE = 4  # of both encoders' own heatmaps


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The network that looks at single frames."""

    kind: EncoderKind
    size: EncoderSize | None = None  # of ViTPose
    feature: EncoderFeature | None = None  # which of ViTPose's features GLSMamba reads
    frozen: bool = True
    skeleton: str = "coco"  # of the encoder's own heatmaps

    def __post_init__(self) -> None:
        if self.skeleton not in SKELETONS:
            raise PosecliError(
                f"encoder.skeleton {self.skeleton!r} is unknown; known: {', '.join(SKELETONS)}"
            )
        vitpose = self.kind == "vitpose"
        for name in ("size", "feature"):
            if (getattr(self, name) is not None) != vitpose:
                verb = "is missing" if vitpose else "means nothing"
                raise PosecliError(f'encoder.{name} {verb} with encoder.kind = "{self.kind}"')

    @property
    def channels(self) -> int:
        """Of the feature that GLSMamba reads."""
        if self.size is None:
            return LITE_CHANNELS
        return VITPOSE_DIMS[self.size] if self.feature == "backbone" else DECONVOLUTION_CHANNELS

    @property
    def stride(self) -> int:
        """Input pixels a cell of that feature."""
        return LITE_STRIDE if self.feature is None else VITPOSE_STRIDES[self.feature]

    @property
    def input_multiple(self) -> int:
        """Pixels that both sides of the input must be a multiple of."""
        return LITE_MULTIPLE if self.size is None else VITPOSE_MULTIPLE

    @property
    def title(self) -> str:
        """As tables print it."""
        return f"ViTPose-{self.size.upper()}" if self.size else "EfficientNet-Lite0"


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    """What is cut out of a video: one box and one affine for all frames of a window."""

    frames: int = 5
    height: int = 256  # pixels
    width: int = 192
    mean: tuple[float, float, float]  # of RGB in 0..1
    std: tuple[float, float, float]
    box_scale: float = 1.25  # how much the keyframe's box, made as wide as the input, is enlarged


@dataclass(frozen=True, kw_only=True)
class HeatmapConfig:
    """What the network's output means and how it is trained."""

    height: int
    width: int
    sigma: float  # of the target Gaussian, cells
    loss: HeatmapLoss
    decode: DecodeMethod
    # A keypoint's raw score to the probability that it lies within a tenth of the box's height
    # (posecli.geometry.heatmaps.calibrate), one number a keypoint; None: scores stay raw.
    score_slope: tuple[float, ...] | None = None
    score_offset: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.score_slope is None) != (self.score_offset is None):
            raise PosecliError(
                "heatmap.score_slope and heatmap.score_offset go together: give both or neither"
            )
        if not all(math.isfinite(v) and v > 0 for v in self.score_slope or ()):
            raise PosecliError("heatmap.score_slope must be positive: a higher score never means less likely")
        if not all(map(math.isfinite, self.score_offset or ())):
            raise PosecliError("heatmap.score_offset must be finite")

    @property
    def kind(self) -> HeatmapKind:
        """Cross-entropy trains logits of a distribution over cells, squared errors the heatmap itself."""
        return "softmax" if self.loss == "cross_entropy" else "linear"


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A preset."""

    name: str
    skeleton: str  # a name in posecli.skeletons.SKELETONS
    encoder: EncoderConfig
    input: InputConfig
    temporal: GLSMamba.Config
    heatmap: HeatmapConfig

    def __post_init__(self) -> None:
        size = (self.heatmap.height, self.heatmap.width)
        if self.temporal.heatmap_size != size:
            raise PosecliError(
                f"heatmap.height and width are {size}, but temporal.upsample = {self.temporal.upsample} "
                f"gives {self.temporal.heatmap_size}"
            )
        for name in ("score_slope", "score_offset"):
            numbers = getattr(self.heatmap, name)
            if numbers is not None and len(numbers) != len(self.joints):
                raise PosecliError(
                    f"heatmap.{name} has {len(numbers)} numbers, but {self.skeleton} {len(self.joints)} keypoints"
                )
        if self.temporal.base_heatmaps == "encoder" and not self.encoder_is_comparable:
            raise PosecliError(
                f'temporal.base_heatmaps = "encoder" needs skeleton "{self.encoder.skeleton}" and heatmaps of '
                f'{self.encoder_heatmap_size}, the encoder\'s; here are "{self.skeleton}" and {size}'
            )

    @property
    def encoder_heatmap_size(self) -> tuple[int, int]:
        """Height, width of the encoder's own heatmaps."""
        return self.input.height // HEATMAP_STRIDE, self.input.width // HEATMAP_STRIDE

    @property
    def encoder_is_comparable(self) -> bool:
        """Whether the encoder's own heatmaps are of the same joints and size as the whole model's."""
        return (self.encoder.skeleton, self.encoder_heatmap_size) == (
            self.skeleton,
            self.temporal.heatmap_size,
        )

    @property
    def joints(self) -> Skeleton:
        return SKELETONS[self.skeleton]


def temporal_defaults(encoder: EncoderConfig, crop: InputConfig, skeleton: str) -> dict[str, object]:
    """The fields of GLSMamba.Config that follow from the rest of the model.

    Raises:
        PosecliError: the skeleton is unknown or the input's size does not fit the encoder.
    """
    if skeleton not in SKELETONS:
        raise PosecliError(f"skeleton {skeleton!r} is unknown; known: {', '.join(SKELETONS)}")
    multiple, stride = encoder.input_multiple, encoder.stride
    if crop.height % multiple or crop.width % multiple:
        raise PosecliError(
            f"input.height and width, {crop.height} and {crop.width}, must be multiples of {multiple}"
        )
    grid = (crop.height // stride, crop.width // stride)
    return {
        "channels": encoder.channels,
        "frames": crop.frames,
        "grid": grid,
        "joints": len(SKELETONS[skeleton]),
    }
