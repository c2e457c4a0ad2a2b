"""NPZ (`npz`): numpy's archive of arrays, one row a person of `person_*` arrays and one a frame of the others.

    frame_index (F,), time_s (F,), file_name (F,)        the frames, people or not; file_name only of pictures
    person_frame_index (N,), track_id (N,)               the people, in the frames' order
    box (N, 4), box_score (N,)                           corners x0, y0, x1, y1 in pixels
    keypoints (N, K, 2), keypoint_scores (N, K)          NaN where a keypoint could not be estimated
    keypoint_names (K,), info ()                         names; provenance and video as JSON text

Smoothed poses have keypoints_raw, keypoint_scores_raw and keypoints_filled (N, K; 1 where interpolated), too.

Load it with numpy.load(path); nothing in it is pickled. The arrays are collected in nameless temporary files, since
their lengths stand before them in the archive.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Self

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import Contents, Person, PoseWriter, estimated
from posecli.formats.coco import dumps, provenance_from, video_entry, video_from
from posecli.formats.document import Node, json_errors, refuse_constant
from posecli.formats.npz_archive import Archive
from posecli.formats.stream import Entry, PoseStream, are_in_order, merged
from posecli.skeletons import SKELETONS, Skeleton
from posecli.types import Poses, SmoothedPoses

FRAMES = {"frame_index": "<i8", "time_s": "<f8"}
PEOPLE = {
    "person_frame_index": "<i8",
    "track_id": "<i8",
    "box": "<f4",
    "box_score": "<f4",
    "keypoints": "<f4",
    "keypoint_scores": "<f4",
}
RAW = {"keypoints_raw": "<f4", "keypoint_scores_raw": "<f4", "keypoints_filled": "|i1"}


class NpzWriter(PoseWriter):
    people: ClassVar[dict[str, str]] = PEOPLE

    def __init__(self, path: Path, contents: Contents) -> None:
        self._contents = contents
        self._output = ReplacingFile(path, binary=True)
        self._stack = ExitStack()
        self._frame_count = self._person_count = self._longest_name = 0

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(self._output)
        self._spools = {name: self._spool() for name in (*FRAMES, *self.people, "file_name")}
        return self

    def _spool(self) -> IO[bytes]:
        return self._stack.enter_context(tempfile.TemporaryFile(dir=self._output.folder))

    def write(self, poses: Poses) -> None:
        arrays = {"frame_index": poses.frame_index, "time_s": poses.time_s} | self.arrays(poses)
        for name, values in arrays.items():
            self._spools[name].write(np.asarray(values, (FRAMES | self.people)[name]).tobytes())
        name = poses.name or ""
        self._spools["file_name"].write(f"{json.dumps(name)}\n".encode())
        self._longest_name = max(self._longest_name, len(name))
        self._frame_count += 1
        self._person_count += len(poses)

    def arrays(self, poses: Poses) -> dict[str, Any]:
        """The rows of a picture's people, by the arrays' names."""
        known = estimated(poses)
        return {
            "person_frame_index": np.full(len(poses), poses.frame_index),
            "track_id": poses.tracks.ids,
            "box": poses.tracks.xyxy,
            "box_score": poses.tracks.scores,
            "keypoints": np.where(known[..., None], poses.keypoints, np.nan),
            "keypoint_scores": np.where(known, poses.scores, np.nan),
        }

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack, zipfile.ZipFile(self._file, "w") as archive:
            self._assemble(archive)

    def _assemble(self, archive: zipfile.ZipFile) -> None:
        contents, count = self._contents, len(self._contents.skeleton)
        for name, type_ in (FRAMES | self.people).items():
            rows = self._frame_count if name in FRAMES else self._person_count
            with _member(archive, name, type_, (rows, *_shape(name, count))) as member:
                self._spools[name].seek(0)
                shutil.copyfileobj(self._spools[name], member)
        if self._longest_name:
            type_ = f"<U{self._longest_name}"
            with _member(archive, "file_name", type_, (self._frame_count,)) as member:
                self._spools["file_name"].seek(0)
                for line in self._spools["file_name"]:
                    member.write(np.array(json.loads(line), type_).tobytes())
        info = {"info": contents.provenance, "videos": [video_entry(contents.video)]}
        for name, text in (("keypoint_names", list(contents.skeleton.keypoints)), ("info", dumps(info))):
            array = np.array(text)
            with _member(archive, name, array.dtype.str, array.shape) as member:
                member.write(array.tobytes())


class RawNpzWriter(NpzWriter):
    """Of smoothed poses."""

    people: ClassVar[dict[str, str]] = PEOPLE | RAW

    def arrays(self, poses: Poses) -> dict[str, Any]:
        assert isinstance(poses, SmoothedPoses)
        raw = super().arrays(replace(poses, keypoints=poses.raw_keypoints, scores=poses.raw_scores))
        return super().arrays(poses) | {
            "keypoints_raw": raw["keypoints"],
            "keypoint_scores_raw": raw["keypoint_scores"],
            "keypoints_filled": poses.filled,
        }


def _shape(name: str, num_keypoints: int) -> tuple[int, ...]:
    """Of a row of an array."""
    shapes = {
        "box": (4,),
        "keypoints": (num_keypoints, 2),
        "keypoints_raw": (num_keypoints, 2),
        "keypoint_scores": (num_keypoints,),
        "keypoint_scores_raw": (num_keypoints,),
        "keypoints_filled": (num_keypoints,),
    }
    return shapes.get(name, ())


@contextmanager
def _member(archive: zipfile.ZipFile, name: str, type_: str, shape: tuple[int, ...]) -> Iterator[IO[bytes]]:
    """An array's member of the archive, its header written. Its date is always the same."""
    entry = zipfile.ZipInfo(f"{name}.npy")
    entry.external_attr = 0o644 << 16
    with archive.open(entry, "w", force_zip64=True) as member:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": type_, "fortran_order": False, "shape": shape})
        member.write(header.getvalue())
        yield member


def open_npz(
    path: Path, entry: Entry = nullcontext, *, instead: Mapping[str, str] | None = None
) -> PoseStream:
    """Opens an NPZ archive of this form.

    Args:
        instead: names of arrays that are read in the place of others, by the others' names.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    with Archive(path) as archive:
        skeleton = _skeleton(archive)
        with json_errors(path):
            text = str(archive.whole("info", "U", 0))
            info = Node(json.loads(text, parse_constant=refuse_constant), path, "info")
        video, provenance = video_from(info), provenance_from(info)
        frames = _frames(archive, len(skeleton), entry)
        in_order = are_in_order(frames, _indices(archive))

    def people() -> Iterator[tuple[int, Person]]:
        with Archive(path) as archive:
            for place, row in enumerate(_people(archive, skeleton, instead or {})):
                with entry():
                    yield _person(row, place, frames, path)

    return PoseStream(video, skeleton, provenance, merged(frames, people, in_order=in_order))


def _skeleton(archive: Archive) -> Skeleton:
    names = tuple(archive.whole("keypoint_names", "U", 1).tolist())
    for skeleton in SKELETONS.values():
        if skeleton.keypoints == names:
            return skeleton
    raise PosecliError(f"{archive.path}: keypoint_names: an unknown order; known are {', '.join(SKELETONS)}")


def _frames(archive: Archive, num_keypoints: int, entry: Entry) -> dict[int, Poses]:
    indices, times = archive.whole("frame_index", "i", 1), archive.whole("time_s", "f", 1)
    names = archive.whole("file_name", "U", 1) if archive.has("file_name") else np.full(len(indices), "")
    if not len(indices) == len(times) == len(names):
        raise PosecliError(f"{archive.path}: frame_index, time_s and file_name are of different lengths")
    frames: dict[int, Poses] = {}
    for index, time_s, name in zip(indices.tolist(), times.tolist(), names.tolist(), strict=True):
        with entry():
            if index in frames or np.isinf(time_s):
                raise PosecliError(
                    f"{archive.path}: frame_index: frame {index} appears twice, or is at no time"
                )
            frames[index] = Poses.empty(index, time_s, num_keypoints, name or None)
    return frames


def _indices(archive: Archive) -> Iterator[int]:
    for rows in archive.rows({"person_frame_index": "<i8"}, {"person_frame_index": ()}):
        yield from rows["person_frame_index"].tolist()


def has_raw(path: Path) -> bool:
    """Whether an archive keeps raw keypoints."""
    with Archive(path) as archive:
        return all(map(archive.has, RAW))


def _people(archive: Archive, skeleton: Skeleton, instead: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    names = {name: instead.get(name, name) for name in PEOPLE}
    types = {name: (PEOPLE | RAW)[name] for name in names.values()}
    for rows in archive.rows(types, {name: _shape(name, len(skeleton)) for name in types}):
        for i in range(len(rows["track_id"])):
            yield {name: rows[other][i] for name, other in names.items()}


def _person(row: dict[str, Any], place: int, frames: dict[int, Poses], path: Path) -> tuple[int, Person]:
    index = int(row["person_frame_index"])
    if index not in frames:
        raise PosecliError(f"{path}: person_frame_index[{place}]: there is no frame {index}")
    for name in ("box", "box_score", "keypoints", "keypoint_scores"):
        may_be_missing = name.startswith("keypoint")
        if np.isinf(row[name]).any() or (not may_be_missing and np.isnan(row[name]).any()):
            raise PosecliError(f"{path}: {name}[{place}]: finite numbers expected")
    known = np.isfinite(row["keypoints"]).all(axis=-1)
    keypoints = np.where(known[:, None], row["keypoints"], np.float32(np.nan))
    scores = np.where(known, row["keypoint_scores"], np.float32(np.nan))
    return index, (int(row["track_id"]), row["box"], float(row["box_score"]), keypoints, scores)
