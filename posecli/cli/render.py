"""posecli render: poses from a file, drawn on their video."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from posecli.cli.console import count, progress, summary, warnings_in_one_line
from posecli.cli.options import FormatName, QuietOption, RotateOption, SourceArgument


def render(
    source: SourceArgument,
    poses: Annotated[
        Path, typer.Argument(metavar="POSES", help="The poses, in any format that estimate writes.")
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A video (.mp4, .mov, .mkv), a picture (.png, .jpg), or a folder.",
        ),
    ],
    format_: Annotated[
        FormatName | None,
        typer.Option("--format", metavar="NAME", help="Of the poses, where the file does not show it."),
    ] = None,
    min_score: Annotated[
        float, typer.Option(metavar="SCORE", min=0, max=1, help="Leave out keypoints below.")
    ] = 0.2,
    boxes: Annotated[bool, typer.Option("--boxes/--no-boxes", help="The people's boxes.")] = True,
    ids: Annotated[bool, typer.Option("--ids/--no-ids", help="The people's track ids.")] = True,
    skeleton_only: Annotated[
        bool, typer.Option("--skeleton-only", help="On black instead of the pictures.")
    ] = False,
    rotate: RotateOption = None,
    quiet: QuietOption = False,
) -> None:
    """Draw the poses of a file on their video, with its sound and its timestamps.

    Example: posecli render clip.mp4 poses.json -o drawn.mp4
    """
    import numpy as np

    from posecli.draw import Style, draw_poses
    from posecli.draw.outputs import open_output
    from posecli.draw.timeline import Timeline
    from posecli.formats import read_poses
    from posecli.skeletons import SKELETONS
    from posecli.video import open_source

    with warnings_in_one_line(quiet), open_source(source, rotate=rotate) as video:
        recording = read_poses(poses, format_)
        skeleton = SKELETONS[recording.skeleton]
        style = Style(min_score, boxes, ids)
        timeline = Timeline(recording, video.info, str(poses))
        frames = 0
        with (
            open_output(output, source, video.info) as target,
            progress("render", video.info.frame_count, quiet=quiet) as advance,
        ):
            for frame in video.frames():
                canvas = np.zeros_like(frame.image) if skeleton_only else frame.image
                people = timeline.poses(frame)
                target.write(draw_poses(canvas, people, skeleton, style) if people else canvas, frame)
                advance()
                frames += 1
            timeline.finish()
        for message in video.warnings:
            warnings.warn(message, stacklevel=1)
    summary(f"{output}: {count(frames, 'frame', 'frames')}", quiet=quiet)
