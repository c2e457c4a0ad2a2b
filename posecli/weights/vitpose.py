"""ViTPose checkpoints in the three spellings that users hold, read into posecli.nn.vitpose.ViTPose.

1. original: the authors' .pth (ViTAE-Transformer/ViTPose, mmpose 0.x).
2. mmpose 1.x: the same network built of mmpretrain's VisionTransformer.
3. transformers: VitPoseForPoseEstimation's safetensors.

ViTPose+ (arXiv:2212.04246) gives the last rows of every MLP's second layer to one expert a data set. Expert 0
is COCO's, whose head is the checkpoint's main one: joined to the shared rows it makes a plain ViTPose.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from posecli.errors import PosecliError
from posecli.nn.vitpose import VITPOSE_SIZES, ViTPose
from posecli.weights.files import load_tensors

COCO_EXPERT = 0
LISTED = 4  # names in an error before it says "and n more"


@dataclass(frozen=True, kw_only=True, slots=True)
class Spelling:
    """How one program names ViTPose's tensors."""

    name: str
    renames: tuple[tuple[str, str], ...]  # (ours, theirs), applied in order
    unused: str  # what else such files hold, none of it needed for people's keypoints: a regular expression
    qkv: tuple[str, ...] = ()  # what stands for "{qkv}" in the renames, where the three are apart
    # mmpretrain's VisionTransformer without a class token drops the first of 193 position embeddings.
    skips_first_position: bool = False

    def names(self, ours: str, *, experts: bool = False) -> list[str]:
        """The tensors that, joined along their first axis, are ours."""
        theirs = ours
        for mine, other in self.renames:
            theirs = theirs.replace(mine, other)
        if experts and ".mlp.fc2." in theirs:
            return [theirs, theirs.replace(".fc2.", f".experts.{COCO_EXPERT}.")]
        return [theirs.replace("{qkv}", part) for part in self.qkv] if "{qkv}" in theirs else [theirs]

    def drops(self, name: str) -> bool:
        return re.fullmatch(self.unused, name) is not None


OURS = Spelling(name="posecli", renames=(), unused=r"$^")
ORIGINAL = Spelling(
    name="original ViTPose",
    renames=(
        ("backbone.patch_embed.", "backbone.patch_embed.proj."),
        ("backbone.norm.", "backbone.last_norm."),
        ("head.upsample.", "keypoint_head.deconv_layers."),
        ("head.final.", "keypoint_head.final_layer."),
    ),
    unused=r"backbone\.cls_token|backbone\.blocks\.\d+\.mlp\.experts\..*|associate_.*",
)
MMPOSE = Spelling(
    name="mmpose 1.x",
    renames=(
        ("backbone.patch_embed.", "backbone.patch_embed.projection."),
        ("backbone.norm.", "backbone.ln1."),
        ("backbone.blocks.", "backbone.layers."),
        (".norm1.", ".ln1."),
        (".norm2.", ".ln2."),
        (".mlp.fc1.", ".ffn.layers.0.0."),
        (".mlp.fc2.", ".ffn.layers.1."),
        ("head.upsample.", "head.deconv_layers."),
        ("head.final.", "head.final_layer."),
    ),
    unused=r"backbone\.cls_token",
    skips_first_position=True,
)
TRANSFORMERS = Spelling(
    name="transformers",
    renames=(
        ("backbone.pos_embed", "backbone.embeddings.position_embeddings"),
        ("backbone.patch_embed.", "backbone.embeddings.patch_embeddings.projection."),
        ("backbone.norm.", "backbone.layernorm."),
        ("backbone.blocks.", "backbone.encoder.layer."),
        (".norm1.", ".layernorm_before."),
        (".norm2.", ".layernorm_after."),
        (".attn.qkv.", ".attention.attention.{qkv}."),
        (".attn.proj.", ".attention.output.dense."),
        ("head.upsample.0.", "head.deconv1."),
        ("head.upsample.1.", "head.batchnorm1."),
        ("head.upsample.3.", "head.deconv2."),
        ("head.upsample.4.", "head.batchnorm2."),
        ("head.final.", "head.conv."),
    ),
    unused=r"backbone\.encoder\.layer\.\d+\.mlp\.experts\..*",
    qkv=("query", "key", "value"),
)
SPELLINGS = (OURS, ORIGINAL, MMPOSE, TRANSFORMERS)


def load_vitpose(path: str | Path) -> ViTPose:
    """The ViTPose of a checkpoint file in any spelling, in float32 on the CPU and in eval().

    Raises:
        PosecliError: see posecli.weights.files.load_tensors and vitpose_state.
    """
    state = vitpose_state(load_tensors(path), source=str(path))
    with torch.device("meta"):
        model = ViTPose(vitpose_config(state, source=str(path)))
    model.load_state_dict(state, assign=True)
    return model.float().eval()


def vitpose_state(
    tensors: Mapping[str, Tensor], config: ViTPose.Config | None = None, *, source: str = "checkpoint"
) -> dict[str, Tensor]:
    """A checkpoint's tensors under the names of ViTPose.state_dict(), complete and of the right shapes.

    Class tokens and what ViTPose+ holds for other data sets are dropped; any other surplus is an error.

    Args:
        tensors: of a checkpoint in one of SPELLINGS.
        config: what they must fit; None: the size that they are of (see vitpose_config).
        source: what errors call the checkpoint, such as its path.

    Raises:
        PosecliError: no ViTPose; or tensors missing, unknown or of another shape (the first few, how many).
    """
    spelling = _spelling_of(tensors, source)
    expected = _expected(config or vitpose_config(tensors, source=source))
    experts = _has_experts(tensors, spelling)
    names = {ours: spelling.names(ours, experts=experts) for ours in expected}
    needed = {theirs for parts in names.values() for theirs in parts}
    missing = {theirs for theirs in needed - tensors.keys() if not _is_counter(theirs)}
    unknown = {theirs for theirs in tensors.keys() - needed if not spelling.drops(theirs)}
    _complain("missing", missing, spelling, source)
    _complain("unknown", unknown, spelling, source)
    state = {
        ours: _joined([tensors[name] for name in parts if name in tensors]) for ours, parts in names.items()
    }
    state["backbone.pos_embed"] = _position_embeddings(
        state["backbone.pos_embed"], expected["backbone.pos_embed"].shape[1], spelling
    )
    misshapen = [
        f"{'+'.join(names[ours])} {tuple(tensor.shape)} for {tuple(expected[ours].shape)}"
        for ours, tensor in state.items()
        if tensor.shape != expected[ours].shape
    ]
    _complain("of another shape", misshapen, spelling, source)
    return state


def vitpose_config(tensors: Mapping[str, Tensor], *, source: str = "checkpoint") -> ViTPose.Config:
    """ViTPose S, B, L or H by the tensors' width, with their head and number of keypoints; any spelling.

    Raises:
        PosecliError: no ViTPose, or one of another width.
    """
    spelling = _spelling_of(tensors, source)
    (position,), (final,) = spelling.names("backbone.pos_embed"), spelling.names("head.final.weight")
    _complain("missing", {position, final} - tensors.keys(), spelling, source)
    if (tensors[position].dim(), tensors[final].dim()) != (3, 4):
        _complain("of another shape", [position, final], spelling, source)
    width = tensors[position].shape[-1]
    keypoints, *_, kernel = tensors[final].shape
    for size in VITPOSE_SIZES.values():
        if size.dim == width:
            return replace(size, head="classic" if kernel == 1 else "simple", num_keypoints=keypoints)
    known = ", ".join(f"{name} {size.dim}" for name, size in VITPOSE_SIZES.items())
    raise PosecliError(f"{source}: a ViTPose of width {width}; posecli knows {known}")


def _spelling_of(tensors: Mapping[str, Tensor], source: str) -> Spelling:
    """The spelling in which most of a one-block ViTPose's tensors are there."""
    sample = _expected(ViTPose.Config(depth=1))

    def found(spelling: Spelling) -> int:
        return sum(name in tensors for ours in sample for name in spelling.names(ours))

    best = max(SPELLINGS, key=found)
    # A few names, such as backbone.pos_embed, occur in other networks too.
    if 2 * found(best) < len(sample):
        programs = ", ".join(spelling.name for spelling in SPELLINGS[1:])
        raise PosecliError(f"{source}: no ViTPose as {programs} spell it; it holds {_listed(tensors)}")
    return best


def _expected(config: ViTPose.Config) -> dict[str, Tensor]:
    """Names and shapes, without the memory."""
    with torch.device("meta"):
        return ViTPose(config).state_dict()


def _has_experts(tensors: Mapping[str, Tensor], spelling: Spelling) -> bool:
    """Whether the experts are still apart; the authors' script joins COCO's but leaves all in the file."""
    rows, *expert = spelling.names("backbone.blocks.0.mlp.fc2.bias", experts=True)
    (norm,) = spelling.names("backbone.norm.bias")
    there = expert and {rows, norm, *expert} <= tensors.keys()
    return bool(there) and tensors[rows].numel() < tensors[norm].numel()


def _joined(parts: list[Tensor]) -> Tensor:
    """The parts one below the other; where they don't fit, the first, whose shape then tells."""
    if not parts:
        return torch.zeros((), dtype=torch.long)  # a counter, see _is_counter
    fit = all(part.dim() and part.shape[1:] == parts[0].shape[1:] for part in parts)
    return torch.cat(parts) if fit and len(parts) > 1 else parts[0]


def _position_embeddings(embedding: Tensor, rows: int, spelling: Spelling) -> Tensor:
    """(1, rows, D): a row for all patches, zero where the checkpoint's program has none, and one for each."""
    if embedding.dim() == 3 and embedding.shape[1] == rows and spelling.skips_first_position:
        embedding = embedding[:, 1:]
    if embedding.dim() == 3 and embedding.shape[1] == rows - 1:
        embedding = torch.cat([torch.zeros_like(embedding[:, :1]), embedding], dim=1)
    return embedding


def _is_counter(name: str) -> bool:
    """Batch norm's counter of batches, of no use here: not every program keeps it."""
    return name.endswith(".num_batches_tracked")


def _complain(what: str, names: Collection[str], spelling: Spelling, source: str) -> None:
    if names:
        listed = _listed(sorted(names))
        raise PosecliError(
            f"{source}: ViTPose as {spelling.name} spells it: {len(names)} tensors {what}: {listed}"
        )


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(list(names)[:LISTED]) + more
