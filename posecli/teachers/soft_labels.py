"""A teacher's heatmaps of training people, cleaned: what the encoder is distilled from.

The teacher looks at a person twice, the second time mirrored. Both heatmaps are averaged; around the joint that both
passes agree on, a window of WINDOW cells is kept, which leaves out the other people in the crop. A joint counts for
less the further the passes are apart, the less sure the teacher is, and, in footage, where it leaves the person's own
path for a single frame.

Shapes: n people, K keypoints, W = WINDOW cells, G cells of the teacher's heatmap, B batch, H and W' height and width of
the student's heatmap.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.skeletons import COCO
from posecli.teachers.movenet import CELLS, SquareCrop, TeacherAnswer
from posecli.types import FloatArray, Image

WINDOW = 24  # cells: three eighths of the crop
AGREEMENT = 4.0  # cells between the passes at which a joint counts for half
SURE = 0.35  # the score from which on a joint counts in full
UNSURE = 0.08  # the score up to which it does not count
FLOOR = 0.1  # of the peak: less is no evidence but the sum over a window would be much
JUMP = 0.15  # of the crop's side, off the line between the frames before and after: a slip
LAYOUT = 1  # to be raised when the files change
BATCH = 8
Say = Callable[[str], None]
Teacher = Callable[[NDArray[np.uint8]], TeacherAnswer]


class LabelledPeople(Protocol):
    """People that a teacher can look at (posecli.data.crops has them)."""

    def __len__(self) -> int: ...

    def picture(self, index: int) -> Image: ...

    def box(self, index: int) -> FloatArray:
        """(4,) x0, y0, x1, y1 pixels."""
        ...

    def moment(self, index: int) -> tuple[str, int, int]:
        """(sequence or picture, track, frame): what a person's neighbours in time are found by."""
        ...


@dataclass(frozen=True, slots=True)
class SoftLabels:
    """The cleaned heatmaps of n people."""

    windows: NDArray[np.uint8]  # (n, K, W, W) 255 at the peak
    origins: FloatArray  # (n, K, 2) where a window's first cell lies in the picture, pixels
    cells: FloatArray  # (n,) the cell's side in the picture, pixels
    weights: FloatArray  # (n, K) 0..1
    keypoints: FloatArray  # (n, K, 2) pixels of the picture

    def __len__(self) -> int:
        return len(self.windows)


def soft_labels(people: LabelledPeople, teacher_file: Path, root: Path, say: Say) -> SoftLabels:
    """The teacher's opinion of these people, asked now if it is not kept in the folder `root`.

    Raises:
        PosecliError: the teacher can't be read, or the folder not be written.
    """
    path = root / f"teacher-{_digest(people, teacher_file)[:16]}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            return SoftLabels(**{name: kept[name] for name in SoftLabels.__slots__})
    from posecli.teachers.movenet import Thunder

    labels = ask(people, Thunder(teacher_file), say)
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
    try:
        root.mkdir(parents=True, exist_ok=True)
        np.savez(part, **{name: getattr(labels, name) for name in SoftLabels.__slots__})
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PosecliError(f"{path}: can't be written ({error.strerror})") from None
    return labels


def _digest(people: LabelledPeople, teacher_file: Path) -> str:
    digest = hashlib.sha256(f"{LAYOUT} {WINDOW}".encode())
    if teacher_file.is_file():
        digest.update(teacher_file.read_bytes())
    for index in range(len(people)):
        digest.update(repr(people.moment(index)).encode())
        digest.update(people.box(index).astype(np.float32).tobytes())
    return digest.hexdigest()


def ask(people: LabelledPeople, teacher: Teacher, say: Say) -> SoftLabels:
    """Look at everyone twice and keep what the passes agree on."""
    count, said = len(people), 0
    parts: list[SoftLabels] = []
    for start in range(0, count, BATCH):
        chosen = range(start, min(start + BATCH, count))
        squares = [SquareCrop.around(people.box(i)) for i in chosen]
        crops = np.stack([square.cut(people.picture(i)) for i, square in zip(chosen, squares, strict=True)])
        parts.append(agreed(teacher(crops), unmirror(teacher(crops[:, :, ::-1])), squares))
        tenth = 10 * (start + len(chosen)) // count
        if tenth > said:
            said = tenth
            say(f"teacher: {10 * tenth} % of {count:,} people")
    labels = concatenate(parts)
    slips_nK = slips(labels, [people.moment(i) for i in range(count)])
    labels.weights[slips_nK] *= 0.25
    return labels


def concatenate(parts: Sequence[SoftLabels]) -> SoftLabels:
    return SoftLabels(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in SoftLabels.__slots__)
    )


def unmirror(answer: TeacherAnswer) -> TeacherAnswer:
    """What the teacher said of mirrored crops, as of the crops themselves."""
    flip = np.array(COCO.flip)
    keypoints = answer.keypoints[:, flip].copy()
    keypoints[..., 0] = CELLS - keypoints[..., 0]
    return TeacherAnswer(keypoints, answer.scores[:, flip], answer.heatmaps[:, flip, :, ::-1])


def agreed(plain: TeacherAnswer, mirrored: TeacherAnswer, squares: Sequence[SquareCrop]) -> SoftLabels:
    """Both passes as one; where they are apart the surer one says where the window lies."""
    distance_nK = np.linalg.norm(plain.keypoints - mirrored.keypoints, axis=-1)
    surer_nK = (plain.scores >= mirrored.scores)[..., None]
    either_nK2 = np.where(surer_nK, plain.keypoints, mirrored.keypoints)
    middle_nK2 = (plain.keypoints + mirrored.keypoints) / 2
    keypoints_nK2 = np.where((distance_nK < AGREEMENT)[..., None], middle_nK2, either_nK2).astype(np.float32)
    score_nK = (plain.scores + mirrored.scores) / 2
    sure_nK = np.clip((score_nK - UNSURE) / (SURE - UNSURE), 0, 1)
    weights_nK = sure_nK / (1 + (distance_nK / AGREEMENT) ** 2)
    heatmaps_nKGG = ((plain.heatmaps + mirrored.heatmaps) / 2).astype(np.float32)
    windows, origins_nK2 = _windows(heatmaps_nKGG, keypoints_nK2)
    corners_n12 = np.stack([square.corner for square in squares])[:, None]
    cells_n = np.array([square.cell for square in squares], np.float32)
    origins = corners_n12 + origins_nK2 * cells_n[:, None, None]
    keypoints = corners_n12 + keypoints_nK2 * cells_n[:, None, None]
    return SoftLabels(windows, *(a.astype(np.float32) for a in (origins, cells_n, weights_nK, keypoints)))


def _windows(
    heatmaps_nKGG: FloatArray, keypoints_nK2: FloatArray
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """(n, K, W, W) around the keypoints, and (n, K, 2) where their first cells lie, in cells of the crop.

    The heatmap's cells are placed so that what it says at its peak is the keypoint: the teacher's own offsets are finer
    than its cells.
    """
    count, keypoints = keypoints_nK2.shape[:2]
    windows = np.zeros((count, keypoints, WINDOW, WINDOW), np.uint8)
    origins = np.zeros((count, keypoints, 2))
    fade = np.exp(-(((np.arange(WINDOW) - (WINDOW - 1) / 2) / (WINDOW / 3.5)) ** 2) / 2)
    for i in range(count):
        for k in range(keypoints):
            point = keypoints_nK2[i, k]
            corner = np.floor(point).astype(int) - WINDOW // 2
            window = _cut(heatmaps_nKGG[i, k], corner) * fade[:, None] * fade
            peak = window.max()
            if peak <= 0:
                continue
            window = np.clip(window - FLOOR * peak, 0, None) / ((1 - FLOOR) * peak)
            windows[i, k] = np.round(255 * window)
            origins[i, k] = point - _summit(window)
    return windows, origins


def _summit(window_WW: FloatArray) -> NDArray[np.float64]:
    """(x, y) of the highest cell's surroundings' centre of mass."""
    row, column = (int(i) for i in np.unravel_index(window_WW.argmax(), window_WW.shape))
    rows, columns = slice(max(row - 2, 0), row + 3), slice(max(column - 2, 0), column + 3)
    part = window_WW[rows, columns]
    y = (part.sum(1) * np.arange(rows.start, rows.start + part.shape[0])).sum() / part.sum()
    x = (part.sum(0) * np.arange(columns.start, columns.start + part.shape[1])).sum() / part.sum()
    return np.array([x, y])


def _cut(heatmap_GG: FloatArray, corner: NDArray[np.int_]) -> FloatArray:
    """A window whose first cell is (x, y), zero outside the heatmap."""
    padded = np.pad(heatmap_GG, WINDOW)
    x, y = np.clip(corner + WINDOW, 0, padded.shape[0] - WINDOW)
    return padded[y : y + WINDOW, x : x + WINDOW]


def slips(labels: SoftLabels, moments: Sequence[tuple[str, int, int]]) -> NDArray[np.bool_]:
    """(n, K): joints that leave the line between the frames before and after, those two being near to each other."""
    found = np.zeros(labels.weights.shape, bool)
    order = sorted(range(len(moments)), key=lambda i: moments[i])
    for before, here, after in zip(order, order[1:], order[2:], strict=False):
        if moments[before][:2] != moments[here][:2] or moments[here][:2] != moments[after][:2]:
            continue
        limit = JUMP * float(labels.cells[here]) * CELLS
        a_K2, b_K2 = labels.keypoints[before], labels.keypoints[after]
        steady_K = np.linalg.norm(a_K2 - b_K2, axis=-1) < limit
        off_K = np.linalg.norm(labels.keypoints[here] - (a_K2 + b_K2) / 2, axis=-1) > limit
        found[here] = steady_K & off_K
    return found
