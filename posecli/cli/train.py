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
    tensorboard: bool | None = typer.Option(
        None,
        "--tensorboard/--no-tensorboard",
        help="Logs in OUTPUT/tensorboard (default: if the package tensorboard is installed).",
    ),
) -> None:
    """Train a part of an embedded model by a recipe; logs, resumable checkpoints and weights go to OUTPUT.

    Example: posecli train --recipe glsmamba-t --data data -o run
    """
    from posecli.train.recipe import fields_of, load_recipe, parse_override

    changes = dict(parse_override(text) for text in set_)
    loaded = load_recipe(recipe, changes)
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
        _run(
            loaded,
            data,
            output,
            cache or output / "cache",
            device,
            resume,
            workers,
            threads,
            tensorboard,
            fields_of(changes),
        )
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
    tensorboard: bool | None,
    deliberate: set[str],
) -> None:
    use_threads(threads)

    from posecli.cli.live import make_view
    from posecli.device import pick_device
    from posecli.train.distributed import join_processes
    from posecli.train.logs import tensorboard_logs
    from posecli.train.loop import train as run
    from posecli.train.observer import Observers
    from posecli.train.tasks import make_task

    with join_processes(pick_device(device)) as processes:
        observer = Observers([make_view(), *tensorboard_logs(output / "tensorboard", tensorboard)])
        path = run(
            make_task(recipe, data, cache),
            recipe,
            output,
            processes.device,
            observer,
            resume=resume,
            workers=workers,
            processes=processes,
            deliberate=deliberate,
        )
    if path is not None:
        typer.echo(f"weights: {path}")
