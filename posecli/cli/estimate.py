"""posecli estimate: the keypoints of everyone in a video."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posecli.cli.checks import check_device, check_model, check_pose_output
from posecli.cli.console import Advance, count, progress, summary, warnings_in_one_line
from posecli.cli.options import (
    MOST_AT_ONCE,
    BoxesOption,
    DetectorOption,
    DeviceOption,
    FormatName,
    PrecisionOption,
    QuietOption,
    RotateOption,
    SourceArgument,
    ThreadsOption,
    ThresholdOption,
    TrackerOption,
    use_threads,
)
from posecli.detect.tracking import DEFAULT_THRESHOLD, DEFAULT_TRACKER

if TYPE_CHECKING:
    from posecli.detect.file import BoxFile
    from posecli.detect.protocol import Detector
    from posecli.formats import PoseWriter
    from posecli.types import Poses
    from posecli.weights.models import LoadedModel

# In these forms a joint's score is its own times its box's: the kits that read them rank joints by it alone.
RANKED_BY_BOX = ("posetrack17", "posetrack18")


def estimate(
    source: SourceArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The pose file to write (.json or .csv).")
    ],
    model: Annotated[
        str, typer.Option(metavar="NAME", help="A model's name, or a file that posecli train wrote.")
    ] = "glsmamba-t",
    format_: Annotated[
        FormatName | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="coco, coco-results, posetrack17, posetrack18, csv or csv-wide; by the suffix unless given.",
        ),
    ] = None,
    detector: DetectorOption = "embedded",
    boxes: BoxesOption = None,
    threshold: ThresholdOption = DEFAULT_THRESHOLD,
    tracker: TrackerOption = DEFAULT_TRACKER,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
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
    quiet: QuietOption = False,
) -> None:
    """Find everyone in a video, follow them, and write their keypoints.

    Example: posecli estimate clip.mp4 -o poses.json
    """
    from posecli.formats import open_writer
    from posecli.video import open_source

    check_pose_output(output, format_, source, boxes)
    check_model(model)
    check_device(device)
    started = time.perf_counter()
    with warnings_in_one_line(quiet), open_source(source, rotate=rotate) as video:
        box_file = _box_file(boxes, video.picture_names)
        # Only now PyTorch, which takes seconds to start.
        from posecli.device import pick_device, prefers_bf16

        use_threads(threads)
        chosen = pick_device(device)
        bf16 = prefers_bf16(chosen) if precision == "auto" else precision == "bf16"

        from posecli.detect import make_detector
        from posecli.detect.tracking import make_tracker
        from posecli.formats.base import weighted_by_box
        from posecli.pipeline.estimator import Options
        from posecli.pipeline.estimator import estimate as run
        from posecli.weights.models import load_model

        people = box_file or make_detector(detector, device=chosen, threshold=threshold, bf16=bf16)
        loaded = load_model(model)
        # Identities that are there are kept: then no tracker is needed, nor the wait for its package.
        identities = "file" if box_file and box_file.has_ids else tracker
        name = "none" if identities == "file" else tracker
        poses = run(
            video.frames(),
            people,
            make_tracker(name, video.info.frame_rate, threshold=threshold),
            loaded.model.to(chosen),
            Options(batch=batch, chunk=chunk, bf16=bf16),
        )
        writer = open_writer(
            output,
            format_,
            video=video.info,
            skeleton=loaded.model.config.joints,
            provenance=_provenance(source, loaded, people, identities, bf16),
        )
        if format_ in RANKED_BY_BOX:
            poses = map(weighted_by_box, poses)
        with writer, progress("estimate", video.info.frame_count, quiet=quiet) as advance:
            frames, persons = _write(poses, writer, advance)
        for message in video.warnings:
            warnings.warn(message, stacklevel=1)
    speed = frames / (time.perf_counter() - started)
    counts = f"{count(frames, 'frame', 'frames')}, {count(persons, 'pose', 'poses')}"
    summary(f"{output}: {counts}, {speed:.1f} frames/s", quiet=quiet)


def _write(poses: Iterable[Poses], writer: PoseWriter, advance: Advance) -> tuple[int, int]:
    """How many frames there were, and poses on them."""
    frames = persons = 0
    for frame in poses:
        writer.write(frame)
        advance(count(len(frame), "person", "people"))
        frames, persons = frames + 1, persons + len(frame)
    return frames, persons


def _box_file(path: Path | None, names: list[str] | None) -> BoxFile | None:
    from posecli.detect.file import BoxFile

    return None if path is None else BoxFile(path, names)


def _provenance(
    source: str, loaded: LoadedModel, people: Detector | BoxFile, tracker: str, bf16: bool
) -> dict[str, Any]:
    from posecli import __version__

    return {
        "tool": "posecli",
        "version": __version__,
        "command": "estimate",
        "source": source,
        "model": {"name": loaded.name, "sha256": loaded.sha256, "precision": "bf16" if bf16 else "fp32"},
        "detector": people.provenance(),
        "tracker": tracker,
    }
