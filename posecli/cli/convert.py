"""posecli convert: poses from one file format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posecli.cli.checks import check_pose_output
from posecli.cli.console import count, summary, warnings_in_one_line
from posecli.cli.manner import LogJsonOption
from posecli.cli.options import ForceOption, FormatName, QuietOption


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="POSES", help="The file, or OpenPose's folder, in any format.")
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The file to write.")],
    from_: Annotated[
        FormatName | None,
        typer.Option("--from", metavar="NAME", help="Of the source, where its contents do not show it."),
    ] = None,
    to: Annotated[
        FormatName | None,
        typer.Option("--to", metavar="NAME", help="Of the target; by its suffix unless given."),
    ] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    log_json: LogJsonOption = False,
) -> None:
    """Write poses in another format. Nothing is written where the source has a mistake.

    Example: posecli convert poses.json poses.csv
    """
    from posecli.formats.convert import convert as run

    check_pose_output(target, to, source, force=force, flag="--to")
    with warnings_in_one_line(quiet):
        frames, people = run(source, target, from_format=from_, to_format=to)
    counts = f"{count(frames, 'frame', 'frames')}, {count(people, 'pose', 'poses')}"
    summary(f"{target}: {counts}", quiet=quiet)
