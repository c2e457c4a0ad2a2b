"""Where a model's frozen encoder comes from."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from posecli.errors import PosecliError
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.nn.vitpose import VITPOSE_SIZES, ViTPose
from posecli.weights import encoders
from posecli.weights.encoders import find_encoder, load_encoder
from posecli.weights.files import save_tensors, sha256_of
from posecli.weights.locate import embedded_weights
from posecli.weights.presets import load_preset
from posecli.weights.vitpose import ORIGINAL

LITE = load_preset("glsmamba-t")
VITPOSE = load_preset("glsmamba-s")


def lite(seed):
    torch.manual_seed(seed)
    return LitePoseEncoder(LitePoseEncoder.Config()).eval()


def shallow(seed):
    torch.manual_seed(seed)
    return ViTPose(replace(VITPOSE_SIZES["S"], depth=1)).eval()


def assert_same(one: nn.Module, other: nn.Module):
    for name, value in other.state_dict().items():
        torch.testing.assert_close(one.state_dict()[name], value, rtol=0, atol=0)


def test_the_encoder_of_a_whole_model_is_taken(tmp_path):
    given, encoder = lite(1), lite(2)
    whole = {f"encoder.{name}": value for name, value in given.state_dict().items()}
    save_tensors(tmp_path / "whole.safetensors", whole | {"temporal.head.weight": torch.ones(3)})
    assert load_encoder(encoder, LITE, str(tmp_path / "whole.safetensors")) == sha256_of(
        tmp_path / "whole.safetensors"
    )
    assert_same(encoder, given)


def test_an_encoder_alone_is_taken_as_it_is(tmp_path):
    given, encoder = lite(1), lite(2)
    save_tensors(tmp_path / "encoder.safetensors", given.state_dict())
    load_encoder(encoder, LITE, str(tmp_path / "encoder.safetensors"))
    assert_same(encoder, given)


def test_vitpose_in_another_programs_spelling(tmp_path):
    given, encoder = shallow(1), shallow(2)
    spelled = {ORIGINAL.names(name)[0]: value for name, value in given.state_dict().items()}
    torch.save({"state_dict": spelled}, tmp_path / "vitpose.pth")
    load_encoder(encoder, VITPOSE, str(tmp_path / "vitpose.pth"))
    assert_same(encoder, given)


def test_without_a_source_the_embedded_one_is_taken():
    path = embedded_weights("glsmamba-t")
    if path is None:
        pytest.skip("this copy has no embedded weights")
    assert find_encoder(LITE, "") == path
    encoder = lite(1)
    assert load_encoder(encoder, LITE, "") == sha256_of(path)
    assert encoder.state_dict()["heatmaps.weight"].std() > 0


def test_none_leaves_the_weights_and_says_so():
    encoder, before = lite(1), lite(1)
    assert load_encoder(encoder, VITPOSE, "none") == "none"
    assert_same(encoder, before)


def test_the_hub_is_asked_for_the_encoders_size(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(encoders, "pull", lambda repo, *rest: asked.append(repo) or tmp_path / "file")
    assert find_encoder(load_preset("glsmamba-b"), "hub") == tmp_path / "file"
    assert find_encoder(load_preset("glsmamba-h"), "hub") == tmp_path / "file"
    assert asked == ["usyd-community/vitpose-base", "usyd-community/vitpose-plus-huge"]


@pytest.mark.parametrize(
    ("preset", "source", "message"),
    [
        ("glsmamba-b", "", r"stands on a frozen ViTPose-B.*--encoder FILE, --encoder hub.*or --encoder none"),
        ("glsmamba-t", "hub", "EfficientNet-Lite0.*encoder-t"),
        ("glsmamba-b", "no.pth", r"--encoder no\.pth: there is no such file"),
    ],
)
def test_what_is_missing_is_said(preset, source, message):
    with pytest.raises(PosecliError, match=message):
        find_encoder(load_preset(preset), source)


def test_an_encoder_of_another_kind_does_not_fit(tmp_path):
    save_tensors(tmp_path / "lite.safetensors", lite(1).state_dict())
    with pytest.raises(PosecliError, match="no ViTPose"):
        load_encoder(shallow(1), VITPOSE, str(tmp_path / "lite.safetensors"))
    save_tensors(tmp_path / "vitpose.safetensors", shallow(1).state_dict())
    with pytest.raises(PosecliError, match="not the weights of the encoder of glsmamba-t"):
        load_encoder(lite(1), LITE, str(tmp_path / "vitpose.safetensors"))
