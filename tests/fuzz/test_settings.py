"""Recipes, configurations and files of weights, of any content: read, or refused by our own error."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from posecli.config import load_config
from posecli.errors import PosecliError
from posecli.train.recipe import load_recipe
from posecli.weights.files import load_metadata, load_tensors
from posecli.weights.locate import models_dir
from posecli.weights.presets import load_preset

examples = settings(
    derandomize=True,
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats().map(str).map(lambda text: text if any(c in text for c in ".n") else "1e300"),
    st.text(st.characters(codec="utf-8")).map(json.dumps),
    st.sampled_from(
        ("[]", "{}", "[[]]", "1979-05-27", "[1, 'a']", "'../../x'", '"cosine"', "0", "-1", "1e308")
    ),
)
VALUES = SCALARS.map(lambda value: str(value).lower() if isinstance(value, bool) else str(value))


def with_line(text: str, at: int, value: str) -> str:
    """The TOML text with another value in one of its lines."""
    lines = text.splitlines()
    settable = [i for i, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    i = settable[at % len(settable)]
    lines[i] = f"{lines[i].split('=')[0]}= {value}"
    return "\n".join(lines)


RECIPES = sorted((models_dir() / "recipes").glob("*.toml"))


@examples
@given(recipe=st.sampled_from(RECIPES), at=st.integers(0, 60), value=VALUES)
def test_a_recipe_with_any_value_is_read_or_refused(tmp_path, recipe, at, value):
    path = tmp_path / "recipe.toml"
    path.write_text(with_line(recipe.read_text("utf-8"), at, value), "utf-8")
    with suppress(PosecliError):
        load_recipe(str(path))


@examples
@given(at=st.integers(0, 60), value=VALUES)
def test_a_model_with_any_value_is_read_or_refused(tmp_path, at, value):
    path = tmp_path / "model.toml"
    path.write_text(with_line((models_dir() / "glsmamba-t.toml").read_text("utf-8"), at, value), "utf-8")
    with suppress(PosecliError):
        load_preset(str(path))


CONFIG = '[data]\ncoco = "folder"\n[estimate]\nthreshold = 0.2\nbatch = 4\n[render]\ncolor = "track"\n'


@examples
@given(
    text=st.one_of(
        st.binary(),
        st.builds(with_line, st.just(CONFIG), st.integers(0, 5), VALUES).map(
            lambda text: text.encode("utf-8")
        ),
        st.dictionaries(st.sampled_from(("data", "estimate", "x")), VALUES).map(
            lambda table: "\n".join(f"{name} = {value}" for name, value in table.items()).encode("utf-8")
        ),
    )
)
def test_any_configuration_is_read_or_refused(tmp_path, monkeypatch, text):
    path = tmp_path / "posecli.toml"
    path.write_bytes(text)
    monkeypatch.setenv("POSECLI_CONFIG", str(path))
    with suppress(PosecliError):
        load_config()


TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(4, dtype=torch.int64)}


@cache
def checkpoint(kind: str) -> bytes:
    if kind == "safetensors":
        return save(TENSORS, {"config": "{}"})
    file = io.BytesIO()
    torch.save(TENSORS, file, _use_new_zipfile_serialization=kind == "zip")
    return file.getvalue()


def refusal(read: Callable[[Path], object], path: Path) -> str:
    """What it says against a file; nothing if it reads it."""
    try:
        read(path)
    except PosecliError as error:
        return str(error)
    return ""


def read_or_refuse(path: Path) -> None:
    for read in (load_tensors, load_metadata):
        assert "\n" not in refusal(read, path)


@examples
@given(
    kind=st.sampled_from(("safetensors", "zip", "pickle")),
    changes=st.lists(
        st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4
    ),
    length=st.none() | st.integers(0, 3000),
)
def test_a_checkpoint_with_other_bytes_is_read_or_refused(tmp_path, kind, changes, length):
    data = bytearray(checkpoint(kind)[:length])
    for at, patch in changes if data else []:
        start = at % len(data)
        data[start : start + len(patch)] = patch
    (tmp_path / "weights").write_bytes(data)
    read_or_refuse(tmp_path / "weights")


HEADER = st.recursive(
    st.none() | st.integers(-5, 2**64) | st.sampled_from(("F32", "F64", "X", "")),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(
        st.sampled_from(("dtype", "shape", "data_offsets", "__metadata__", "t")), values, max_size=4
    ),
)  # fmt: skip


@examples
@given(header=HEADER, body=st.binary(max_size=64), stated=st.none() | st.integers(0, 2**64 - 1))
def test_any_safetensors_header_is_read_or_refused(tmp_path, header, body, stated):
    text = json.dumps(header).encode()
    length = len(text) if stated is None else stated
    (tmp_path / "weights").write_bytes(struct.pack("<Q", length) + text + body)
    read_or_refuse(tmp_path / "weights")


def test_whole_checkpoints_are_read(tmp_path):
    """Without this the properties above could hold because everything is refused."""
    for kind in ("safetensors", "zip", "pickle"):
        (tmp_path / "weights").write_bytes(checkpoint(kind))
        found = load_tensors(tmp_path / "weights")
        assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_whole_recipes_are_read(recipe):
    assert load_recipe(str(recipe)).task in ("detector", "encoder", "temporal")
