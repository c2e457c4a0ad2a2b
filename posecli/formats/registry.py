"""Every format by name, which one a file is in, and the two doors: open_writer and read_poses."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import Any

from posecli.errors import PosecliError
from posecli.formats.base import Contents, Format, PoseWriter
from posecli.formats.coco import CocoWriter, read_coco
from posecli.formats.coco_results import CocoResultsWriter, read_coco_results
from posecli.formats.csv_tables import read_header
from posecli.formats.csv_tidy import CsvTidyWriter, read_csv_tidy
from posecli.formats.csv_wide import CsvWideWriter, read_csv_wide
from posecli.formats.document import read_document
from posecli.formats.posetrack17 import Posetrack17Writer, read_posetrack17
from posecli.formats.posetrack18 import Posetrack18Writer
from posecli.skeletons import Skeleton
from posecli.types import Recording, VideoInfo

FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        Format("coco", "COCO dataset style: one object of images and annotations", CocoWriter, read_coco),
        Format("coco-results", "COCO results: the bare list", CocoResultsWriter, read_coco_results),
        Format("posetrack17", "PoseTrack 2017: annolist, 15 joints", Posetrack17Writer, read_posetrack17),
        Format("posetrack18", "PoseTrack 2018: COCO style, 17 slots", Posetrack18Writer, read_coco),
        Format("csv", "tidy CSV: one row a joint", CsvTidyWriter, read_csv_tidy),
        Format("csv-wide", "wide CSV: one row a person and frame", CsvWideWriter, read_csv_wide),
    )
}

START_BYTES = 64  # enough to see what kind of file it is

# What a suffix means when no format is named. PoseTrack's forms are only chosen by name.
DEFAULT_BY_SUFFIX = {".json": "coco", ".csv": "csv"}


def open_writer(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    video: VideoInfo,
    skeleton: Skeleton,
    provenance: dict[str, Any],
) -> PoseWriter:
    """A writer of poses, to be used in a with block.

    Args:
        path: the file to write, replaced only when the block ends well.
        format: a name in FORMATS; None takes the suffix's default.
        skeleton: the joint order of the poses that will be written.
        provenance: what the file shall tell of its making (tool version, model, weights' sha256, arguments).

    Raises:
        PosecliError: unknown format or suffix, or a place that cannot be written.
    """
    name = format or _format_of_suffix(Path(path))
    return _format(name).open_writer(Path(path), Contents(video, skeleton, provenance))


def read_poses(path: str | os.PathLike[str], format: str | None = None) -> Recording:
    """Reads the poses of a video. Without a format, the file's contents tell which it is.

    Raises:
        PosecliError: there is no such file, its format is not known, or something in it is wrong (the message
            says where).
    """
    return _format(format or recognise(Path(path))).read(Path(path))


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise PosecliError(f"unknown format {name!r}: known are {', '.join(FORMATS)}")
    return FORMATS[name]


def _format_of_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in DEFAULT_BY_SUFFIX:
        raise PosecliError(
            f"{path}: no format is known by the suffix {suffix!r}; "
            f"use {' or '.join(DEFAULT_BY_SUFFIX)}, or name one of {', '.join(FORMATS)} with --format"
        )
    return DEFAULT_BY_SUFFIX[suffix]


def recognise(path: Path) -> str:
    """The name of the format that a file's contents show.

    Raises:
        PosecliError: it cannot be read, or is in no known form.
    """
    try:
        with path.open("rb") as file:
            start = file.read(START_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    except OSError as error:
        raise PosecliError(f"{path} cannot be read: {error.strerror}") from error
    if start.startswith(b"["):
        return "coco-results"
    if start.startswith(b"{"):
        return _recognise_object(path)
    if "frame" in (header := read_header(path)):
        return "csv" if "joint" in header else "csv-wide"
    raise PosecliError(f"{path}: not a file of poses; known formats are {', '.join(FORMATS)}")


def _recognise_object(path: Path) -> str:
    document = read_document(path)
    if document.has("annolist"):
        return "posetrack17"
    if not document.has("images"):
        document.fail('not a file of poses: an object with "images" or "annolist" expected')
    first = next(document["images"].items(), None)
    return "posetrack18" if first is not None and first.has("vid_id") else "coco"
