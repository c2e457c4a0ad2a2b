"""posecli detect: people's boxes, with identities, into a file that estimate, train and eval read."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posecli.cli.checks import check_device, check_output
from posecli.cli.console import count, progress, summary, warnings_in_one_line
from posecli.cli.manner import LogJsonOption, ProgressOption
from posecli.cli.options import (
    DetectorOption,
    DeviceOption,
    ForceOption,
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
    from posecli.detect.protocol import Detector
    from posecli.types import Boxes, Frame, Tracks


def detect(
    source: SourceArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The boxes file to write (JSON).")
    ],
    detector: DetectorOption = "embedded",
    threshold: ThresholdOption = DEFAULT_THRESHOLD,
    tracker: TrackerOption = DEFAULT_TRACKER,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
    rotate: RotateOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    progress_: ProgressOption = "auto",
    log_json: LogJsonOption = False,
) -> None:
    """Find the people of a video, and who is who, and write their boxes.

    Example: posecli detect clip.mp4 -o boxes.json
    """
    from posecli.detect import make_detector
    from posecli.formats.boxes import BoxWriter
    from posecli.video import open_source

    check_output(output, source, what="boxes file", force=force)
    check_device(device)
    with warnings_in_one_line(quiet), open_source(source, rotate=rotate, threads=threads) as video:
        # Only now PyTorch, which takes seconds to start.
        from posecli.device import pick_device, prefers_bf16

        use_threads(threads)
        chosen = pick_device(device)
        bf16 = prefers_bf16(chosen)
        finder = make_detector(detector, device=chosen, threshold=threshold, bf16=bf16)
        located = _located(video.frames(), finder, tracker, video.info.frame_rate, threshold)
        frames = found = 0
        with (
            BoxWriter(output, video=video.info, provenance=_provenance(finder, tracker, source)) as writer,
            progress("detect", video.info.frame_count, quiet=quiet) as advance,
        ):
            for frame, boxes in located:
                writer.write(frame, boxes)
                advance(count(len(boxes), "person", "people"))
                frames, found = frames + 1, found + len(boxes)
        for message in video.warnings:
            warnings.warn(message, stacklevel=1)
    counts = f"{count(frames, 'frame', 'frames')}, {count(found, 'box', 'boxes')}"
    summary(f"{output}: {counts}", quiet=quiet)


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
