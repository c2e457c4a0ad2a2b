"""Options that several commands share, so that they are spelled and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from posecli.detect.tracking import TrackerName
from posecli.device import Precision as Precision
from posecli.device import use_threads as use_threads
from posecli.errors import UsageError
from posecli.pipeline.window_modes import WindowChoice

FormatName = Literal[
    "coco", "coco-results", "posetrack17", "posetrack18", "csv", "csv-wide", "parquet", "parquet-wide", "npz",
    "deeplabcut", "deeplabcut-h5", "openpose", "alphapose", "mmpose", "trc",
]  # fmt: skip
MOST_THREADS = 1024
MOST_APART = 10  # frames between two looks of the detector: the pictures between are held
MOST_AT_ONCE = 1024  # frames or windows: beyond, memory runs out long before anything gets faster


def _rotation(value: str | int) -> int | None:
    text = str(value)  # a number, where a config file says it
    if text == "auto":
        return None
    if text not in ("0", "90", "180", "270"):
        raise UsageError(f"cannot rotate by {text}: give 0, 90, 180 or 270 degrees, or auto")
    return int(text)


SourceArgument = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="A video, a picture, a folder or pattern of pictures, or a URL."),
]
DetectorOption = Annotated[
    str, typer.Option(metavar="NAME", help="embedded, or an ultralytics model such as yolo11n.pt.")
]
ThresholdOption = Annotated[
    float, typer.Option(metavar="SCORE", min=0, max=1, help="The lowest detection score that counts.")
]
TrackerOption = Annotated[
    TrackerName,
    typer.Option(metavar="NAME", help="How people are told apart: bytetrack, ocsort, botsort or none."),
]
DetectEveryOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=MOST_APART,
        help="Detect people on every Nth frame only; the tracker and interpolation tell where they are between.",
    ),
]
DeviceOption = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:N or mps.")]
ThreadsOption = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        max=MOST_THREADS,
        help="CPU threads of the networks and of the video's decoder; 0: as many as cores.",
    ),
]
RotateOption = Annotated[
    int | None,
    typer.Option(
        metavar="DEGREES",
        parser=_rotation,
        help="Turn by 0, 90, 180 or 270 clockwise, whatever the file says of itself; auto is what it says.",
    ),
]
StartOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Begin here: seconds, or [HOURS:]MINUTES:SECONDS.")
]
EndOption = Annotated[str | None, typer.Option(metavar="TIME", help="End before this time.")]
StrideOption = Annotated[int, typer.Option(metavar="N", min=1, help="Only every Nth frame.")]
RoiOption = Annotated[
    str | None,
    typer.Option(
        metavar="X,Y,W,H", help="Look only there: pixels, or per cent of the picture (25%,0%,50%,100%)."
    ),
]
PersonOption = Annotated[
    str | None,
    typer.Option(
        metavar="WHO", help="Keep one: the largest of each frame, the one seen longest, or a track's id."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no summary and no warnings, only errors.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]
BoxesOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Take people's boxes from this file and detect nobody.")
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        metavar="NAME",
        help="Of the networks: fp32, bf16, or auto (bf16 where the hardware has it). Scans are always fp32.",
    ),
]
WindowsOption = Annotated[
    WindowChoice,
    typer.Option(
        metavar="NAME",
        help="How a person's frames are cut and encoded: tubelet, reuse, exact, or auto, the best trade for the model.",
    ),
]
ExactOption = Annotated[
    bool, typer.Option("--exact", help="Short for --windows exact: as the paper has it, slow.")
]
