"""A synthetic PoseTrack: films in PoseTrack 2018's layout, with exact ground truth.

    images/{train,val}/NNNNNN_mpii_{train,test}/000000.jpg
    annotations/{train,val}/NNNNNN_mpii_{train,test}.json

What is labelled follows PoseTrack's habit, by a rule: a joint outside the picture is not (0, 0, 0), nor are the ears; a
joint behind somebody or something keeps its label as long as a joint at the other end of one of its limbs is in
sight, since it can be told from there. A person of whom fewer than MIN_LABELS joints are labelled is not annotated on
that frame. v is 2 for a joint in sight and 1 for a labelled one that is hidden; PoseTrack itself only knows 1.
"""

from __future__ import annotations

import json
import multiprocessing
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.data.synthetic.film import FilmFrame
from posecli.data.synthetic.staging import random_film
from posecli.errors import PosecliError
from posecli.skeletons import POSETRACK18
from posecli.types import Image

SPLITS = {"train": "train", "val": "test"}  # and how PoseTrack's sequence names end
FIRST_NUMBER = {"train": 1, "val": 500_001}  # sequence numbers; a split's do not depend on the other's size
MIN_LABELS = 3
JPEG_QUALITY = 92
MIN_SIZE = 64  # pixels
NEVER_LABELLED = [POSETRACK18.index(name) for name in ("left_ear", "right_ear")]


@dataclass(frozen=True, slots=True)
class _Order:
    """One sequence to be made: all that its pictures depend on."""

    folder: Path
    split: str
    number: int  # from 0 in its split
    frames: int
    size: tuple[int, int]
    seed: int

    @property
    def sequence_number(self) -> int:
        return FIRST_NUMBER[self.split] + self.number

    @property
    def name(self) -> str:
        return f"{self.sequence_number:06d}_mpii_{SPLITS[self.split]}"


def write_dataset(
    folder: Path,
    *,
    train: int = 48,
    val: int = 16,
    frames: int = 24,
    size: tuple[int, int] = (320, 240),
    seed: int = 0,
    workers: int = 1,
    report: Callable[[str], None] | None = None,
) -> None:
    """Render a dataset. The same arguments give the same files, whatever the number of workers.

    Args:
        folder: must not exist, or be empty. It appears when everything is in it.
        train, val: sequences in each split.
        frames: pictures in each sequence.
        size: (width, height) pixels.
        workers: processes.
        report: called with each sequence's name when it is done.

    Raises:
        PosecliError: the folder has something in it, or numbers make no sense.
    """
    if min(train, val) < 0 or train + val < 1 or frames < 1 or workers < 1 or min(size) < MIN_SIZE:
        raise PosecliError(
            f"a dataset needs a sequence, a frame, a worker and pictures of {MIN_SIZE} pixels a side at least"
        )
    with _appearing(folder) as place:
        orders = [
            _Order(place, split, number, frames, size, seed)
            for split, count in (("train", train), ("val", val))
            for number in range(count)
        ]
        for split in SPLITS:
            (place / "annotations" / split).mkdir(parents=True)
            (place / "images" / split).mkdir(parents=True)
        for name in _made(orders, workers):
            if report is not None:
                report(name)


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder under a temporary name beside its final one, moved there when the block ends well."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PosecliError(f"{folder} exists and is not an empty folder; remove it or give another name")
    target = folder.resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if target.exists():
            target.rmdir()  # Windows replaces no folder, not even an empty one
        temporary.replace(target)
    except OSError as error:
        raise PosecliError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _made(orders: list[_Order], workers: int) -> Iterator[str]:
    """Names of the sequences as they are done, in order."""
    if workers == 1:
        yield from map(_make, orders)
        return
    # Spawned, not forked: whoever calls may have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(orders)), context, cv2.setNumThreads, (1,)) as pool:
        yield from pool.map(_make, orders)


def _make(order: _Order) -> str:
    """Draw one sequence and write its pictures and labels."""
    rng = np.random.default_rng([order.seed, order.sequence_number])
    film = random_film(rng, order.frames, order.size)
    pictures = order.folder / "images" / order.split / order.name
    pictures.mkdir()
    images, annotations = [], []
    for index in range(order.frames):
        frame = film.frame(index)
        (pictures / f"{index:06d}.jpg").write_bytes(_jpeg(frame.drawn.image))
        images.append(_image_entry(order, index, frame))
        annotations += list(_annotations(images[-1]["id"], frame))
    content = {"images": images, "annotations": annotations, "categories": [_category()]}
    labels = order.folder / "annotations" / order.split / f"{order.name}.json"
    labels.write_text(json.dumps(content), "utf-8")
    return order.name


def _jpeg(image: Image) -> bytes:
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()


def _image_entry(order: _Order, index: int, frame: FilmFrame) -> dict[str, Any]:
    number = int(f"1{order.sequence_number:06d}{index:04d}")  # as PoseTrack numbers its images
    return {
        "id": number,
        "frame_id": number,
        "vid_id": f"{order.sequence_number:06d}",
        "file_name": f"images/{order.split}/{order.name}/{index:06d}.jpg",
        "width": order.size[0],
        "height": order.size[1],
        "nframes": order.frames,
        "is_labeled": True,
        "has_no_densepose": True,
        "ignore_regions_x": [_rounded(polygon[:, 0]) for polygon in frame.ignored],
        "ignore_regions_y": [_rounded(polygon[:, 1]) for polygon in frame.ignored],
    }


def _annotations(image_id: int, frame: FilmFrame) -> Iterator[dict[str, Any]]:
    flags = label_flags(frame)
    drawn = frame.drawn
    for i, track_id in enumerate(drawn.track_ids.tolist()):
        labelled = flags[i] > 0
        if labelled.sum() < MIN_LABELS:
            continue
        points = np.where(labelled[:, None], drawn.keypoints[i], 0)
        yield {
            "id": image_id * 100 + track_id,
            "image_id": image_id,
            "category_id": 1,
            "track_id": track_id - 1,  # PoseTrack's count from 0
            "person_id": track_id - 1,
            "bbox": _xywh(drawn.boxes[i]),
            "bbox_head": _xywh(frame.head_boxes[i]),
            "keypoints": _rounded(np.column_stack([points, flags[i]]).ravel()),
            "num_keypoints": int(labelled.sum()),
            "iscrowd": False,
        }


def label_flags(frame: FilmFrame) -> NDArray[np.int64]:
    """(n, 17) of 2 (in sight), 1 (hidden, but labelled) and 0 (not labelled), by the rule of this module."""
    height, width = frame.drawn.image.shape[:2]
    points, visible = frame.drawn.keypoints, frame.drawn.visible
    inside = np.all((points >= 0) & (points <= [width - 1, height - 1]), axis=-1)
    seen = visible & inside
    beside = np.zeros_like(seen)
    for a, b in POSETRACK18.limb_indices:
        beside[:, a] |= seen[:, b]
        beside[:, b] |= seen[:, a]
    flags = np.where(seen, 2, np.where(inside & beside, 1, 0))
    flags[:, NEVER_LABELLED] = 0
    return flags


def _category() -> dict[str, Any]:
    limbs = [[a + 1, b + 1] for a, b in POSETRACK18.limb_indices]
    return {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(POSETRACK18.keypoints),
        "skeleton": limbs,
    }


def _xywh(box: NDArray[np.floating[Any]]) -> list[float]:
    x0, y0, x1, y1 = box.tolist()
    return _rounded(np.array([x0, y0, x1 - x0, y1 - y0]))


def _rounded(values: NDArray[Any]) -> list[float]:
    """Hundredths of a pixel are exact enough, and short."""
    return [round(value, 2) for value in values.tolist()]
