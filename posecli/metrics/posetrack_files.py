"""PoseTrack's ground truth and results from files, read as poseval reads them.

One JSON file a sequence, in the 2017 form (`annolist`) or the 2018 form (COCO style), or a folder of them. Results are
found by the ground truth's file name and compared frame by frame in the files' order. Poses that posecli wrote in
another form (`coco`, CSV) are read too.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from posecli.formats.document import Node, read_document
from posecli.formats.registry import read_poses, recognise
from posecli.metrics.file_pairs import check_places, file_pairs, picture_places
from posecli.metrics.posetrack_forms import FileFrame, frames_from, keypoint_names
from posecli.metrics.posetrack_frames import (
    ComparedFrame,
    People,
    people_from_poses,
)
from posecli.skeletons import POSETRACK17, POSETRACK18, SKELETONS


def compared_sequences(truth: Path, predicted: Path) -> Iterator[Iterator[ComparedFrame]]:
    """The sequences of two files or folders, in sorted order of the files' names; one is in memory at a time.

    Raises:
        PosecliError: a file is missing or in no PoseTrack form, or the numbers of its frames differ; the message says
            where.
    """
    for truth_file, predicted_file in file_pairs(truth, predicted):
        frames = frames_from(read_document(truth_file))
        found = read_predictions(predicted_file, frames, truth_file)
        paired = zip(frames, found, strict=True)
        for _, sequence in itertools.groupby(paired, key=lambda pair: _sequence(pair[0].name)):
            yield (
                ComparedFrame(
                    f"{truth_file}: {frame.name}",
                    frame.has_entries,
                    frame.labelled,
                    frame.people,
                    people,
                    frame.ignored,
                )
                for frame, people in sequence
            )


def _sequence(picture: str) -> str:
    return PurePosixPath(picture).parent.name


def read_predictions(path: Path, truth: Sequence[FileFrame], truth_file: Path) -> list[People]:
    """The people found on each of the ground truth's pictures.

    Raises:
        PosecliError: the file is in no known form, or does not fit to the ground truth.
    """
    document = read_document(path) if path.suffix.lower() == ".json" else None
    if document is None or not _is_native(document):
        return _from_recording(path, truth, truth_file)
    frames = frames_from(document)
    if len(frames) != len(truth):
        document.fail(f"{len(frames)} frames, but {truth_file} has {len(truth)}; every frame has to be there")
    names, expected = ([PurePosixPath(frame.name).name for frame in side] for side in (frames, truth))
    if names != expected and sorted(names) == sorted(expected):
        warnings.warn(
            f"{path}: its frames are in another order than those of {truth_file}; they are compared as they come",
            stacklevel=2,
        )
    return [frame.people for frame in frames]


def _is_native(document: Node) -> bool:
    """Whether this is one of PoseTrack's forms; without names the keypoints are taken for PoseTrack's."""
    if not document.has("images"):
        return document.has("annolist")
    names = keypoint_names(document) or POSETRACK18.keypoints
    first = next(document["annotations"].items(), None)
    is_ours = first is not None and first.has("keypoint_scores")
    return not is_ours and set(POSETRACK17.keypoints) <= set(names)


def _from_recording(path: Path, truth: Sequence[FileFrame], truth_file: Path) -> list[People]:
    recording = read_poses(path, recognise(path))
    people = [People.empty() for _ in truth]
    places = picture_places(recording.frames, [frame.name for frame in truth])
    check_places(path, recording.frames, places, truth_file)
    for poses, place in zip(recording.frames, places, strict=True):
        if place is not None:
            people[place] = people_from_poses(poses, SKELETONS[recording.skeleton])
    return people
