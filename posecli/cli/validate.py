"""posecli validate: what is wrong with a file of poses, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posecli.cli.console import count, one_line
from posecli.cli.manner import LogJsonOption
from posecli.cli.options import FormatName, QuietOption

MOST_PROBLEMS = 1_000_000


def validate(
    poses: Annotated[Path, typer.Argument(metavar="POSES", help="The file, or OpenPose's folder.")],
    format_: Annotated[
        FormatName | None,
        typer.Option("--format", metavar="NAME", help="Its format, where its contents do not show it."),
    ] = None,
    most: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_PROBLEMS, help="How many problems are shown.")
    ] = 20,
    quiet: QuietOption = False,
    log_json: LogJsonOption = False,
) -> None:
    """Say what is wrong with a file of poses, a line each; exit code 1 where something is.

    The pictures and videos that it names are not looked for.

    Example: posecli validate poses.json
    """
    from posecli.formats.validate import validate as run

    found = run(poses, format_, most=most)
    for problem in found.problems:
        typer.echo(one_line(problem))
    if found.problems:
        more = "or more " if found.is_cut else ""
        typer.echo(
            f"posecli: {poses}: {len(found.problems)} {more}"
            f"{'problem' if len(found.problems) == 1 and not more else 'problems'}",
            err=True,
        )
        raise typer.Exit(1)
    if not quiet:
        counts = f"{count(found.frames, 'frame', 'frames')}, {count(found.people, 'pose', 'poses')}"
        typer.echo(f"{poses}: {found.format}, {counts}, nothing is wrong")
