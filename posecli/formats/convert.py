"""From one format to another, one picture after the other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from posecli.formats.base import repeated
from posecli.formats.raw import open_smoothed
from posecli.formats.registry import Format, format_named, format_of_suffix, open_poses, open_writer
from posecli.formats.smoothed import keeps_raw, open_smoothed_writer
from posecli.formats.stream import PoseStream
from posecli.types import Poses

RAW_KEYPOINTS = "the keypoints before they were smoothed"


def convert(
    source: Path, target: Path, *, from_format: str | None = None, to_format: str | None = None
) -> tuple[int, int]:
    """Writes the poses of a file in another format; says in a warning what that one has no room for.

    What a file of smoothed poses keeps beside them (posecli.formats.smoothed) goes along.

    Args:
        from_format: None: the file's contents tell it.
        to_format: None: the target's suffix tells it.

    Returns:
        How many frames there were, and poses on them.

    Raises:
        PosecliError: the source has a mistake (then nothing is written), or a place or format that cannot be.
    """
    format = format_named(to_format or format_of_suffix(target))
    smoothed = open_smoothed(source, from_format)
    stream, measures = smoothed or (open_poses(source, from_format), ())
    _warn_of_losses(stream, format, [RAW_KEYPOINTS, *measures] if smoothed else [])
    poses = _told_apart(stream.poses, format) if format.needs_ids else stream.poses
    contents: Any = {"video": stream.video, "skeleton": stream.skeleton, "provenance": stream.provenance}
    if smoothed:
        contents["measures"] = measures if format.columns else ()
    writer = (open_smoothed_writer if smoothed else open_writer)(target, format.name, **contents)
    frames = people = 0
    with writer:
        for frame in poses:
            writer.write(frame)
            frames, people = frames + 1, people + len(frame)
    return frames, people


def _warn_of_losses(stream: PoseStream, format: Format, kept: list[str]) -> None:
    """Says what there is no place for.

    Args:
        kept: what the source keeps beside its smoothed keypoints.
    """
    lost = (
        []
        if format.skeleton is None
        else [name for name in stream.skeleton.keypoints if name not in format.skeleton.keypoints]
    )
    lost += [name for name in kept if not (format.columns or (name == RAW_KEYPOINTS and keeps_raw(format)))]
    if lost:
        warnings.warn(f"{format.name} has no place for {', '.join(lost)}: left out", stacklevel=3)


def _told_apart(poses: Iterator[Poses], format: Format) -> Iterator[Poses]:
    """People who share a track id (or have none) numbered on each picture, for formats that go by it."""
    has_warned = False
    for frame in poses:
        if repeated(frame.tracks.ids) is None:
            yield frame
            continue
        if not has_warned:
            warnings.warn(
                f"the people have no track ids, and {format.name} tells them apart by those: they are numbered on "
                "each picture by their place",
                stacklevel=2,
            )
            has_warned = True
        yield replace(frame, tracks=replace(frame.tracks, ids=np.arange(1, len(frame) + 1, dtype=np.int64)))
