"""posecli detect: people's boxes, with identities, into a file that estimate, train and eval read."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posecli.cli.console import progress, warnings_in_one_line
from posecli.detect.tracking import DEFAULT_THRESHOLD, DEFAULT_TRACKER, TrackerName
from posecli.errors import UsageError

if TYPE_CHECKING:
    from posecli.detect.protocol import Detector
    from posecli.types import Boxes, Frame, Tracks, VideoInfo


def detect(
    source: Annotated[
        str, typer.Argument(help="A video, a picture, a folder or pattern of pictures, or a URL.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The boxes file to write (JSON).")],
    detector: Annotated[
        str, typer.Option(help="embedded, or an ultralytics model such as yolo11n.pt.")
    ] = "embedded",
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="The lowest score that counts.")
    ] = DEFAULT_THRESHOLD,
    tracker: Annotated[
        TrackerName, typer.Option(help="How people are told apart; none writes boxes without ids.")
    ] = DEFAULT_TRACKER,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:N or mps.")] = "auto",
    rotate: Annotated[
        int | None, typer.Option(help="Turn by 0, 90, 180 or 270 degrees clockwise, whatever the file says.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings.")] = False,
) -> None:
    """Find the people of a video, and who is who, and write their boxes."""
    from posecli.detect import make_detector
    from posecli.device import pick_device
    from posecli.formats.boxes import BoxWriter
    from posecli.video import open_source

    if output.is_dir():
        raise UsageError(f"{output} is a folder: give the name of the boxes file with -o")
    with warnings_in_one_line(quiet), open_source(source, rotate=rotate) as video:
        people_finder = make_detector(detector, device=pick_device(device), threshold=threshold)
        provenance = _provenance(people_finder, tracker, source)
        with BoxWriter(output, video=video.info, provenance=provenance) as writer:
            frames = _with_progress(video.frames(), video.info, quiet)
            for frame, boxes in _located(frames, people_finder, tracker, video.info.frame_rate, threshold):
                writer.write(frame, boxes)
        for message in video.warnings:
            warnings.warn(message, stacklevel=1)


def _located(
    frames: Iterable[Frame], detector: Detector, tracker: str, frame_rate: float | None, threshold: float
) -> Iterator[tuple[Frame, Boxes | Tracks]]:
    from posecli.detect.stream import detect_people, track_people
    from posecli.detect.tracking import make_tracker

    detected = detect_people(frames, detector)
    if tracker == "none":
        return detected
    return track_people(detected, make_tracker(tracker, frame_rate, threshold=threshold))


def _provenance(detector: Detector, tracker: str, source: str) -> dict[str, Any]:
    from posecli import __version__

    return {
        "tool": "posecli",
        "version": __version__,
        "command": "detect",
        "source": source,
        "detector": detector.provenance(),
        "tracker": tracker,
    }


def _with_progress(frames: Iterable[Frame], info: VideoInfo, quiet: bool) -> Iterator[Frame]:
    """The frames, counted on standard error while that is a terminal."""
    with progress("detect", quiet) as bar:
        yield from bar.track(frames, total=info.frame_count)
