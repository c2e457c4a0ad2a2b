"""posecli estimate: the keypoints of everyone in a video."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from posecli.cli.console import progress, warnings_in_one_line
from posecli.detect.tracking import DEFAULT_THRESHOLD, DEFAULT_TRACKER, TrackerName
from posecli.errors import UsageError

if TYPE_CHECKING:
    from posecli.detect.file import BoxFile
    from posecli.detect.protocol import Detector
    from posecli.types import Poses, VideoInfo
    from posecli.video import Source
    from posecli.weights.models import LoadedModel

FormatName = Literal["coco", "coco-results", "posetrack17", "posetrack18", "csv", "csv-wide"]
Precision = Literal["auto", "fp32", "bf16"]


def estimate(
    source: Annotated[
        str, typer.Argument(help="A video, a picture, a folder or pattern of pictures, or a URL.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The pose file to write (.json or .csv).")],
    model: Annotated[
        str, typer.Option(help="A model's name, or a file that posecli train wrote.")
    ] = "glsmamba-t",
    format_: Annotated[
        FormatName | None, typer.Option("--format", help="The file's format (default: from its suffix).")
    ] = None,
    detector: Annotated[
        str, typer.Option(help="embedded, or an ultralytics model such as yolo11n.pt.")
    ] = "embedded",
    boxes: Annotated[
        Path | None, typer.Option(help="Take people's boxes from this file, detect nobody.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="The lowest detection score that counts.")
    ] = DEFAULT_THRESHOLD,
    tracker: Annotated[
        TrackerName, typer.Option(help="How people are told apart over time.")
    ] = DEFAULT_TRACKER,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:N or mps.")] = "auto",
    precision: Annotated[
        Precision,
        typer.Option(help="Of the networks; scans are always fp32. auto: bf16 where the hardware has it."),
    ] = "auto",
    batch: Annotated[int, typer.Option(min=1, help="Windows of one person that run at once.")] = 8,
    chunk: Annotated[int, typer.Option(min=1, help="Frames that are read and detected at once.")] = 8,
    rotate: Annotated[
        int | None, typer.Option(help="Turn by 0, 90, 180 or 270 degrees clockwise, whatever the file says.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, no summary and no warnings.")
    ] = False,
) -> None:
    """Find everyone in a video, follow them, and write their keypoints.

    Example: posecli estimate clip.mp4 -o poses.json
    """
    from posecli.detect.tracking import make_tracker
    from posecli.device import pick_device, prefers_bf16
    from posecli.formats import open_writer
    from posecli.pipeline.estimator import Options
    from posecli.pipeline.estimator import estimate as run
    from posecli.video import open_source
    from posecli.weights.models import load_model

    if output.is_dir():
        raise UsageError(f"{output} is a folder: give the name of the pose file with -o")
    started = time.perf_counter()
    chosen = pick_device(device)
    bf16 = prefers_bf16(chosen) if precision == "auto" else precision == "bf16"
    with warnings_in_one_line(quiet), open_source(source, rotate=rotate) as video:
        people = _people(video, detector, boxes, chosen, threshold)
        loaded = load_model(model)
        provenance = _provenance(source, loaded, people, tracker, bf16)
        skeleton = loaded.model.config.joints
        with open_writer(
            output, format_, video=video.info, skeleton=skeleton, provenance=provenance
        ) as writer:
            poses = run(
                video.frames(),
                people,
                make_tracker(tracker, video.info.frame_rate, threshold=threshold),
                loaded.model.to(chosen),
                Options(batch=batch, chunk=chunk, bf16=bf16),
            )
            frames = persons = 0
            for frame in _with_progress(poses, video.info, quiet):
                writer.write(frame)
                frames, persons = frames + 1, persons + len(frame)
        for message in video.warnings:
            warnings.warn(message, stacklevel=1)
    if not quiet:
        seconds = time.perf_counter() - started
        typer.echo(f"{output}: {frames} frames, {persons} poses, {frames / seconds:.1f} frames/s", err=True)


def _people(
    source: Source, detector: str, boxes: Path | None, device: Any, threshold: float
) -> Detector | BoxFile:
    if boxes is not None:
        from posecli.detect.file import BoxFile

        return BoxFile(boxes, source.picture_names)
    from posecli.detect import make_detector

    return make_detector(detector, device=device, threshold=threshold)


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


def _with_progress(poses: Iterable[Poses], info: VideoInfo, quiet: bool) -> Iterator[Poses]:
    """The poses, counted on standard error while that is a terminal."""
    with progress("estimate", quiet, "speed", "people") as bar:
        task = bar.add_task("", total=info.frame_count, speed="", people="")
        started = time.perf_counter()
        for number, frame in enumerate(poses, 1):
            speed = number / (time.perf_counter() - started)
            bar.update(task, advance=1, speed=f"{speed:.1f} frames/s", people=f"{len(frame)} people")
            yield frame
