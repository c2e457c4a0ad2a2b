"""PoseTrack 2018 (`posetrack18`): COCO dataset style with PoseTrack's 17 slots and its own fields.

`scores` stand in each annotation (poseval reads them there), `frame_id`, `vid_id`, `nframes` and `is_labeled`
in each image, and file names begin with the sequence's folder. The ears are never labelled by PoseTrack.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posecli.formats.base import Contents, convert_poses, converted, sequence_name
from posecli.formats.coco import CocoWriter
from posecli.formats.posetrack17 import picture_path
from posecli.skeletons import POSETRACK18
from posecli.types import Poses


class Posetrack18Writer(CocoWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        super().__init__(path, converted(contents, POSETRACK18))
        self._skeleton = contents.skeleton
        self._picture_count = 0

    def write(self, poses: Poses) -> None:
        super().write(convert_poses(poses, self._skeleton, POSETRACK18))
        self._picture_count += 1

    def image(self, poses: Poses) -> dict[str, Any]:
        return super().image(poses) | {
            "file_name": picture_path(self.contents.video, poses),
            "frame_id": poses.frame_index,
            "vid_id": sequence_name(self.contents.video),
            "is_labeled": True,
        }

    def finish_image(self, line: str) -> str:
        # How many pictures there are is only known now.
        return f'{line.removesuffix("}")},"nframes":{self._picture_count}}}'

    def annotations(self, poses: Poses) -> Iterator[dict[str, Any]]:
        for annotation in super().annotations(poses):
            annotation["scores"] = annotation.pop("keypoint_scores")
            yield annotation
