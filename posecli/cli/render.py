"""posecli render: poses from a file, drawn on their video."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def render(
    source: Annotated[
        str, typer.Argument(help="The video, picture, or folder or pattern of pictures of the poses.")
    ],
    poses: Annotated[Path, typer.Argument(help="The poses, in any format that estimate writes.")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="A video (.mp4, .mov, .mkv), a picture (.png, .jpg), or a folder.",
        ),
    ],
    format: Annotated[
        str | None, typer.Option(help="The format of the poses, where the file does not show it.")
    ] = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Leave out keypoints below.")] = 0.2,
    boxes: Annotated[bool, typer.Option("--boxes/--no-boxes", help="The people's boxes.")] = True,
    ids: Annotated[bool, typer.Option("--ids/--no-ids", help="The people's track ids.")] = True,
    skeleton_only: Annotated[bool, typer.Option("--skeleton-only", help="On black.")] = False,
    rotate: Annotated[
        int | None, typer.Option(help="Turn by 0, 90, 180 or 270 degrees clockwise, whatever the file says.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings.")] = False,
) -> None:
    """Draw the poses of a file on their video, with its sound and its timestamps."""
    import numpy as np

    from posecli.cli.progress import with_progress
    from posecli.draw import Style, draw_poses
    from posecli.draw.outputs import open_output
    from posecli.draw.timeline import Timeline
    from posecli.formats import read_poses
    from posecli.skeletons import SKELETONS
    from posecli.video import open_source

    recording = read_poses(poses, format)
    skeleton = SKELETONS[recording.skeleton]
    style = Style(min_score, boxes, ids)
    with open_source(source, rotate=rotate) as video:
        timeline = Timeline(recording, video.info, str(poses))
        with open_output(output, source, video.info) as target:
            for frame in with_progress(video.frames(), "render", video.info.frame_count, quiet=quiet):
                canvas = np.zeros_like(frame.image) if skeleton_only else frame.image
                people = timeline.poses(frame)
                target.write(draw_poses(canvas, people, skeleton, style) if people else canvas, frame)
            timeline.finish()
        for message in [] if quiet else video.warnings:
            print(f"posecli: warning: {message}", file=sys.stderr)
