"""Options that say how a command speaks; they take effect when they are read, and no handler needs to pass them on."""

from __future__ import annotations

from typing import Annotated

import typer

from posecli.cli.console import MANNER, ProgressName


def _set_progress(value: ProgressName) -> ProgressName:
    MANNER.progress = value
    return value


def _set_log_json(value: bool) -> bool:
    MANNER.log_json = value
    return value


ProgressOption = Annotated[
    ProgressName,
    typer.Option(
        "--progress",
        metavar="NAME",
        help="auto: a bar on a terminal; json: a line of JSON twice a second, on standard error; none.",
        callback=_set_progress,
        is_eager=True,
    ),
]
LogJsonOption = Annotated[
    bool,
    typer.Option(
        "--log-json",
        help="Warnings, errors and the summary as lines of JSON, on standard error.",
        callback=_set_log_json,
        is_eager=True,
    ),
]
