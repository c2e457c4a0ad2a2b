"""posecli estimate: the keypoints of everyone in a video, or in many."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from posecli.cli.checks import check_device, check_model, check_pose_output
from posecli.cli.console import summary
from posecli.cli.manner import LogJsonOption, ProgressOption
from posecli.cli.options import (
    MOST_AT_ONCE,
    BoxesOption,
    DetectEveryOption,
    DetectorOption,
    DeviceOption,
    EndOption,
    ExactOption,
    ForceOption,
    FormatName,
    PersonOption,
    PrecisionOption,
    QuietOption,
    RoiOption,
    RotateOption,
    StartOption,
    StrideOption,
    ThreadsOption,
    ThresholdOption,
    TrackerOption,
    WindowsOption,
)
from posecli.detect.tracking import DEFAULT_THRESHOLD, DEFAULT_TRACKER
from posecli.errors import UsageError


def estimate(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="A video, a picture, a folder or pattern of pictures or videos, a URL, or - for a list of them.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The pose file to write (.json or .csv); of many videos, a folder for their files.",
        ),
    ],
    model: Annotated[
        str, typer.Option(metavar="NAME", help="A model's name, or a file that posecli train wrote.")
    ] = "glsmamba-t",
    format_: Annotated[
        FormatName | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="One of the formats that posecli convert knows; by the suffix unless given.",
        ),
    ] = None,
    detector: DetectorOption = "embedded",
    boxes: BoxesOption = None,
    threshold: ThresholdOption = DEFAULT_THRESHOLD,
    tracker: TrackerOption = DEFAULT_TRACKER,
    detect_every: DetectEveryOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    windows: WindowsOption = "auto",
    exact: ExactOption = False,
    batch: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=MOST_AT_ONCE, help="Windows of one person that run at once."),
    ] = 8,
    chunk: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=MOST_AT_ONCE, help="Frames that are read and detected at once."),
    ] = 8,
    threads: ThreadsOption = 0,
    rotate: RotateOption = None,
    start: StartOption = None,
    end: EndOption = None,
    stride: StrideOption = 1,
    roi: RoiOption = None,
    person: PersonOption = None,
    smooth: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:PARAMETER=VALUE,...]",
            help="Filter the keypoints: hampel, median, savitzky-golay, one-euro; several are applied in turn.",
        ),
    ] = None,
    flip: Annotated[
        bool,
        typer.Option(
            "--flip/--no-flip",
            help="Look at everyone's mirror image too; without it, half the model's work, less accurate.",
        ),
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped; leave what is done.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print what would be written from what, check it, and write nothing."),
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Many videos on the workers of Ray: local, auto, HOST:PORT or ray://HOST:PORT of a cluster.",
        ),
    ] = None,
    ray_workers: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="How many, each with its networks; 0: as many as there is room for."
        ),
    ] = 0,
    force: ForceOption = False,
    quiet: QuietOption = False,
    progress_: ProgressOption = "auto",
    log_json: LogJsonOption = False,
) -> None:
    """Find everyone in a video, follow them, and write their keypoints.

    Example: posecli estimate clip.mp4 -o poses.json

    Example: posecli estimate videos/ -o poses/
    """
    from posecli.cli.estimation import Estimation, Wishes
    from posecli.cli.on_ray import check_ray, estimate_on_ray
    from posecli.cli.plan import plan
    from posecli.formats.registry import FORMATS
    from posecli.pipeline.persons import check_person
    from posecli.pipeline.session import Settings
    from posecli.video.find import find_sources, read_list
    from posecli.video.part import Part

    if "-" in sources:
        listed = read_list(sys.stdin.buffer.read())
        sources = [name for source in sources for name in (listed if source == "-" else [source])]
    # The files of a format that is a folder lie in one for each video.
    is_folder = format_ is not None and FORMATS[format_].is_folder
    names_folder = output.endswith(("/", os.sep)) or Path(output).is_dir()
    into_folder = (names_folder and not is_folder) or len(sources) > 1
    found = [video for source in sources for video in find_sources(source, prefer_videos=into_folder)]
    into_folder = into_folder or (len(found) > 1 and (names_folder or not Path(output).suffix))
    if len(found) > 1 and not into_folder:
        raise UsageError(
            f"{sources[0]} holds {len(found)} videos: give a folder for their poses, {output}/ say"
        )
    if boxes is not None and len(found) > 1:
        raise UsageError("--boxes is of one video: give one")
    check_ray(ray, ray_workers, device, into_folder)
    if not into_folder:
        check_pose_output(Path(output), format_, found[0].source, boxes, force=force or resume)
    if person is not None:
        check_person(person)
    if exact and windows not in ("auto", "exact"):
        raise UsageError(f"--exact and --windows {windows}: give one of them")
    check_model(model)
    check_device(device)
    settings = Settings(
        model=model,
        detector=detector,
        boxes=boxes,
        threshold=threshold,
        tracker=tracker,
        detect_every=detect_every,
        device=device,
        precision=precision,
        windows="exact" if exact else windows,
        batch=batch,
        chunk=chunk,
        threads=threads,
        rotate=rotate,
        part=Part.parse(start, end, stride, roi),
        person=person,
        smooth=tuple(name for name in smooth or () if name != "none"),
        flip=flip,
    )
    wishes = Wishes(format=format_, resume=resume or into_folder, force=force, quiet=quiet)
    estimation = Estimation(settings, wishes)
    _ = estimation.session.smoother  # a filter that cannot be is said before the networks are loaded
    if into_folder:
        from posecli.cli.many import estimate_many, suffix_of
        from posecli.video.find import name_outputs

        jobs = name_outputs(found, suffix_of(format_))
        if dry_run:
            plan({Path(output) / place: source for place, source in jobs.items()}, settings, wishes)
        elif ray is not None:
            estimate_on_ray(jobs, Path(output), settings, wishes, ray, ray_workers)
        else:
            estimate_many(jobs, Path(output), estimation, quiet=quiet)
        return
    if dry_run:
        plan({Path(output): found[0].source}, settings, wishes)
        return
    outcome = estimation.run(found[0].source, Path(output))
    summary(f"{output}: {outcome}", quiet=quiet)
