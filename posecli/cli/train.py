"""posecli train: train a detector, an encoder or a temporal model by a recipe."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from posecli.errors import PosecliError

if TYPE_CHECKING:
    from posecli.train.checkpoint import RunState
    from posecli.train.recipe import Recipe


def train(
    recipe: str = typer.Option(..., "--recipe", help="Name of a recipe in models/recipes, or a TOML file."),
    data: Path = typer.Option(..., "--data", envvar="POSECLI_DATA", help="Folder of the dataset."),
    output: Path = typer.Option(..., "-o", "--output", help="Folder of the run: checkpoint, logs, weights."),
    set_: list[str] = typer.Option([], "--set", help="Override a recipe's field: --set steps=100."),
    resume: bool = typer.Option(False, "--resume", help="Go on from the run's last checkpoint."),
    cache: Path | None = typer.Option(
        None, "--cache", help="Folder for decoded clips (default: OUTPUT/cache)."
    ),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda:N or mps."),
    workers: int = typer.Option(1, "--workers", min=0, help="Processes that prepare samples."),
    threads: int = typer.Option(
        0, "--threads", min=0, help="CPU threads of the network (0: as many as cores)."
    ),
) -> None:
    """Train a part of an embedded model by a recipe; logs, resumable checkpoints and weights go to OUTPUT."""
    from posecli.train.recipe import load_recipe, parse_override

    loaded = load_recipe(recipe, dict(parse_override(text) for text in set_))
    if not data.is_dir():
        raise PosecliError(f"--data {data}: there is no such folder")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PosecliError(f"--output {output}: can't be made ({error.strerror})") from None
    if not resume and (output / "last.pt").exists():
        raise PosecliError(
            f"{output}: holds a run already; add --resume to go on with it, or choose another folder"
        )
    _run(
        loaded,
        data,
        output,
        cache or output / "cache",
        device,
        resume,
        workers,
        threads or os.cpu_count() or 1,
    )


def _run(
    recipe: Recipe,
    data: Path,
    output: Path,
    cache: Path,
    device: str,
    resume: bool,
    workers: int,
    threads: int,
) -> None:
    import torch

    from posecli.device import pick_device
    from posecli.train.loop import train as run
    from posecli.train.tasks import make_task

    torch.set_num_threads(threads)
    task = make_task(recipe, data, cache)
    path = run(task, recipe, output, pick_device(device), Printer(), resume=resume, workers=workers)
    typer.echo(f"weights: {path}")


class Printer:
    """Shows a run as lines of text."""

    def on_start(self, state: RunState, recipe: Recipe) -> None:
        count = sum(p.numel() for p in state.model.parameters() if p.requires_grad)
        typer.echo(f"{recipe.task}: {count:,} trainable parameters, step {state.step} of {recipe.steps}")

    def on_step(self, step: int, values: dict[str, float]) -> None:
        typer.echo(f"step {step}  " + "  ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def on_evaluation(self, step: int, values: dict[str, float]) -> None:
        typer.echo(
            f"quality at {step}  " + "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        )
