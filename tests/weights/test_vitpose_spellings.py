"""Parity with transformers' VitPose, and the other spellings derived from its tensors key by key."""

import pytest
import torch

from posecli.errors import PosecliError
from posecli.nn.vitpose import VITPOSE_SIZES, ViTPose
from posecli.weights.files import save_tensors
from posecli.weights.vitpose import load_vitpose, vitpose_config, vitpose_state

DIM, DEPTH, HEADS = 32, 2, 4
TINY = {
    head: ViTPose.Config(dim=DIM, depth=DEPTH, num_heads=HEADS, head=head) for head in ("classic", "simple")
}


def transformers_vitpose(head="classic", num_experts=1):
    transformers = pytest.importorskip("transformers", reason="transformers is the parity oracle")
    backbone = transformers.VitPoseBackboneConfig(
        hidden_size=DIM,
        num_hidden_layers=DEPTH,
        num_attention_heads=HEADS,
        layer_norm_eps=1e-6,
        out_indices=[DEPTH],
        num_experts=num_experts,
        part_features=8,
    )
    config = transformers.VitPoseConfig(
        backbone_config=backbone, use_simple_decoder=head == "simple", num_labels=17
    )
    torch.manual_seed(0)
    model = transformers.VitPoseForPoseEstimation(config).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():  # every tensor another, so that none can be swapped unseen
                tensor.copy_(torch.randn_like(tensor) * 0.2 + 0.1)
            if name.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return model


def image():
    return torch.randn(2, 3, 256, 192, generator=torch.Generator().manual_seed(1))


def heatmaps(state, head="classic"):
    model = ViTPose(TINY[head]).eval()
    model.load_state_dict(state)
    with torch.no_grad():
        return model(image()).heatmaps_BKHW


def affine(target, source):
    return {f"{target}.{kind}": f"{source}.{kind}" for kind in ("weight", "bias")}


HEAD = {
    "{head}.deconv_layers.0.weight": "head.deconv1.weight",
    "{head}.deconv_layers.3.weight": "head.deconv2.weight",
    **affine("{head}.final_layer", "head.conv"),
} | {
    f"{{head}}.deconv_layers.{layer}.{kind}": f"head.batchnorm{norm}.{kind}"
    for layer, norm in ((1, 1), (4, 2))
    for kind in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
}


def renamed(tensors, backbone, block, head_name):
    """Tensors of transformers under other names; q, k and v one below the other."""
    names = backbone | {target.format(head=head_name): source for target, source in HEAD.items()}
    other = {target: tensors[source] for target, source in names.items() if source in tensors}
    for n in range(DEPTH):
        layer = f"backbone.encoder.layer.{n}"
        for target, source in block.items():
            for kind in ("weight", "bias"):
                other[f"{target.format(n=n)}.{kind}"] = (
                    torch.cat(
                        [tensors[f"{layer}.attention.attention.{part}.{kind}"] for part in source.split()]
                    )
                    if " " in source
                    else tensors[f"{layer}.{source}.{kind}"]
                )
    return other


def original(tensors):
    backbone = {
        "backbone.pos_embed": "backbone.embeddings.position_embeddings",
        **affine("backbone.patch_embed.proj", "backbone.embeddings.patch_embeddings.projection"),
        **affine("backbone.last_norm", "backbone.layernorm"),
    }
    block = {
        "backbone.blocks.{n}.norm1": "layernorm_before",
        "backbone.blocks.{n}.attn.qkv": "query key value",
        "backbone.blocks.{n}.attn.proj": "attention.output.dense",
        "backbone.blocks.{n}.norm2": "layernorm_after",
        "backbone.blocks.{n}.mlp.fc1": "mlp.fc1",
        "backbone.blocks.{n}.mlp.fc2": "mlp.fc2",
    }
    return renamed(tensors, backbone, block, "keypoint_head")


def mmpose(tensors):
    backbone = {
        **affine("backbone.patch_embed.projection", "backbone.embeddings.patch_embeddings.projection"),
        **affine("backbone.ln1", "backbone.layernorm"),
    }
    block = {
        "backbone.layers.{n}.ln1": "layernorm_before",
        "backbone.layers.{n}.attn.qkv": "query key value",
        "backbone.layers.{n}.attn.proj": "attention.output.dense",
        "backbone.layers.{n}.ln2": "layernorm_after",
        "backbone.layers.{n}.ffn.layers.0.0": "mlp.fc1",
        "backbone.layers.{n}.ffn.layers.1": "mlp.fc2",
    }
    # mmpretrain without a class token has one row a patch: the row for all of them is folded in.
    position = tensors["backbone.embeddings.position_embeddings"]
    folded = {"backbone.pos_embed": position[:, 1:] + position[:, :1]}
    return renamed(tensors, backbone, block, "head") | folded


def transformers(tensors):
    return dict(tensors)


SPELLINGS = [transformers, original, mmpose]


@pytest.mark.parametrize("head", ["classic", "simple"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_gives_the_heatmaps_of_transformers(spelling, head):
    oracle = transformers_vitpose(head)
    with torch.no_grad():
        expected = oracle(image()).heatmaps
    state = vitpose_state(spelling(oracle.state_dict()), TINY[head])
    assert expected.std() > 0.01
    torch.testing.assert_close(heatmaps(state, head), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("spelling", [transformers, original])
def test_vitpose_plus_gives_the_heatmaps_of_its_first_expert(spelling):
    oracle = transformers_vitpose(num_experts=3)
    with torch.no_grad():
        expected = oracle(image(), dataset_index=torch.tensor([0, 0])).heatmaps
        of_another = oracle(image(), dataset_index=torch.tensor([1, 1])).heatmaps
    tensors = oracle.state_dict()
    checkpoint = spelling(tensors) | {
        name.replace("encoder.layer", "blocks") if spelling is original else name: tensor
        for name, tensor in tensors.items()
        if ".experts." in name
    }
    found = heatmaps(vitpose_state(checkpoint, TINY["classic"]))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (found - of_another).abs().max() > 0.01


def test_what_the_original_carries_besides_is_dropped():
    checkpoint = original(transformers_vitpose().state_dict())
    expected = vitpose_state(checkpoint, TINY["classic"])
    checkpoint |= {
        "backbone.cls_token": torch.ones(1, 1, DIM),
        "associate_keypoint_heads.0.final_layer.bias": torch.ones(14),
        # joined already: fc2 has all its rows
        "backbone.blocks.0.mlp.experts.0.weight": torch.ones(8, 4 * DIM),
        "backbone.blocks.0.mlp.experts.0.bias": torch.ones(8),
    }
    state = vitpose_state(checkpoint, TINY["classic"])
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_mmpose_ignores_the_first_of_193_positions():
    checkpoint = mmpose(transformers_vitpose().state_dict())
    expected = heatmaps(vitpose_state(checkpoint, TINY["classic"]))
    surplus = torch.arange(float(DIM)).expand(1, 1, DIM)  # no constant: layer norm would hide that
    checkpoint["backbone.pos_embed"] = torch.cat([surplus, checkpoint["backbone.pos_embed"]], 1)
    torch.testing.assert_close(heatmaps(vitpose_state(checkpoint, TINY["classic"])), expected)


def test_our_own_spelling_is_read_back():
    state = ViTPose(TINY["classic"]).state_dict()
    found = vitpose_state(state, TINY["classic"])
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_batch_norm_counters_may_be_absent(spelling):
    checkpoint = spelling(transformers_vitpose().state_dict())
    without = {
        name: tensor for name, tensor in checkpoint.items() if not name.endswith("num_batches_tracked")
    }
    assert len(without) == len(checkpoint) - 2
    expected = heatmaps(vitpose_state(checkpoint, TINY["classic"]))
    torch.testing.assert_close(heatmaps(vitpose_state(without, TINY["classic"])), expected)


def big(size, spelling, head="classic", num_keypoints=17):
    """A checkpoint of full size that takes no memory, its tensors under the original's names."""
    config = VITPOSE_SIZES[size]
    with torch.device("meta"):
        state = ViTPose(
            ViTPose.Config(
                dim=config.dim,
                depth=config.depth,
                num_heads=config.num_heads,
                head=head,
                num_keypoints=num_keypoints,
            )
        ).state_dict()
    return {spelling(name): tensor for name, tensor in state.items()}


def original_name(name):
    return (
        name.replace("patch_embed.", "patch_embed.proj.")
        .replace("backbone.norm.", "backbone.last_norm.")
        .replace("head.upsample", "keypoint_head.deconv_layers")
        .replace("head.final", "keypoint_head.final_layer")
    )


@pytest.mark.parametrize("size", ["S", "B", "L", "H"])
def test_the_size_is_read_from_the_shapes(size):
    checkpoint = big(size, original_name)
    assert vitpose_config(checkpoint) == VITPOSE_SIZES[size]
    assert vitpose_config(vitpose_state(checkpoint)) == VITPOSE_SIZES[size]


def test_head_and_keypoints_are_read_from_the_shapes():
    config = vitpose_config(big("S", original_name, head="simple", num_keypoints=133))
    assert (config.head, config.num_keypoints) == ("simple", 133)


def remove(name):
    return lambda checkpoint: checkpoint.pop(name)


def put(name, *shape):
    return lambda checkpoint: checkpoint.update({name: torch.empty(shape, device="meta")})


def keep_only(start):
    def change(checkpoint):
        for name in [name for name in checkpoint if not name.startswith(start)]:
            del checkpoint[name]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("backbone.last_norm.bias"), "1 tensors missing: backbone.last_norm.bias$"),
        (remove("backbone.pos_embed"), "1 tensors missing: backbone.pos_embed$"),
        # a whole block of twelve tensors, and the last one: the depth is the size's, not what is found
        (
            lambda c: [c.pop(name) for name in list(c) if ".blocks.11." in name],
            "12 tensors missing: .*blocks.11.* and 8 more$",
        ),
        (keep_only("backbone."), "missing: keypoint_head.final_layer.weight$"),
        (put("backbone.blocks.12.norm1.weight", 384), "1 tensors unknown: backbone.blocks.12.norm1.weight$"),
        (put("backbone.mask_token", 384), "1 tensors unknown: backbone.mask_token$"),
        (
            put("backbone.pos_embed", 1, 433, 384),
            r"1 tensors of another shape: backbone.pos_embed \(1, 433, 384\) for \(1, 193, 384\)$",
        ),
        (
            put("backbone.pos_embed", 193),
            "of another shape: backbone.pos_embed, keypoint_head.final_layer.weight$",
        ),
        (
            put("backbone.blocks.3.attn.qkv.weight", 384, 384),
            "of another shape: backbone.blocks.3.attn.qkv.weight",
        ),
        (put("backbone.blocks.3.mlp.fc2.bias"), "of another shape: backbone.blocks.3.mlp.fc2.bias"),
    ],
)
def test_damaged_checkpoints_are_refused_by_name(change, message):
    checkpoint = big("S", original_name)
    change(checkpoint)
    with pytest.raises(PosecliError, match=message):
        vitpose_state(checkpoint)


def test_a_part_of_a_fused_tensor_of_another_shape_is_named():
    checkpoint = transformers_vitpose().state_dict()
    key = "backbone.encoder.layer.1.attention.attention.key.weight"
    checkpoint[key] = torch.zeros(DIM, DIM + 1)
    with pytest.raises(PosecliError, match=f"1 tensors of another shape: .*{key}"):
        vitpose_state(checkpoint, TINY["classic"])


@pytest.mark.parametrize(
    "tensors",
    [
        {"conv1.weight": torch.zeros(64, 3, 7, 7), "fc.bias": torch.zeros(1000)},
        {"backbone.pos_embed": torch.zeros(1, 193, 384)},
        {},
    ],
)
def test_other_networks_are_refused(tensors):
    with pytest.raises(PosecliError, match=r"a\.pth: no ViTPose"):
        vitpose_state(tensors, source="a.pth")


def test_another_width_is_refused():
    with pytest.raises(PosecliError, match="width 32; posecli knows S 384, B 768, L 1024, H 1280"):
        vitpose_state(ViTPose(TINY["classic"]).state_dict())


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_load_vitpose_reads_half_precision_files(tmp_path, monkeypatch, spelling, kind):
    monkeypatch.setitem(VITPOSE_SIZES, "tiny", TINY["classic"])
    oracle = transformers_vitpose().half().float()  # weights that half precision holds exactly
    checkpoint = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in oracle.state_dict().items()
    }
    checkpoint = spelling(checkpoint)
    path = tmp_path / f"weights.{kind}"
    if kind == "safetensors":
        save_tensors(path, checkpoint)
    else:
        torch.save({"meta": {"epoch": 210}, "state_dict": checkpoint}, path)
    model = load_vitpose(path)
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    with torch.no_grad():
        # mmpose's folded positions are rounded once more
        torch.testing.assert_close(
            model(image()).heatmaps_BKHW,
            oracle(image()).heatmaps,
            atol=1e-2 if spelling is mmpose else 1e-4,
            rtol=1e-4,
        )


def test_load_vitpose_names_the_file(tmp_path):
    path = tmp_path / "other.safetensors"
    save_tensors(path, {"a": torch.zeros(2)})
    with pytest.raises(PosecliError, match=r"other\.safetensors: no ViTPose"):
        load_vitpose(path)
