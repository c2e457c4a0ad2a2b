"""posecli train: train a detector, an encoder or a temporal model by a recipe."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from posecli.cli.checks import check_device
from posecli.cli.options import DeviceOption, ThreadsOption, use_threads
from posecli.errors import PosecliError

if TYPE_CHECKING:
    from posecli.train.checkpoint import RunState
    from posecli.train.recipe import Recipe


def train(
    recipe: str = typer.Option(
        ..., "--recipe", metavar="NAME", help="Name of a recipe in models/recipes, or a TOML file."
    ),
    data: Path = typer.Option(
        ..., "--data", envvar="POSECLI_DATA", metavar="FOLDER", help="Folder of the dataset."
    ),
    output: Path = typer.Option(
        ..., "--output", "-o", metavar="FOLDER", help="Folder of the run: checkpoint, logs, weights."
    ),
    set_: list[str] = typer.Option(
        [], "--set", metavar="FIELD=VALUE", help="Override a field of the recipe, such as steps=100."
    ),
    resume: bool = typer.Option(False, "--resume", help="Go on from the run's last checkpoint."),
    cache: Path | None = typer.Option(
        None, "--cache", metavar="FOLDER", help="Folder for decoded clips (default: OUTPUT/cache)."
    ),
    device: DeviceOption = "auto",
    workers: int = typer.Option(1, "--workers", metavar="N", min=0, help="Processes that prepare samples."),
    threads: ThreadsOption = 0,
) -> None:
    """Train a part of an embedded model by a recipe; logs, resumable checkpoints and weights go to OUTPUT.

    Example: posecli train --recipe glsmamba-t --data data -o run
    """
    from posecli.train.recipe import load_recipe, parse_override

    loaded = load_recipe(recipe, dict(parse_override(text) for text in set_))
    check_device(device)
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
    try:
        _run(loaded, data, output, cache or output / "cache", device, resume, workers, threads)
    except BaseException:
        with suppress(OSError):  # a run that never began leaves no empty folder
            output.rmdir()
        raise


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
    use_threads(threads)

    from posecli.device import pick_device
    from posecli.train.loop import train as run
    from posecli.train.tasks import make_task

    chosen = pick_device(device)
    task = make_task(recipe, data, cache)
    path = run(task, recipe, output, chosen, Printer(), resume=resume, workers=workers)
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
