"""A tiny model and small datasets for the tests of this folder."""

import json

from posecli.data.mixture import Key
from posecli.train.recipe import DataShare, Recipe
from posecli.weights.presets import load_preset
from tests.data.trees import (
    person17,
    person18,
    write_jhmdb_clip,
    write_jhmdb_split,
    write_posetrack17,
    write_posetrack18,
)

# The embedded preset on crops of 64 x 64: 8 x 8 tokens a frame.
TINY = {
    "input.height": 64, "input.width": 64, "input.frames": 3, "temporal.dim": 8, "temporal.gsm_blocks": 1,
    "temporal.lrm_blocks": 1, "temporal.attention_hidden": 4, "temporal.state": 2, "temporal.dt_rank": 1,
    "temporal.window": [4, 4], "heatmap.height": 16, "heatmap.width": 16, "heatmap.sigma": 1.0,
}  # fmt: skip
# As the paper has it: an answer for the keyframe, heatmaps of its own, squared errors.
KEYFRAME = TINY | {
    "temporal.output": "keyframe", "temporal.base_heatmaps": "none", "heatmap.loss": "mse",
    "skeleton": "posetrack17",
}  # fmt: skip


def recipe(dataset="posetrack18", overrides=KEYFRAME, **fields):
    plain = {
        "task": "temporal", "encoder": "none", "init": "none", "steps": 2, "batch": 2, "warmup": 0, "ema": 0.0,
        "bf16": False, "augment": False, "strides": (1,), "log_every": 1, "seed": 1,
        "data": (DataShare(name=dataset),),
    }  # fmt: skip
    return Recipe(**plain | {"overrides": overrides} | fields)


def config(overrides=KEYFRAME):
    return load_preset("glsmamba-t", overrides)


def write_tree18(folder, length=4):
    """One person on the first three frames of a sequence, in both splits."""
    for split in ("train", "val"):
        people = [person18(10003420000 + i, 20 + i, 30) for i in range(3)]
        write_posetrack18(folder, people, split=split, length=length)


def write_tree17(folder):
    for split in ("train", "val"):
        write_posetrack17(folder, {i: [person17(20 + i, 30)] for i in range(3)}, split=split, length=4)


def write_jhmdb(folder):
    """Split 1 and split 2 exchange the two clips."""
    for clip in ("first", "second"):
        write_jhmdb_clip(folder, "catch", clip, length=3)
    write_jhmdb_split(folder, "catch", {"first": 1, "second": 2})
    write_jhmdb_split(folder, "catch", {"first": 2, "second": 1}, number=2)


def keys(count, step=0):
    return [Key(0, index, step, index) for index in range(count)]


def about(path):
    from posecli.weights.files import load_metadata

    return json.loads(load_metadata(path)["config"])
