"""posecli train: train a detector, an encoder or a temporal model by a recipe."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from posecli.cli.checks import check_device
from posecli.cli.options import DeviceOption, ThreadsOption, use_threads
from posecli.errors import PosecliError, UsageError

if TYPE_CHECKING:
    from posecli.train.recipe import Recipe


def train(
    dataset: str | None = typer.Option(
        None,
        "--dataset",
        metavar="NAME",
        help="Train on posetrack17, posetrack18, posetrack21, sub-jhmdb, clips or coco.",
    ),
    split: str = typer.Option("", "--split", metavar="N", help="Of sub-jhmdb: 1, 2 or 3 (default: 1)."),
    model: str | None = typer.Option(
        None,
        "--model",
        metavar="NAME",
        help="Preset or TOML file (default: the recipe's; glsmamba-b in paper).",
    ),
    recipe: str | None = typer.Option(
        None,
        "--recipe",
        metavar="NAME",
        help="Name of a recipe in models/recipes, or a TOML file (default with --dataset: paper).",
    ),
    encoder: str | None = typer.Option(
        None,
        "--encoder",
        metavar="FILE",
        help="The frozen encoder's checkpoint; hub to fetch ViTPose, none for random weights.",
    ),
    data: Path | None = typer.Option(
        None,
        "--data",
        metavar="FOLDER",
        help="Folder of the dataset (default: from POSECLI_DATA or the config file).",
    ),
    output: Path | None = typer.Option(
        None,
        "--output",
        "-o",
        metavar="FOLDER",
        help="Folder of the run: checkpoint, logs, weights (default with --dataset: runs/DATASET-MODEL).",
    ),
    set_: list[str] = typer.Option(
        [],
        "--set",
        metavar="FIELD=VALUE",
        help="Override a field: steps=100, augmentation.rotation=10, model.temporal.stmm=false.",
    ),
    cache_features: bool = typer.Option(
        False, "--cache-features", help="Keep the encoder's features on disk; needs --set augment=false."
    ),
    resume: bool = typer.Option(False, "--resume", help="Go on from the run's last checkpoint."),
    cache: Path | None = typer.Option(
        None,
        "--cache",
        metavar="FOLDER",
        help="Folder for decoded clips and features (default: OUTPUT/cache).",
    ),
    device: DeviceOption = "auto",
    workers: int = typer.Option(1, "--workers", metavar="N", min=0, help="Processes that prepare samples."),
    threads: ThreadsOption = 0,
    tensorboard: bool | None = typer.Option(
        None,
        "--tensorboard/--no-tensorboard",
        help="Logs in OUTPUT/tensorboard (default: if the package tensorboard is installed).",
    ),
) -> None:
    """Train by a recipe, on a dataset or on the recipe's own; logs, checkpoints and weights go to OUTPUT.

    Example: posecli train --dataset posetrack17 --encoder vitpose-b.pth
    """
    from posecli.train.on_dataset import DEFAULT_RECIPE, on_dataset, run_folder
    from posecli.train.recipe import fields_of, load_recipe, parse_override

    if recipe is None and dataset is None:
        raise UsageError("give --dataset, --recipe or both")
    if split and dataset is None:
        raise UsageError("--split belongs to --dataset sub-jhmdb")
    changes = dict(parse_override(text) for text in set_)
    flags = {"model": model, "encoder": encoder, "cache_features": cache_features or None}
    named = {name: value for name, value in flags.items() if value is not None}
    loaded = load_recipe(recipe or DEFAULT_RECIPE, named | changes)
    check_device(device)
    use_threads(threads)
    if dataset is not None:
        loaded = on_dataset(loaded, dataset, split)
        output = output or run_folder(loaded, dataset, split)
    if output is None:
        raise UsageError("give the folder of the run with -o")
    _check_data(loaded, data)
    new_folders = [folder for folder in (output, *output.parents) if not folder.exists()]
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PosecliError(f"--output {output}: can't be made ({error.strerror})") from None
    if not resume and (output / "last.pt").exists():
        raise PosecliError(
            f"{output}: holds a run already; add --resume to go on with it, or choose another folder"
        )
    try:
        path = _run(
            loaded,
            data,
            output,
            cache or output / "cache",
            device,
            resume,
            workers,
            tensorboard,
            fields_of(named | changes),
        )
    except BaseException:
        with suppress(OSError):  # a run that never began leaves no empty folder
            for folder in new_folders:
                folder.rmdir()
        raise
    if path is not None:
        typer.echo(f"weights: {path}")


def _check_data(recipe: Recipe, data: Path | None) -> None:
    """Whether the recipe's datasets are somewhere: said before PyTorch is imported."""
    from posecli.data.datasets import DATASETS, find_data

    if data is not None and not data.is_dir():
        raise PosecliError(f"--data {data}: there is no such folder")
    for entry in recipe.data:
        if entry.name in DATASETS:
            find_data(entry.name, data)


def _run(
    recipe: Recipe,
    data: Path | None,
    output: Path,
    cache: Path,
    device: str,
    resume: bool,
    workers: int,
    tensorboard: bool | None,
    deliberate: set[str],
) -> Path | None:
    from posecli.cli.live import make_view
    from posecli.device import pick_device
    from posecli.train.distributed import join_processes
    from posecli.train.logs import tensorboard_logs
    from posecli.train.loop import train as run
    from posecli.train.observer import Observers
    from posecli.train.tasks import make_task

    with join_processes(pick_device(device)) as processes:
        say = typer.echo if processes.is_first else _say_nothing
        task = make_task(recipe, data, cache, processes.device, say)
        observer = Observers([make_view(), *tensorboard_logs(output / "tensorboard", tensorboard)])
        return run(
            task,
            recipe,
            output,
            processes.device,
            observer,
            resume=resume,
            workers=workers,
            processes=processes,
            deliberate=deliberate,
        )


def _say_nothing(text: str) -> None:
    """What processes other than the first have to say."""
