"""posecli view: poses on their video as a page to look at and to correct them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from posecli.cli.checks import check_output
from posecli.cli.console import count, summary, warnings_in_one_line
from posecli.cli.manner import LogJsonOption
from posecli.cli.options import ForceOption, FormatName, QuietOption, RotateOption


def view(
    poses: Annotated[
        Path, typer.Argument(metavar="POSES", help="The poses, in any format that estimate writes.")
    ],
    video: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Their video or pictures; without, they stand on black."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page; POSES with the suffix .html without."),
    ] = None,
    format_: Annotated[
        FormatName | None,
        typer.Option("--format", metavar="NAME", help="Of the poses, where the file does not show it."),
    ] = None,
    embed: Annotated[
        bool | None,
        typer.Option(
            "--embed/--link",
            help="The video inside the page, or where it is now; without either, up to 32 MiB are embedded.",
        ),
    ] = None,
    rotate: RotateOption = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
    log_json: LogJsonOption = False,
) -> None:
    """Write one HTML page with the poses on their video, timelines, plots, and tools to correct them.

    Example: posecli view poses.json --video clip.mp4 -o page.html
    """
    from posecli.formats import read_poses
    from posecli.view import write_page
    from posecli.view.footage import prepare
    from posecli.view.matching import match

    page = output or poses.with_suffix(".html")
    check_output(page, poses, video, what="page", force=force)
    with warnings_in_one_line(quiet):
        recording = match(read_poses(poses, format_), str(poses), video, rotate)
        footage = prepare(video, page, embed=embed, rotate=rotate) if video else nullcontext()
        with footage as prepared:
            write_page(page, recording, str(poses), prepared)
    if open_:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    summary(f"{page}: {count(len(recording.frames), 'frame', 'frames')}", quiet=quiet)
