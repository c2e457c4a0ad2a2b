"""Config files, recipes, model configurations and checkpoints that are broken or hostile."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
from functools import cache
from pathlib import Path

from benchmarks.fuzz.damage import DAMAGES
from benchmarks.fuzz.hostile import Evil
from benchmarks.fuzz.trial import Trial
from benchmarks.fuzz.videos import CLIP, clip
from posecli.weights.locate import embedded_weights, models_dir

BAD_TOML = (
    "nan", "inf", "-1", "0", "1000000000", "1e308", "9" * 400, "true", "[]", "{}", "'x'", "''", "[" * 5000, "[[[]]]",
    "1979-05-27", '"\\u0000"', "[1, 'a']", "'../../secret.txt'",
)  # fmt: skip
CONFIG = b"""[data]
coco = "folder"
[estimate]
threshold = 0.2
tracker = "bytetrack"
batch = 4
[render]
min-score = 0.3
color = "track"
"""


def settings_trial(rng: random.Random, folder: Path) -> Trial:
    """Lays a harmed file into the folder, and says which command is to meet it."""
    kind = rng.choice(("config", "recipe", "preset", "safetensors", "safetensors", "pickle"))
    (folder / CLIP).write_bytes(clip(".mkv"))
    if kind in ("safetensors", "pickle"):
        harm, data = _harmed_checkpoint(kind, rng)
        (folder / "model.safetensors").write_bytes(data)
        arguments = ("estimate", CLIP, "-o", "out.json", "--model", "model.safetensors", "--device", "cpu")
        return Trial(f"{kind}: {harm}", arguments, "out.json")
    harm, data = _harmed_toml(_toml(kind), rng)
    if kind == "config":
        (folder / "posecli.toml").write_bytes(data)
        return Trial(f"config: {harm}", ("detect", "no.mp4", "-o", "boxes.json"), "boxes.json")
    (folder / "harmed.toml").write_bytes(data)
    if kind == "preset":
        return Trial(f"preset: {harm}", ("models", "list", "harmed.toml"))
    (folder / "data").mkdir()
    return Trial(
        f"recipe: {harm}", ("train", "--recipe", "harmed.toml", "--data", "data", "-o", "run"), "run"
    )


@cache
def _toml(kind: str) -> bytes:
    if kind == "config":
        return CONFIG
    folder = models_dir() if kind == "preset" else models_dir() / "recipes"
    return (folder / "glsmamba-t.toml").read_bytes()


def _harmed_toml(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    if rng.random() < 0.25:
        harm = rng.choice(tuple(DAMAGES))
        return harm, DAMAGES[harm](data, rng)
    lines = data.decode().splitlines()
    at = rng.choice([i for i, line in enumerate(lines) if "=" in line and not line.startswith("#")])
    name = lines[at].split("=")[0]
    harm = rng.choice(("a wrong value", "a name unknown", "a line missing", "a line twice", "deep names"))
    lines[at] = {
        "a wrong value": f"{name}= {rng.choice(BAD_TOML)}",
        "a name unknown": f"bogus{lines[at]}",
        "a line missing": "",
        "a line twice": f"{lines[at]}\n{lines[at]}",
        "deep names": f"{'a.' * rng.choice((100, 5000))}b = 1",
    }[harm]
    return harm, "\n".join(lines).encode()


@cache
def _checkpoint(kind: str) -> bytes:
    import torch
    from safetensors.torch import load

    path = embedded_weights("glsmamba-t")
    assert path is not None
    if kind == "safetensors":
        return path.read_bytes()
    file = io.BytesIO()
    torch.save(load(path.read_bytes()), file)
    return file.getvalue()


def _harmed_checkpoint(kind: str, rng: random.Random) -> tuple[str, bytes]:
    data = _checkpoint(kind)
    if kind == "pickle" and rng.random() < 0.3:
        return "a pickle that writes a file", pickle.dumps({"state_dict": Evil()})
    if kind == "safetensors" and rng.random() < 0.6:
        return _harmed_header(data, rng)
    harm = rng.choice(tuple(DAMAGES))
    return harm, DAMAGES[harm](data, rng)


def _harmed_header(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """The header's length, a tensor's shape, type or place, or the model's configuration."""
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    harm = rng.choice(
        ("the header's length", "a shape", "a type", "a place", "a tensor missing", "the configuration")
    )
    tensor = rng.choice([name for name in header if name != "__metadata__"])
    if harm == "a shape":
        header[tensor]["shape"] = rng.choice(([], [2**62, 2**62], [-1], [10**9], "x", [1.5]))
    elif harm == "a type":
        header[tensor]["dtype"] = rng.choice(("F64", "I8", "BOOL", "X", 7))
    elif harm == "a place":
        header[tensor]["data_offsets"] = rng.choice(([0, 2**63], [5, 1], [-1, 4], []))
    elif harm == "a tensor missing":
        del header[tensor]
    elif harm == "the configuration":
        config = json.loads(header["__metadata__"]["config"])
        section = config[rng.choice([key for key in config if isinstance(config[key], dict)])]
        section[rng.choice(list(section))] = rng.choice((None, -1, 0, 10**9, 1e308, "x", [], {}, True))
        header["__metadata__"]["config"] = json.dumps(config)
    encoded = json.dumps(header).encode()
    stated = rng.choice((0, 1, 2**32, 2**63)) if harm == "the header's length" else len(encoded)
    return harm, struct.pack("<Q", stated) + encoded + body
