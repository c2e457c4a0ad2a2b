"""A teacher's boxes from several looks at pictures in which the people are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from posecli.data.people import Picture
from posecli.errors import PosecliError
from posecli.teachers.box_labels import Look, ask, fuse, look_closely, teacher_boxes, with_teacher
from posecli.types import Boxes, Image
from tests.data.making import person


class SeesWhite:
    """A detector of white rectangles: sure of large ones, unsure of small ones."""

    name = "white"

    def detect(self, images: list[Image]) -> list[Boxes]:
        return [self._detect(image) for image in images]

    def provenance(self) -> dict[str, str]:
        return {}

    def _detect(self, image: Image) -> Boxes:
        _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 128).astype(np.uint8))
        xywh = stats[1:, :4].astype(np.float32)
        scores = np.where(xywh[:, 3] > 0.2 * image.shape[0], 0.8, 0.4)
        return Boxes(np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1), scores.astype(np.float32))


def white(shape: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Image:
    image = np.zeros((*shape, 3), np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = 255
    return image


def test_every_look_is_put_back_where_it_was():
    large, small = (20, 10, 60, 170), (150, 20, 162, 50)
    found = look_closely(white((200, 240), large, small), SeesWhite())
    np.testing.assert_allclose(found.xyxy, [large, small], atol=1e-4)
    # The large one: both looks at the whole, 0.8. The small one: two looks of 0.4, and one part of weight 0.5 in which
    # it is large enough for 0.8.
    np.testing.assert_allclose(found.scores, [0.8, (2 * 0.4 + 0.5 * 0.8) / 2.5], rtol=1e-6)


def test_people_cut_by_a_part_are_left_to_the_whole():
    # Parts end at 60 % and begin at 40 % of the sides: this one lies across both lines.
    crossing = (90, 100, 150, 130)
    found = look_closely(white((200, 240), crossing), SeesWhite())
    np.testing.assert_allclose(found.xyxy, [crossing], atol=1e-4)


def test_a_look_that_missed_somebody_lowers_the_score():
    box = np.array([[10, 10, 50, 90]], np.float32)
    seen, missed = Boxes(box, np.array([0.9], np.float32)), Boxes.empty()
    assert float(fuse([Look(seen, 1.0), Look(missed, 1.0)], 0).scores[0]) == pytest.approx(0.45)


def test_averaged_boxes_lean_to_the_surer_look():
    a = Boxes(np.array([[10, 10, 50, 90]], np.float32), np.array([0.75], np.float32))
    b = Boxes(np.array([[14, 10, 54, 90]], np.float32), np.array([0.25], np.float32))
    np.testing.assert_allclose(fuse([Look(a, 1.0), Look(b, 1.0)], 0).xyxy, [[11, 10, 51, 90]])


def test_confidence_is_shared_between_labels_and_teacher():
    labelled = (person([10, 10, 50, 90]), person([200, 10, 240, 90]))
    picture = Picture(Path("a.png"), "coco", True, labelled)
    boxes = Boxes(
        np.array([[12, 10, 50, 90], [100, 10, 140, 90], [15, 12, 50, 80], [0, 0, 5, 5]], np.float32),
        np.array([0.8, 0.5, 0.3, 0.01], np.float32),
    )
    people = with_teacher(picture, boxes, 0.4).people
    assert [round(p.confidence, 4) for p in people] == [0.92, 0.6, 0.2]
    np.testing.assert_array_equal(people[2].box, [100, 10, 140, 90])
    assert people[2].labelled.sum() == 0


def test_nobody_is_not_asked_twice(tmp_path, monkeypatch):
    image = white((200, 240), (20, 10, 60, 170))
    cv2.imwrite(str(tmp_path / "a.png"), image)
    pictures = [Picture(tmp_path / "a.png", "coco", True, ()), Picture(tmp_path / "a.png", "coco", True, ())]
    teacher = tmp_path / "teacher.onnx"
    teacher.write_bytes(b"weights")
    asked = []

    def make(file: Path, threshold: float) -> SeesWhite:
        asked.append(file)
        return SeesWhite()

    monkeypatch.setattr("posecli.teachers.nanodet.NanoDet", make)
    said: list[str] = []
    first = teacher_boxes(pictures, teacher, tmp_path / "kept", said.append)
    again = teacher_boxes(pictures, teacher, tmp_path / "kept", said.append)
    assert len(asked) == 1
    assert len(first) == 2
    assert said[-1] == "teacher: 100 % of 2 pictures"
    np.testing.assert_array_equal(first[1].xyxy, again[1].xyxy)
    np.testing.assert_array_equal(again[0].xyxy, ask(pictures, SeesWhite(), said.append)[0].xyxy)
    assert [file.suffix for file in (tmp_path / "kept").iterdir()] == [".npz"]


def test_a_file_that_is_no_teacher_is_named(tmp_path):
    with pytest.raises(PosecliError, match=r"teacher\.onnx: there is no such teacher file"):
        teacher_boxes([], tmp_path / "teacher.onnx", tmp_path, print)
