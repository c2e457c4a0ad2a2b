"""Soft labels of a teacher that knows where the joints are: what is kept lies where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from posecli.errors import PosecliError
from posecli.geometry.crop import CropBox, apply_affine, crop_affine
from posecli.skeletons import COCO
from posecli.teachers.movenet import CELLS, SIDE, SquareCrop, TeacherAnswer, Thunder
from posecli.teachers.soft_labels import SoftLabels, agreed, ask, slips, unmirror
from posecli.teachers.targets import soft_sample, soft_targets, stack_soft

BOX = np.array([40, 20, 100, 180], np.float32)
K = len(COCO.keypoints)
CROP, HEATMAP = (256, 192), (64, 48)


def joints() -> np.ndarray:
    """(K, 2) pixels within the box."""
    rng = np.random.default_rng(3)
    return (BOX[:2] + rng.uniform(0.1, 0.9, (K, 2)) * (BOX[2:] - BOX[:2])).astype(np.float32)


def answer_for(
    points_K2: np.ndarray, score: float = 0.8, extra: tuple[float, float] | None = None
) -> TeacherAnswer:
    """Heatmaps with a Gaussian at each point (cells), and another person's joint at `extra`."""
    middles = np.arange(CELLS) + 0.5
    maps = np.exp(-((middles[None, None, :] - points_K2[:, 0, None, None]) ** 2) / 8)
    maps = maps * np.exp(-((middles[None, :, None] - points_K2[:, 1, None, None]) ** 2) / 8)
    if extra is not None:
        x = np.exp(-((middles - extra[0]) ** 2) / 8)
        y = np.exp(-((middles - extra[1]) ** 2) / 8)
        maps = np.maximum(maps, y[:, None] * x)
    scores = np.full((1, K), score, np.float32)
    return TeacherAnswer(points_K2[None].astype(np.float32), scores, maps[None].astype(np.float32))


def in_cells(points_K2: np.ndarray) -> np.ndarray:
    square = SquareCrop.around(BOX)
    return (points_K2 - square.corner) / square.cell


def labels_of(points_K2: np.ndarray, **options: object) -> SoftLabels:
    answer = answer_for(in_cells(points_K2), **options)  # type: ignore[arg-type]
    return agreed(answer, answer, [SquareCrop.around(BOX)])


def targets_in_crop(
    labels: SoftLabels, rotation: float, mirror: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets (K, H, W), weights (K,), and where the joints lie in the crop (K, 2), mirrored ones renamed."""
    affine = crop_affine(CropBox.from_xyxy(BOX, CROP), CROP, rotation, mirror)
    sample = soft_sample(labels, 0, affine, mirror, np.zeros(K, np.float32))
    targets_BKHW, weights_BK = soft_targets(stack_soft([sample]), HEATMAP, CROP)
    order = COCO.flip if mirror else list(range(K))
    return targets_BKHW[0].numpy(), weights_BK[0].numpy(), apply_affine(affine, joints())[order]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 35.0, -120.0])
def test_targets_lie_on_the_joints_however_the_crop_is_turned(rotation: float, mirror: bool) -> None:
    targets_KHW, weights_K, points_K2 = targets_in_crop(labels_of(joints()), rotation, mirror)
    rows, columns = np.mgrid[: HEATMAP[0], : HEATMAP[1]]
    cell = np.array([(CROP[1] - 1) / (HEATMAP[1] - 1), (CROP[0] - 1) / (HEATMAP[0] - 1)])
    inside_K = np.all((points_K2 > 30) & (points_K2 < np.array(CROP[::-1]) - 30), axis=1)
    assert inside_K.sum() >= 8
    for k in np.flatnonzero(inside_K):
        mass = targets_KHW[k].sum()
        center = np.array([(targets_KHW[k] * columns).sum(), (targets_KHW[k] * rows).sum()]) / mass * cell
        assert weights_K[k] == pytest.approx(1.0)
        assert np.abs(center - points_K2[k]).max() < 1.5  # pixels of the crop; a cell has four


def test_other_people_in_the_crop_are_left_out() -> None:
    alone, beside = labels_of(joints()), labels_of(joints(), extra=(62.0, 2.0))
    near_K = np.linalg.norm(in_cells(joints()) - [62, 2], axis=1) < 24
    assert not near_K.all()
    assert np.array_equal(alone.windows[0][~near_K], beside.windows[0][~near_K])


def test_joints_outside_the_crop_are_no_targets() -> None:
    upper = CropBox.from_xyxy(np.array([40, 20, 100, 90], np.float32), CROP, 1.0)
    affine = crop_affine(upper, CROP)
    sample = soft_sample(labels_of(joints()), 0, affine, False, np.zeros(K, np.float32))
    _, weights_BK = soft_targets(stack_soft([sample]), HEATMAP, CROP)
    y_K = apply_affine(affine, joints())[:, 1]
    below_K, within_K = torch.from_numpy(y_K > CROP[0] + 12), torch.from_numpy(y_K < CROP[0] - 60)
    assert below_K.any()
    assert within_K.any()
    assert torch.all(weights_BK[0, below_K] == 0)
    assert torch.all(weights_BK[0, within_K] == 1)


def test_joints_of_a_human_are_not_asked_for() -> None:
    human = np.zeros(K, np.float32)
    human[3] = 1
    affine = crop_affine(CropBox.from_xyxy(BOX, CROP), CROP)
    sample = soft_sample(labels_of(joints()), 0, affine, False, human)
    assert sample.weights[[3, 4]].tolist() == [0, 1]


def test_passes_that_disagree_count_for_less() -> None:
    points = in_cells(joints())
    square = [SquareCrop.around(BOX)]
    off = points + np.array([4.0, 0.0])
    weights = agreed(answer_for(points), answer_for(off), square).weights
    assert weights == pytest.approx(0.5)  # AGREEMENT cells apart
    unsure = agreed(answer_for(points, 0.05), answer_for(points, 0.05), square).weights
    assert np.all(unsure == 0)


def test_a_mirrored_pass_is_mirrored_back() -> None:
    answer = answer_for(in_cells(joints()))
    twice = unmirror(unmirror(answer))
    assert np.allclose(twice.keypoints, answer.keypoints, atol=1e-5)
    assert np.array_equal(twice.heatmaps, answer.heatmaps)
    left, right = COCO.keypoints.index("left_wrist"), COCO.keypoints.index("right_wrist")
    once = unmirror(answer)
    assert np.allclose(once.keypoints[0, left, 0], CELLS - answer.keypoints[0, right, 0])


def test_a_joint_that_slips_for_a_frame_counts_for_less() -> None:
    frames = [labels_of(joints()) for _ in range(3)]
    frames[1].keypoints[0, 9] += [0.5 * 160, 0]
    labels = SoftLabels(*(np.concatenate([getattr(f, n) for f in frames]) for n in SoftLabels.__slots__))
    found = slips(labels, [("clip", 1, 0), ("clip", 1, 1), ("clip", 1, 2)])
    assert np.argwhere(found).tolist() == [[1, 9]]
    assert not slips(labels, [("clip", 1, 0), ("clip", 2, 1), ("clip", 1, 2)]).any()


class OnePerson:
    """A person on each of several frames, as a teacher is shown them."""

    def __len__(self) -> int:
        return 3

    def picture(self, index: int) -> np.ndarray:
        return np.full((200, 160, 3), 10 * index, np.uint8)

    def box(self, index: int) -> np.ndarray:
        return BOX

    def moment(self, index: int) -> tuple[str, int, int]:
        return "clip", 1, index


def test_everyone_is_asked_about_twice() -> None:
    seen: list[np.ndarray] = []

    def teacher(crops: np.ndarray) -> TeacherAnswer:
        seen.append(crops)
        one = answer_for(in_cells(joints()))
        return TeacherAnswer(*(np.repeat(getattr(one, n), len(crops), 0) for n in TeacherAnswer.__slots__))

    labels = ask(OnePerson(), teacher, lambda text: None)
    assert len(labels) == 3
    assert seen[0].shape == (3, SIDE, SIDE, 3)
    assert np.array_equal(seen[1], seen[0][:, :, ::-1])


def test_a_missing_teacher_is_told(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(PosecliError, match="no such teacher file"):
        Thunder(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(PosecliError, match="can't be read as ONNX"):
        Thunder(tmp_path / "bad.onnx")
