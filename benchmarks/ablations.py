"""The paper's Tables 5 and 6 in miniature: which parts of GLSMamba pay, on a dataset of rendered people.

    python examples/make_posetrack.py synthetic
    python benchmarks/ablations.py synthetic -o ablations [--seeds 3] [--steps 300] [--encoder-steps 900]

One light encoder is trained on the dataset's crops and frozen; then each row's network on top of it, from every seed.
Rows are evaluated on the val split with boxes of the ground truth: PoseTrack's mean AP, the mean over seeds, and its
spread (standard deviation). Runs that are done are not done again, so that a second call goes on where the first was
stopped. Writes ablations.json and ablations.md into the folder.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from posecli.data.datasets import get_dataset
from posecli.device import prefers_bf16
from posecli.metrics.of_dataset import metric_of
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.evaluation import evaluate
from posecli.pipeline.options import Options
from posecli.pipeline.people import TruePeople
from posecli.train.loop import train
from posecli.train.observer import Observer, Values
from posecli.train.recipe import DataShare, Recipe
from posecli.train.tasks import make_task
from posecli.weights.models import load_model
from posecli.weights.presets import load_preset

DATASET = "posetrack18"
MODEL = str(Path(__file__).with_name("glsmamba-mini.toml"))
DATA = (DataShare(name=DATASET),)
CPU = torch.device("cpu")
BF16 = prefers_bf16(CPU)

ENCODER = Recipe(
    task="encoder", model=MODEL, data=DATA, batch=32, learning_rate=1.5e-3, backbone_rate=0.5, warmup=100,
    weight_decay=0.02, bf16=BF16, evaluate_every=10**9,
    augmentation={"scale": 0.2, "rotation": 20.0, "truncation_probability": 0.0},
)  # fmt: skip
TEMPORAL = Recipe(
    task="temporal", model=MODEL, data=DATA, batch=16, learning_rate=1e-3, warmup=50, weight_decay=0.01,
    ema=0.99, bf16=BF16, augment=False, strides=(1,), cache_features=True, init="none", evaluate_every=10**9,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: what is changed in the model, and what the paper reports for it (PoseTrack17, ViT-B)."""

    table: int
    name: str
    paper: float
    overrides: dict[str, Any] = field(default_factory=dict)
    trained: bool = True


NOTHING = {"temporal.gsm_blocks": 0, "temporal.lrm_blocks": 0}
GSM_ONLY = {"temporal.lrm_blocks": 0}
ROWS = (
    Row(5, "(a) backbone only", 74.2, NOTHING, trained=False),
    Row(5, "(b) + GSM", 86.0, GSM_ONLY),
    Row(5, "(c) + GSM + LRM", 86.9),
    Row(6, "(a) unified", 85.8, {"temporal.routes": ["unified"]}),
    Row(6, "(b) unified + space-wise", 86.5, {"temporal.routes": ["unified", "space"]}),
    Row(6, "(c) unified + space-wise + time-wise", 86.9),
    Row(6, "(d) without STMM", 86.2, {"temporal.stmm": False}),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="a dataset in PoseTrack 2018's layout")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the runs and tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300, help="of each network, 16 windows each")
    parser.add_argument("--encoder-steps", type=int, default=900, help="32 crops each")
    parser.add_argument("--threads", type=int, default=0, help="default: all cores")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    bench = Bench(arguments.data, arguments.output)
    encoder = bench.run("encoder", replace(ENCODER, steps=arguments.encoder_steps))
    recipe = replace(TEMPORAL, steps=arguments.steps, encoder=str(encoder))
    figures: dict[str, list[float]] = {}
    for seed in range(arguments.seeds):
        for row in ROWS:
            key = row_key(row)
            if len(figures.get(key, [])) > seed or (seed and not row.trained):
                continue  # the same network stands in both tables
            figures.setdefault(key, []).append(bench.score(row, replace(recipe, seed=seed)))
            (arguments.output / "ablations.json").write_text(json.dumps(figures, indent=2))
            (arguments.output / "ablations.md").write_text(tables(figures))
    print(tables(figures))


def row_key(row: Row) -> str:
    """Names the row's network."""
    changes = "_".join(f"{name.partition('.')[2]}-{value}" for name, value in row.overrides.items())
    return "".join(c if c.isalnum() or c in "-_" else "" for c in changes) or "whole"


class Bench:
    """Trains and evaluates, each run in a folder of its own."""

    def __init__(self, data: Path, folder: Path) -> None:
        self._data, self._folder = data, folder
        self._cache = folder / "cache"
        self._sequences = get_dataset(DATASET).load(data, "val", self._cache)

    def run(self, name: str, recipe: Recipe) -> Path:
        """The weights that a recipe gives."""
        folder = self._folder / name
        done = next(folder.glob("*.safetensors"), None)
        if done is not None:
            return done
        folder.mkdir(parents=True, exist_ok=True)
        task = make_task(recipe, self._data, self._cache, CPU, say=print)
        path = train(task, recipe, folder, CPU, Lines(name), resume=True, workers=1)
        assert path is not None
        return path

    def score(self, row: Row, recipe: Recipe) -> float:
        """The mean AP of a row, trained from the recipe's seed."""
        recipe = replace(recipe, overrides=row.overrides)
        started = time.perf_counter()
        if row.trained:
            model = load_model(str(self.run(f"{row_key(row)}-{recipe.seed}", recipe))).model
        else:
            untrained = make_task(recipe, self._data, self._cache, CPU, say=print).build_model()
            assert isinstance(untrained, PoseModel)
            model = untrained.optimize_for_inference()
        metric = metric_of(get_dataset(DATASET))
        evaluate(self._sequences, TruePeople(), model, metric, Options(bf16=BF16))
        figure = metric.compute()["Mean"]
        print(
            f"{row.name}, seed {recipe.seed}: {figure:.2f} ({time.perf_counter() - started:.0f} s)",
            flush=True,
        )
        return figure


class Lines(Observer):
    """Shows a run as lines."""

    def __init__(self, name: str) -> None:
        self._name = name

    def on_log(self, step: int, values: Values) -> None:
        if step % 100 == 0:
            shown = "  ".join(f"{key} {values[key]:.4g}" for key in ("loss", "samples_per_second"))
            print(f"  {self._name} step {step}  {shown}", flush=True)

    def on_evaluation(self, step: int, values: Values) -> None:
        name, value = next(iter(values.items()))
        print(f"  {self._name} {name} {value:.3f}", flush=True)


def tables(figures: dict[str, list[float]]) -> str:
    """Markdown of all tables."""
    text = []
    for table, title in ((5, "Table 5: components"), (6, "Table 6: STS6D and STMM")):
        text += [
            f"**{title}**",
            "",
            "| network | trainable | mean AP | spread | seeds | paper |",
            "|---|---|---|---|---|---|",
        ]
        for row in ROWS:
            if row.table != table or row_key(row) not in figures:
                continue
            values = figures[row_key(row)]
            spread = f"{np.std(values, ddof=1):.2f}" if len(values) > 1 else "-"
            each = ", ".join(f"{value:.2f}" for value in values)
            text.append(
                f"| {row.name} | {trainable(row):,} | {np.mean(values):.2f} | {spread} | {each} | {row.paper} |"
            )
        text.append("")
    return "\n".join(text)


def trainable(row: Row) -> int:
    """Parameters that are trained and run."""
    if not row.trained:
        return 0
    model = PoseModel(load_preset(MODEL, row.overrides))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


if __name__ == "__main__":
    main()
