"""posecli render: poses from a file, drawn on their video."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from posecli.cli.console import count, progress, summary, warnings_in_one_line
from posecli.cli.manner import LogJsonOption, ProgressOption
from posecli.cli.options import ForceOption, FormatName, QuietOption, RotateOption, SourceArgument

if TYPE_CHECKING:
    from posecli.draw.heads import Heads
    from posecli.types import Recording, VideoInfo

ColourBy = Literal["side", "track"]
Background = Literal["video", "black"]
FALLBACK_RATE = 25.0  # frames a second, where neither the poses nor the video tell


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
            help="A video (.mp4, .mov, .mkv), a .gif, a picture (.png, .jpg), or a folder of pictures.",
        ),
    ],
    format_: Annotated[
        FormatName | None,
        typer.Option("--format", metavar="NAME", help="Of the poses, where the file does not show it."),
    ] = None,
    min_score: Annotated[
        float, typer.Option(metavar="SCORE", min=0, max=1, help="Leave out keypoints below.")
    ] = 0.2,
    color: Annotated[
        ColourBy,
        typer.Option(
            metavar="NAME", help="Of limbs: side (left orange, right blue) or track (one a person)."
        ),
    ] = "side",
    boxes: Annotated[bool, typer.Option("--boxes/--no-boxes", help="The people's boxes.")] = True,
    ids: Annotated[bool, typer.Option("--ids/--no-ids", help="The people's track ids.")] = True,
    names: Annotated[
        str | None,
        typer.Option(metavar="ID=NAME,...", help="People's names, or a file with one ID=NAME a line."),
    ] = None,
    trails: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JOINT:FRAMES", help="Where a joint was, right_wrist:30 for instance; repeatable."
        ),
    ] = None,
    anonymize: Annotated[
        bool, typer.Option("--anonymize", help="Blur the people's heads, for good.")
    ] = False,
    background: Annotated[
        Background, typer.Option(metavar="NAME", help="Behind the people: video or black.")
    ] = "video",
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="The picture on the left, the drawing on the right.")
    ] = False,
    scale: Annotated[
        float | None, typer.Option(metavar="FACTOR", min=0.01, max=16, help="Output size over input size.")
    ] = None,
    height: Annotated[
        int | None, typer.Option(metavar="PIXELS", min=16, max=16384, help="Of the output.")
    ] = None,
    crf: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=51, help="Quality of a video: 0 lossless, 18 fine, 28 small."),
    ] = 18,
    rotate: RotateOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    progress_: ProgressOption = "auto",
    log_json: LogJsonOption = False,
) -> None:
    """Draw the poses of a file on their video, with its sound and its timestamps.

    Example: posecli render clip.mp4 poses.json -o drawn.mp4
    """
    from posecli.draw import Layout, Renderer, Style
    from posecli.draw.names import read_names
    from posecli.draw.outputs import OutputOptions, open_output
    from posecli.draw.timeline import Timeline
    from posecli.draw.trails import read_trails
    from posecli.errors import UsageError
    from posecli.formats import read_poses
    from posecli.skeletons import SKELETONS
    from posecli.video import open_source

    if scale is not None and height is not None:
        raise UsageError("--scale and --height both tell the size: give one of them")
    layout = Layout(background, side_by_side, 1.0 if scale is None else scale, height)
    style = Style(min_score, boxes, ids, color, read_names(names) if names is not None else {})
    with warnings_in_one_line(quiet), open_source(source, rotate=rotate) as video:
        recording = read_poses(poses, format_)
        skeleton = SKELETONS[recording.skeleton]
        timeline = Timeline(recording, video.info, str(poses))
        renderer = Renderer(
            skeleton,
            style,
            layout,
            trails=read_trails(trails, skeleton) if trails else None,
            heads=_heads(recording, video.info) if anonymize else None,
        )
        size = layout.output_size(video.info.width, video.info.height)
        frames = 0
        with (
            open_output(output, source, video.info, OutputOptions(*size, crf, force)) as target,
            progress("render", video.info.frame_count, quiet=quiet) as advance,
        ):
            for frame in video.frames():
                target.write(renderer.render(frame, timeline.poses(frame)), frame)
                advance()
                frames += 1
            timeline.finish()
        for message in video.warnings:
            warnings.warn(message, stacklevel=1)
        if anonymize and renderer.unknown:
            missing = count(renderer.unknown, "frame", "frames")
            warnings.warn(f"{poses} lacks {missing}: faces there may be seen; look at them", stacklevel=1)
    summary(f"{output}: {count(frames, 'frame', 'frames')}", quiet=quiet)


def _heads(recording: Recording, info: VideoInfo) -> Heads:
    from posecli.draw.heads import Heads
    from posecli.skeletons import SKELETONS

    rate = recording.video.frame_rate or info.frame_rate or FALLBACK_RATE
    return Heads(recording.frames, SKELETONS[recording.skeleton], rate)
