"""posecli models info, verify, pull and import."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import posecli.weights.hub
from posecli.cli import main
from posecli.nn.vitpose import ViTPose
from posecli.weights.files import load_tensors
from posecli.weights.locate import embedded_weights
from posecli.weights.vitpose import ORIGINAL

needs_weights = pytest.mark.skipif(not embedded_weights("glsmamba-t"), reason="no weights inside")


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["posecli", "models", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code, captured.out.strip(), captured.err

    return call


@pytest.fixture
def vitpose(tmp_path):
    """A small ViTPose as its authors spell it, and its tensors as we do."""
    torch.manual_seed(0)
    ours = ViTPose(ViTPose.Config(dim=384, depth=12, num_heads=12, head="simple")).state_dict()
    path = tmp_path / "theirs.pth"
    theirs = {ORIGINAL.names(name)[0]: tensor for name, tensor in ours.items()}
    torch.save({"state_dict": theirs}, path)
    return path, ours


@needs_weights
def test_info_of_what_is_inside(run):
    code, out, err = run("info", "glsmamba-t", "--json")
    found = json.loads(out)
    data = embedded_weights("glsmamba-t").read_bytes()
    assert (code, err) == (0, "")
    assert found["kind"] == "posecli model glsmamba-t"
    assert (found["sha256"], found["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
    assert f"sha256\t{found['sha256']}" in run("info", "glsmamba-t")[1].splitlines()


@needs_weights
def test_verify(run):
    digest = hashlib.sha256(embedded_weights("detector").read_bytes()).hexdigest()
    code, out, _ = run("verify", "detector", "--sha256", digest.upper())
    assert (code, out.endswith(f"posecli detector, {digest}")) == (0, True)
    code, out, err = run("verify", "detector", "--sha256", "00")
    assert (code, out) == (1, "")
    assert err.endswith(f"SHA-256 {digest} instead of 00\n")


def test_verify_goes_by_sums_beside_the_file(run, vitpose):
    path, _ = vitpose
    sums = path.with_name("SHA256SUMS")
    sums.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    assert run("verify", path)[0] == 0
    sums.write_text(f"{'0' * 64}  {path.name}\n")
    code, _, err = run("verify", path)
    assert (code, err.endswith(f"instead of {'0' * 64}\n")) == (1, True)


@needs_weights
def test_damage_is_found(run, tmp_path):
    whole = embedded_weights("glsmamba-t")
    (tmp_path / "cut.safetensors").write_bytes(whole.read_bytes()[:-1])
    assert run("verify", tmp_path / "cut.safetensors")[0] == 1
    tensors = load_tensors(whole)
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, tmp_path / "nan.safetensors")
    code, _, err = run("verify", tmp_path / "nan.safetensors")
    assert (code, "numbers that are not finite (1 tensors have)" in err) == (1, True)


def test_weights_that_are_not_there(run):
    assert run("info", "glsmamba-b")[2] == (
        "posecli: glsmamba-b: no such file, and no weights of that name come with posecli\n"
    )


def test_import_writes_the_same_tensors_as_safetensors(run, vitpose, tmp_path):
    path, ours = vitpose
    target = tmp_path / "ours.safetensors"
    assert run("import", path, "-o", target) == (0, "", "")
    written = load_tensors(target)
    floats = [name for name in ours if ours[name].is_floating_point()]
    assert all(torch.equal(written[name], ours[name]) for name in floats)
    assert "ViTPose, 384 channels, 12 blocks, simple head" in run("verify", target)[1]
    assert "ViTPose, 384 channels" in run("verify", path)[1]
    assert "exists: give --force" in run("import", path, "-o", target)[2]


def test_import_refuses_what_is_no_vitpose(run, tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "a.pth")
    code, out, err = run("import", tmp_path / "a.pth", "-o", tmp_path / "b.safetensors")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert not (tmp_path / "b.safetensors").exists()
    assert "ends in .safetensors" in run("import", tmp_path / "a.pth", "-o", tmp_path / "b.pth")[2]


def test_pull_prints_where_the_file_is(run, monkeypatch):
    asked, pinned = [], posecli.weights.hub.VITPOSE_FILES["vitpose-plus-base"]
    monkeypatch.setattr(
        posecli.weights.hub,
        "pull",
        lambda *arguments, update: asked.append((*arguments, update)) or Path("/cache/model"),
    )
    assert run("pull", "vitpose-plus-base", "--revision", "abc")[:2] == (0, "/cache/model")
    assert run("pull", "vitpose-plus-base")[0] == 0
    assert run("pull", "owner/name", "--file", "a.pth", "--sha256", "00")[0] == 0
    assert run("pull", "vitpose-base", "--update")[0] == 0
    assert asked == [
        ("usyd-community/vitpose-plus-base", "model.safetensors", "abc", None, False),
        ("usyd-community/vitpose-plus-base", "model.safetensors", pinned.revision, pinned.sha256, False),
        ("owner/name", "a.pth", None, "00", False),
        ("usyd-community/vitpose-base", "model.safetensors", None, None, True),
    ]
    assert "unknown; known are vitpose-base-simple" in run("pull", "nothing")[2]
