"""Presets: the ones that come with posecli, and how files that are not right are refused."""

import json
from pathlib import Path

import pytest

import posecli.weights.locate
from posecli.errors import PosecliError
from posecli.nn.glsmamba import GLSMamba
from posecli.weights.locate import embedded_weights, models_dir
from posecli.weights.presets import config_from_table, config_to_table, load_preset, preset_names

PRESETS = ["glsmamba-b", "glsmamba-h", "glsmamba-lr", "glsmamba-s", "glsmamba-t"]


def test_the_presets_are_there():
    assert set(PRESETS) <= set(preset_names())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    config = load_preset(name)
    table = json.loads(json.dumps(config_to_table(config)))
    assert config_from_table(name, table, "a checkpoint") == config


def test_glsmamba_b_is_the_reference():
    config = load_preset("glsmamba-b")
    assert config.temporal == GLSMamba.Config()
    assert config.encoder.title == "ViTPose-B"
    assert (config.input.height, config.input.width, config.input.frames) == (256, 192, 5)
    assert config.input.box_scale == 1.25
    assert config.heatmap.kind == "linear"


def test_what_follows_from_encoder_and_input_is_derived():
    low = load_preset("glsmamba-lr").temporal
    assert (low.channels, low.grid, low.heatmap_size) == (768, (16, 12), (64, 48))
    tiny = load_preset("glsmamba-t")
    assert (tiny.temporal.channels, tiny.temporal.grid, tiny.temporal.joints) == (64, (32, 24), 17)
    assert tiny.heatmap.kind == "softmax"
    assert load_preset("glsmamba-b", {"skeleton": "posetrack18"}).temporal.joints == 17


def test_a_users_own_file(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text((models_dir() / "glsmamba-b.toml").read_text().replace("stmm = true", "stmm = false"))
    config = load_preset(str(path))
    assert config.name == "mine"
    assert not config.temporal.stmm


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        # An unknown key names those that are known.
        ({"temporal.depth": 4}, r"temporal\.depth is unknown; known: dim, gsm_blocks, .*upsampler"),
        ({"decoder.dim": 4}, "decoder is unknown; known: skeleton, encoder, input, temporal, heatmap"),
        # What is derived is not for the file to set.
        ({"temporal.joints": 15}, r"temporal\.joints is unknown"),
        ({"temporal.stmm": 1}, r"temporal\.stmm = 1 must be of type bool"),
        ({"temporal.dim": True}, r"temporal\.dim = True must be of type int"),
        ({"temporal.dim": 2.5}, r"temporal\.dim = 2\.5 must be of type int"),
        ({"temporal.routes": ["unified", "diagonal"]}, "'diagonal' is not one of unified, space, time"),
        ({"temporal.routes": "unified"}, "must be a list"),
        ({"temporal.window": [8]}, "must have 2 values"),
        ({"temporal.window": [7, 6]}, "7x6 does not divide the 64x48"),
        ({"encoder.size": "xl"}, "'xl' is not one of s, b, l, h"),
        ({"encoder.kind": "efficientnet-lite0"}, r"encoder\.size means nothing"),
        ({"input.height": 250}, "must be multiples of 16"),
        ({"heatmap.height": 32}, r"\(32, 48\), but temporal\.upsample = 0 gives \(64, 48\)"),
        ({"temporal.base_heatmaps": "encoder"}, 'needs skeleton "coco"'),
        ({"heatmap.score_slope": [1.0] * 17}, "go together"),
        (
            {"heatmap.score_slope": [1.0] * 3, "heatmap.score_offset": [0.0] * 3},
            "3 numbers, but posetrack17 15 keypoints",
        ),
        ({"heatmap.score_slope": [0.0], "heatmap.score_offset": [0.0]}, "must be positive"),
        ({"heatmap.score_slope": [1.0], "heatmap.score_offset": [float("nan")]}, "must be finite"),
        ({"skeleton": "hand"}, "'hand' is unknown; known: coco"),
        ({"encoder": 3}, "must be a section"),
        ({"skeleton.name": 3}, "no section"),
    ],
)
def test_wrong_values_are_refused_in_one_line(overrides, message):
    with pytest.raises(PosecliError, match=message) as caught:
        load_preset("glsmamba-b", overrides)
    assert "\n" not in str(caught.value)


def test_a_missing_field_is_named(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text((models_dir() / "glsmamba-b.toml").read_text().replace("sigma = 2.0", ""))
    with pytest.raises(PosecliError, match=r"mine\.toml: heatmap\.sigma is missing"):
        load_preset(str(path))


@pytest.mark.parametrize("content", [b"skeleton = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(PosecliError, match="can't be read as TOML"):
        load_preset(str(path))


@pytest.mark.parametrize("name", ["glsmamba-x", "nowhere/glsmamba-b.toml", "../models/glsmamba-b"])
def test_an_unknown_model(name):
    with pytest.raises(PosecliError, match=r"is unknown; known: .*glsmamba-b|there is no such model"):
        load_preset(name)


def test_models_lie_inside_an_installed_package_before_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "posecli"
    package.mkdir()
    monkeypatch.setattr(posecli.weights.locate.posecli, "__file__", str(package / "__init__.py"))
    with pytest.raises(PosecliError, match="reinstall"):
        models_dir()
    (tmp_path / "models").mkdir()
    assert models_dir() == tmp_path / "models"
    (package / "models").mkdir()
    assert models_dir() == package / "models"


def test_embedded_weights_are_the_presets_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("posecli.weights.locate.models_dir", lambda: tmp_path)
    (tmp_path / "a.safetensors").touch()
    (tmp_path / "ab.safetensors").touch()
    assert embedded_weights("a") == tmp_path / "a.safetensors"
    assert embedded_weights("b") is None
