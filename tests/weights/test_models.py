"""Whole models in files: what is written is what runs, and what is not a model is refused in one line."""

import json
from dataclasses import replace

import pytest
import torch

from posecli.errors import PosecliError
from posecli.nn.pose_model import PoseModel
from posecli.weights.files import load_metadata, load_tensors, save_tensors, sha256_of
from posecli.weights.models import copy_with_config, load_into, load_model, read_config, save_model
from posecli.weights.presets import load_preset

TINY = {"temporal.dim": 8, "temporal.gsm_blocks": 1, "temporal.attention_hidden": 8, "temporal.state": 4}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return PoseModel(load_preset("glsmamba-t", TINY)).eval()


@pytest.fixture
def file(model, tmp_path):
    path = tmp_path / "mine.safetensors"
    save_model(path, model, {"steps": "7"})
    return path


def test_a_saved_model_is_loaded_with_its_configuration(model, file):
    loaded = load_model(str(file))
    assert loaded.model.config == model.config
    assert loaded.sha256 == sha256_of(file)
    crops = torch.randint(0, 256, (1, 5, 256, 192, 3), dtype=torch.uint8)
    with torch.inference_mode():
        expected, actual = model(crops), loaded.model(crops)
    # fp16 weights and folded norms; the heatmaps of random weights span about one unit.
    torch.testing.assert_close(actual, expected, rtol=0, atol=0.05)


def test_files_are_half_precision_and_tell_of_their_making(file):
    assert {tensor.dtype for tensor in load_tensors(file).values()} == {torch.float16}
    metadata = load_metadata(file)
    assert metadata["steps"] == "7"
    assert json.loads(metadata["config"])["temporal"]["dim"] == 8


def test_a_copy_with_another_configuration_has_the_same_tensors(model, file, tmp_path):
    heatmap = replace(model.config.heatmap, score_slope=(0.5,) * 17, score_offset=(-1.0,) * 17)
    config = replace(model.config, heatmap=heatmap)
    copy = tmp_path / "calibrated.safetensors"
    copy_with_config(file, copy, config)
    assert read_config(copy) == replace(config, name=read_config(file).name)
    assert load_metadata(copy) == load_metadata(file) | {"config": load_metadata(copy)["config"]}
    tensors = load_tensors(file)
    assert all(torch.equal(tensors[name], tensor) for name, tensor in load_tensors(copy).items())
    assert load_tensors(copy).keys() == tensors.keys()
    copy_with_config(copy, copy, model.config)
    assert load_metadata(copy) == load_metadata(file)


def test_files_without_calibration_do_not_mention_it(file):
    """They are read by posecli 0.1 too, which knows no such fields."""
    assert "score_slope" not in json.loads(load_metadata(file)["config"])["heatmap"]


def test_only_a_model_gets_a_configuration(model, tmp_path):
    path = tmp_path / "plain.safetensors"
    save_tensors(path, {"x": torch.zeros(2)})
    with pytest.raises(PosecliError, match="no posecli model"):
        copy_with_config(path, tmp_path / "copy.safetensors", model.config)
    assert not (tmp_path / "copy.safetensors").exists()


def test_loaded_models_are_not_for_training(file):
    model = load_model(str(file)).model
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_file_without_a_configuration_is_no_model(tmp_path):
    path = tmp_path / "plain.safetensors"
    save_tensors(path, {"x": torch.zeros(2)})
    with pytest.raises(PosecliError, match="no posecli model"):
        read_config(path)


@pytest.mark.parametrize("harm", ["missing", "unexpected", "shape"])
def test_weights_of_another_model(model, tmp_path, harm):
    tensors = dict(model.state_dict())
    if harm == "missing":
        del tensors[next(iter(tensors))]
    elif harm == "unexpected":
        tensors["other"] = torch.zeros(1)
    else:
        tensors[next(iter(tensors))] = torch.zeros(1)
    save_tensors(tmp_path / "other.safetensors", tensors)
    with pytest.raises(PosecliError, match="not the weights of this model") as caught:
        load_into(model, tmp_path / "other.safetensors")
    assert "\n" not in str(caught.value)


def test_presets_without_weights_say_so():
    with pytest.raises(PosecliError, match="no weights"):
        load_model("glsmamba-h")
