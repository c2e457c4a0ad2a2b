"""posecli estimate --dry-run: what would be written from what, without running a network or writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from posecli.cli.checks import check_absent
from posecli.cli.console import count, say
from posecli.cli.exits import explain
from posecli.errors import PosecliError

if TYPE_CHECKING:
    from posecli.cli.estimation import Wishes
    from posecli.pipeline.session import Settings
    from posecli.types import VideoInfo


def plan(jobs: Mapping[Path, str], settings: Settings, wishes: Wishes) -> None:
    """A line for each video on standard output: SOURCE -> OUTPUT and what the video is.

    Args:
        jobs: outputs with their sources.

    Raises:
        PosecliError: some could not be done; standard error says which and why.
        UsageError: the model cannot answer in the mode that is asked for.
    """
    from posecli.pipeline.session import Session

    if settings.windows == "tubelet":  # the others are for every model: it need not be loaded
        _ = Session(settings).windows
    failed = 0
    for output, source in jobs.items():
        try:
            info = _examine(source, output, settings, wishes)
        except Exception as error:
            failed += 1
            say("error", f"{source}: {explain(error)[0]}")
        else:
            note = " (there already: replaced, or left if it is done)" if output.exists() else ""
            typer.echo(f"{source} -> {output}: {_described(info)}{note}")
    if failed:
        raise PosecliError(f"{failed} of {count(len(jobs), 'video', 'videos')} would fail")


def _examine(source: str, output: Path, settings: Settings, wishes: Wishes) -> VideoInfo:
    """Opens what would be read, as far as its header."""
    from posecli.detect.file import BoxFile
    from posecli.pipeline.session import Session

    with Session(settings).open(source) as video:
        if settings.boxes is not None:
            BoxFile(settings.boxes, video.picture_names)
        if not (wishes.force or wishes.resume):
            check_absent(output)
        return video.info


def _described(info: VideoInfo) -> str:
    frames = "frames unknown" if info.frame_count is None else count(info.frame_count, "frame", "frames")
    rate = "" if info.frame_rate is None else f", {info.frame_rate:g} frames/s"
    return f"{info.width} x {info.height}, {frames}{rate}"
