"""Every format by name, which one a file is in, and the doors: open_writer, open_poses and read_poses."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from posecli.errors import PosecliError
from posecli.formats import parquet, scored, trc
from posecli.formats.alphapose import AlphaposeWriter, open_alphapose
from posecli.formats.base import Contents, PoseWriter
from posecli.formats.coco import CocoWriter, open_coco
from posecli.formats.coco_results import CocoResultsWriter, open_coco_results
from posecli.formats.csv_file import CsvWriter, open_csv, read_header
from posecli.formats.deeplabcut import DeeplabcutWriter, open_deeplabcut
from posecli.formats.deeplabcut_h5 import DeeplabcutH5Writer, open_deeplabcut_h5
from posecli.formats.document import Node
from posecli.formats.json_stream import open_document
from posecli.formats.mmpose import MmposeWriter, open_mmpose
from posecli.formats.npz import NpzWriter, open_npz
from posecli.formats.openpose import OpenposeWriter, open_openpose
from posecli.formats.parquet import ParquetWriter, open_parquet
from posecli.formats.posetrack17 import Posetrack17Writer, open_posetrack17
from posecli.formats.posetrack18 import Posetrack18Writer
from posecli.formats.stream import Entry, PoseStream, collected
from posecli.formats.tidy import TidyLayout
from posecli.formats.trc import TrcWriter, open_trc
from posecli.formats.wide import WideLayout
from posecli.skeletons import COCO, POSETRACK17, POSETRACK18, Skeleton
from posecli.types import Recording, VideoInfo


@dataclass(frozen=True, slots=True)
class Format:
    """One entry of the registry."""

    name: str
    summary: str
    open_writer: Callable[[Path, Contents], PoseWriter]
    open: Callable[[Path, Entry], PoseStream]
    skeleton: Skeleton | None = None  # the only one that it holds; other poses are converted to it
    loss: str = ""  # what else is not read back as it was written, even with the file beside
    has_sidecar: bool = False
    is_folder: bool = False
    needs_ids: bool = False  # whether two people of a picture must have different track ids
    columns: Callable[[Path], list[str]] | None = None  # of tables, reads the columns' names


_TIDY, _WIDE = TidyLayout(), WideLayout()

FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        Format("coco", "COCO dataset style: one object of images and annotations", CocoWriter, open_coco),
        Format(
            "coco-results", "COCO results: the bare list", CocoResultsWriter, open_coco_results,
            skeleton=COCO, has_sidecar=True,
        ),
        Format(
            "posetrack17", "PoseTrack 2017: annolist, 15 joints", Posetrack17Writer, open_posetrack17,
            skeleton=POSETRACK17,
        ),
        Format(
            "posetrack18", "PoseTrack 2018: COCO style, 17 slots", Posetrack18Writer, open_coco,
            skeleton=POSETRACK18,
        ),
        Format(
            "csv", "tidy CSV: one row a joint",
            partial(CsvWriter, layout=_TIDY), partial(open_csv, layout=_TIDY),
            has_sidecar=True, needs_ids=True, columns=read_header,
        ),
        Format(
            "csv-wide", "wide CSV: one row a person and frame",
            partial(CsvWriter, layout=_WIDE), partial(open_csv, layout=_WIDE),
            has_sidecar=True, columns=read_header,
        ),
        Format(
            "parquet", "tidy Parquet: one row a joint",
            partial(ParquetWriter, layout=_TIDY), partial(open_parquet, layout=_TIDY),
            has_sidecar=True, needs_ids=True, columns=parquet.read_columns,
        ),
        Format(
            "parquet-wide", "wide Parquet: one row a person and frame",
            partial(ParquetWriter, layout=_WIDE), partial(open_parquet, layout=_WIDE),
            has_sidecar=True, columns=parquet.read_columns,
        ),
        Format("npz", "numpy's arrays", NpzWriter, open_npz),
        Format(
            "deeplabcut", "DeepLabCut's CSV: one row a frame", DeeplabcutWriter, open_deeplabcut,
            has_sidecar=True, needs_ids=True,
        ),
        Format(
            "deeplabcut-h5", "DeepLabCut's HDF5", DeeplabcutH5Writer, open_deeplabcut_h5,
            has_sidecar=True, needs_ids=True,
        ),
        Format(
            "openpose", "OpenPose's JSON: a folder with one file a frame", OpenposeWriter, open_openpose,
            skeleton=COCO, loss=scored.LOSS, has_sidecar=True, is_folder=True, needs_ids=True,
        ),
        Format(
            "alphapose", "AlphaPose's list of results", AlphaposeWriter, open_alphapose,
            skeleton=COCO, loss=scored.LOSS, has_sidecar=True,
        ),
        Format("mmpose", "MMPose's predictions: one entry a frame", MmposeWriter, open_mmpose),
        Format(
            "trc", "TRC: markers over time, as OpenSim and Sports2D have it", TrcWriter, open_trc,
            has_sidecar=True, needs_ids=True,
        ),
    )
}  # fmt: skip

START_BYTES = 64  # enough to see what kind of file it is

# What a suffix means when no format is named. Other formats of a suffix are only chosen by name.
DEFAULT_BY_SUFFIX = {
    ".json": "coco",
    ".csv": "csv",
    ".parquet": "parquet",
    ".npz": "npz",
    ".h5": "deeplabcut-h5",
    ".trc": "trc",
}


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
    name = format or format_of_suffix(Path(path))
    return format_named(name).open_writer(Path(path), Contents(video, skeleton, provenance))


def open_poses(
    path: str | os.PathLike[str], format: str | None = None, *, entry: Entry = nullcontext
) -> PoseStream:
    """Opens the poses of a video: its pictures are read one by one as they are asked for, in order.

    Of files in that order (all that posecli writes) memory holds a little of each picture, and where boxes stand in
    a file beside, those; of others all people.

    Args:
        format: a name in FORMATS; None: the file's contents tell which it is.
        entry: a block in which every entry of the file is parsed; it may swallow a PosecliError.

    Raises:
        PosecliError: there is no such file, its format is not known, or something in it is wrong (the message
            says where; it may come while the pictures are read).
    """
    return format_named(format or recognise(Path(path))).open(Path(path), entry)


def read_poses(path: str | os.PathLike[str], format: str | None = None) -> Recording:
    """Reads the poses of a video into memory. Without a format, the file's contents tell which it is.

    Raises:
        PosecliError: there is no such file, its format is not known, or something in it is wrong (the message
            says where).
    """
    return collected(open_poses(path, format))


def format_named(name: str) -> Format:
    """The entry of the registry.

    Raises:
        PosecliError: there is none of that name.
    """
    if name not in FORMATS:
        raise PosecliError(f"unknown format {name!r}: known are {', '.join(FORMATS)}")
    return FORMATS[name]


def format_of_suffix(path: Path) -> str:
    """The format that is written to a file of this name.

    Raises:
        PosecliError: the suffix tells none.
    """
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
    if path.is_dir():
        return "openpose"
    try:
        with path.open("rb") as file:
            start = file.read(START_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    except OSError as error:
        raise PosecliError(f"{path} cannot be read: {error.strerror}") from error
    if start.startswith(b"["):
        return _recognise_list(path)
    if start.startswith(b"{"):
        return _recognise_object(path)
    for magic, name in ((b"PK\x03\x04", "npz"), (b"\x89HDF", "deeplabcut-h5"), (trc.START.encode(), "trc")):
        if start.startswith(magic):
            return name
    if start.startswith(b"PAR1"):
        return "parquet" if "joint" in parquet.read_columns(path) else "parquet-wide"
    header = read_header(path)
    if header[:1] == ["scorer"]:
        return "deeplabcut"
    if "frame" in header:
        return "csv" if "joint" in header else "csv-wide"
    raise PosecliError(f"{path}: not a file of poses; known formats are {', '.join(FORMATS)}")


def _recognise_list(path: Path) -> str:
    first = next(open_document(path).items(), Node({}, path))
    if first.has("instances"):
        return "mmpose"
    is_alphapose = first.has("image_id") and first.has("keypoints") and (first.has("box") or first.has("idx"))
    return "alphapose" if is_alphapose else "coco-results"


def _recognise_object(path: Path) -> str:
    document = open_document(path)
    for key, name in (("annolist", "posetrack17"), ("instance_info", "mmpose"), ("people", "openpose")):
        if document.has(key):
            return name
    if not document.has("images"):
        document.fail('not a file of poses: an object with "images" or "annolist" expected')
    first = next(document["images"].items(), None)
    return "posetrack18" if first is not None and first.has("vid_id") else "coco"
