"""COCO dataset style (`coco`): one object of info, videos, images, annotations and categories.

The layout is COCO's (https://cocodataset.org/#format-data) with `videos`, `track_id`, `frame_index`, `time_s`
and `keypoint_scores` added. The keypoints are those of the model, named in `categories`.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from posecli.formats.atomic import TEXT, ReplacingFile
from posecli.formats.base import (
    NO_TRACK,
    Contents,
    Person,
    PoseWriter,
    box_around,
    box_to_xywh,
    estimated,
    finite_or_none,
    name_from_picture,
    picture_name,
    sequence_name,
    shortest,
    xywh_to_box,
)
from posecli.formats.document import Node
from posecli.formats.json_stream import open_document
from posecli.formats.stream import Entry, PoseStream, are_in_order, merged
from posecli.skeletons import COCO, SKELETONS, Skeleton
from posecli.types import FloatArray, Poses, VideoInfo

VIDEO_ID = 1
PERSON = 1  # category id
RAW_SUFFIX = "_raw"  # of the keypoints before they were smoothed
FILLED = "keypoints_filled"  # which of them were interpolated


class CocoWriter(PoseWriter):
    """Streams images and annotations to two nameless temporary files, and joins them at the end."""

    def __init__(self, path: Path, contents: Contents) -> None:
        self.contents = contents
        self._output = ReplacingFile(path)
        self._stack = ExitStack()
        self._annotation_count = 0

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(self._output)
        self._images = self._stack.enter_context(_temporary(self._output.folder))
        self._annotations = self._stack.enter_context(_temporary(self._output.folder))
        return self

    def write(self, poses: Poses) -> None:
        self._images.write(dumps(self.image(poses)) + "\n")
        for annotation in self.annotations(poses):
            self._annotation_count += 1
            self._annotations.write(dumps({"id": self._annotation_count} | annotation) + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._assemble()

    def _assemble(self) -> None:
        contents = self.contents
        self._file.write(
            f'{{"info":{dumps(contents.provenance)},\n"videos":[{dumps(video_entry(contents.video))}],\n'
        )
        self._file.write('"images":[\n')
        self._copy(self._images, self.finish_image)
        self._file.write('],\n"annotations":[\n')
        self._copy(self._annotations)
        self._file.write(f'],\n"categories":[{dumps(category(contents.skeleton))}]}}\n')

    def _copy(self, lines: IO[str], change: Callable[[str], str] = str) -> None:
        lines.seek(0)
        for i, line in enumerate(lines):
            self._file.write((",\n" if i else "") + change(line.rstrip("\n")))

    def image(self, poses: Poses) -> dict[str, Any]:
        """The `images` entry of a picture. Its id is the index of the frame."""
        return image_entry(self.contents.video, poses)

    def finish_image(self, line: str) -> str:
        """A last change to an `images` entry's text, when all pictures are known."""
        return line

    def annotations(self, poses: Poses) -> Iterator[dict[str, Any]]:
        """The `annotations` entries of a picture, without their ids."""
        for person, keypoints in zip(box_entries(poses), keypoint_entries(poses), strict=True):
            yield person | keypoints


def dumps(value: Any) -> str:
    """Strict, compact JSON: a NaN is a ValueError, never a token that others refuse. Paths become text."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False, default=str)


def video_entry(video: VideoInfo) -> dict[str, Any]:
    return {"id": VIDEO_ID, "name": sequence_name(video), "file_name": video.path} | {
        name: getattr(video, name) for name in ("width", "height", "frame_rate", "time_base", "frame_count")
    }


def image_entry(video: VideoInfo, poses: Poses) -> dict[str, Any]:
    return {
        "id": poses.frame_index,
        "video_id": VIDEO_ID,
        "file_name": picture_name(video, poses),
        "frame_index": poses.frame_index,
        "time_s": finite_or_none(poses.time_s),
        "width": video.width,
        "height": video.height,
    }


def category(skeleton: Skeleton) -> dict[str, Any]:
    limbs = [[a + 1, b + 1] for a, b in skeleton.limb_indices]  # COCO counts keypoints from 1
    return {
        "id": PERSON,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(skeleton.keypoints),
        "skeleton": limbs,
    }


def box_entries(poses: Poses) -> Iterator[dict[str, Any]]:
    """What an annotation or result tells of each person but the keypoints. `score` is the detector's."""
    boxes = box_to_xywh(poses.tracks.xyxy).tolist()
    scores = shortest(poses.tracks.scores).tolist()
    for track_id, box, score in zip(poses.tracks.ids.tolist(), boxes, scores, strict=True):
        yield {
            "image_id": poses.frame_index,
            "category_id": PERSON,
            "track_id": track_id,
            "bbox": box,
            "score": score,
        }


def keypoint_entries(poses: Poses) -> Iterator[dict[str, Any]]:
    """Of each person, x, y, v of every keypoint in one list, the scores, and how many are estimated.

    A keypoint that could not be estimated is 0, 0, 0 with score null; the others have v = 2.
    """
    known = estimated(poses)
    xy = shortest(np.where(known[..., None], poses.keypoints, 0)).tolist()
    scores = shortest(poses.scores)
    has_score = known & np.isfinite(scores)
    for i, flags in enumerate(known.tolist()):
        triples = [(x, y, 2) if there else (0, 0, 0) for (x, y), there in zip(xy[i], flags, strict=True)]
        yield {
            "keypoints": [number for triple in triples for number in triple],
            "keypoint_scores": [
                score if there else None
                for score, there in zip(scores[i].tolist(), has_score[i].tolist(), strict=True)
            ],
            "num_keypoints": sum(flags),
        }


def _temporary(folder: Path) -> IO[str]:
    return tempfile.TemporaryFile("w+", dir=folder, **TEXT)


def open_coco(
    path: Path, entry: Entry = nullcontext, *, person: Callable[[Node, int], Person] | None = None
) -> PoseStream:
    """Opens COCO dataset style and PoseTrack 2018.

    Of the pictures a little each is held in memory, of the people nothing if they are in the pictures' order.

    Args:
        person: what an annotation and the number of keypoints give, if not person_from.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    document = open_document(path)
    skeleton = skeleton_from(document)
    video = video_from(document)
    frames = frames_from(document, video, len(skeleton), entry)
    annotations = document["annotations"]

    def people() -> Iterator[tuple[int, Person]]:
        for annotation in annotations.items():
            with entry():
                frame_of(annotation, frames)
                yield annotation["image_id"].integer(), (person or person_from)(annotation, len(skeleton))

    in_order = are_in_order(frames, (image_id(node) for node in annotations.items()))
    poses = merged(frames, people, in_order=in_order)
    return PoseStream(video, skeleton, provenance_from(document), poses)


def image_id(annotation: Node) -> Any:
    """What an annotation or result has as image_id, unchecked."""
    return annotation.value.get("image_id") if isinstance(annotation.value, dict) else None


def frame_of(annotation: Node, frames: dict[int, Poses]) -> Poses:
    """The frame that an annotation's image_id names."""
    image_id = annotation["image_id"].integer()
    if image_id not in frames:
        annotation["image_id"].fail(f"there is no image {image_id}")
    return frames[image_id]


def provenance_from(document: Node) -> dict[str, Any]:
    info = document["info"].value if document.has("info") else {}
    return info if isinstance(info, dict) else {}


def skeleton_from(document: Node) -> Skeleton:
    """The skeleton whose keypoints the first category names; COCO's where there are no names."""
    categories = document["categories"].items() if document.has("categories") else iter(())
    first = next(categories, None)
    if first is None or not first.has("keypoints"):
        return COCO
    names = tuple(node.text() for node in first["keypoints"].items())
    for skeleton in SKELETONS.values():
        if skeleton.keypoints == names:
            return skeleton
    return first["keypoints"].fail(f"keypoints in an unknown order; known are {', '.join(SKELETONS)}")


def video_from(document: Node) -> VideoInfo:
    """What the file says of the video; width and height are 0 where it does not say."""
    videos = document["videos"].items() if document.has("videos") else iter(())
    images = document["images"].items() if document.has("images") else iter(())
    entry = next(videos, Node({}, document.file, "videos"))
    sized = entry if entry.has("width") else next(images, entry)
    return VideoInfo(
        path=entry["file_name"].text() if entry.has("file_name") else "",
        width=sized["width"].integer() if sized.has("width") else 0,
        height=sized["height"].integer() if sized.has("height") else 0,
        frame_rate=entry["frame_rate"].number() if entry.has("frame_rate") else None,
        time_base=entry["time_base"].text() if entry.has("time_base") else None,
        frame_count=entry["frame_count"].integer() if entry.has("frame_count") else None,
    )


def frames_from(
    document: Node, video: VideoInfo, num_keypoints: int, entry: Entry = nullcontext
) -> dict[int, Poses]:
    """Image id to an empty frame, in the file's order. Without frame_index, the place in the list counts."""
    frames: dict[int, Poses] = {}
    indices: set[int] = set()
    empty = Poses.empty(0, math.nan, num_keypoints)  # its arrays are shared by all frames
    for i, image in enumerate(document["images"].items()):
        with entry():
            image_id = image["id"].integer()
            index = image["frame_index"].integer() if image.has("frame_index") else i
            if image_id in frames or index in indices:
                image.fail(f"image {image_id} (frame {index}) appears twice")
            time_s = image["time_s"].number() if image.has("time_s") else math.nan
            picture = image["file_name"].text() if image.has("file_name") else None
            name = name_from_picture(video, index, picture)
            frames[image_id] = replace(empty, frame_index=index, time_s=time_s, name=name)
            indices.add(index)
    return frames


def person_from(annotation: Node, num_keypoints: int, suffix: str = "") -> Person:
    """A person from an annotation or a result, in pixels; scores that are not there are 1 (drawn by hand).

    Args:
        suffix: RAW_SUFFIX takes the raw keypoints that a file of smoothed ones keeps.
    """
    if not annotation.has("keypoints") and not annotation.has("bbox"):
        annotation.fail('"keypoints" is missing')
    keypoints, scores = keypoints_from(annotation, num_keypoints, suffix)
    score = annotation["score"].number() if annotation.has("score") else 1.0
    box = box_from(annotation) if annotation.has("bbox") else box_around(keypoints[None])[0]
    track_id = annotation["track_id"].integer() if annotation.has("track_id") else NO_TRACK
    return track_id, box, score, keypoints, scores


def box_from(annotation: Node) -> FloatArray:
    """(4,) corners."""
    return xywh_to_box(annotation["bbox"].numbers(4)[None])[0]


def keypoints_from(annotation: Node, num_keypoints: int, suffix: str = "") -> tuple[FloatArray, FloatArray]:
    """(K, 2) and (K,): x = y = v = 0 is read as NaN."""
    if not annotation.has(f"keypoints{suffix}"):
        return np.full((num_keypoints, 2), np.nan, np.float32), np.full(num_keypoints, np.nan, np.float32)
    triples = annotation[f"keypoints{suffix}"].numbers(3 * num_keypoints).reshape(-1, 3)
    known = (triples != 0).any(axis=1)
    keypoints = np.where(known[:, None], triples[:, :2], np.nan).astype(np.float32)
    scores = np.ones(num_keypoints)
    for name in (f"keypoint_scores{suffix}", "scores"):
        if annotation.has(name) and annotation[name].value != []:  # annotations may hold an empty list
            scores = annotation[name].numbers(num_keypoints, nulls=True)
            break
    return keypoints, np.where(known, scores, np.nan).astype(np.float32)
