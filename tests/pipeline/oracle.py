"""Pictures that tell where every pixel lies, and a model that reads it there and knows the truth."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import torch
from torch import nn

from posecli.data.footage import Footage, FootageFrame
from posecli.data.people import Person
from posecli.geometry.heatmaps import cells_to_crop, crop_to_cells, decode, gaussian_targets
from posecli.skeletons import POSETRACK18, SKELETONS

PICTURE = (200, 250)  # height and width: a pixel's red is its x, its green its y, its blue the frame's index
CROP, HEATMAP, SIGMA = (64, 48), (16, 12), 1.0


class Oracle(nn.Module):
    """A stand-in for PoseModel: heatmaps with a Gaussian of height 1 at every true joint of the person in the box.

    It finds its way from the crops' own pixels: x and y from their colours, the frame from the middle one's blue. In a
    mirrored crop it takes left for right, as a network does.
    """

    def __init__(self, footage, skeleton=POSETRACK18, every_frame=False, frames=5):
        super().__init__()
        self.people = footage.people if footage else {}
        self.output_frames = tuple(range(frames)) if every_frame else (frames // 2,)
        crop = SimpleNamespace(frames=frames, height=CROP[0], width=CROP[1], box_scale=1.25)
        self.config = SimpleNamespace(input=crop, joints=skeleton)
        self.nothing = nn.Parameter(torch.zeros(1))
        self.batches, self.windows = [], []

    def forward(self, images_BTHWC):
        self.batches.append(len(images_BTHWC))
        return torch.stack([self._window(window.numpy()) for window in images_BTHWC])

    def keypoints(self, heatmaps_BFKHW, box_heights_B=None):
        cells, scores = decode(heatmaps_BFKHW.flatten(0, 1))
        windows = heatmaps_BFKHW.shape[:2]
        return cells_to_crop(cells, HEATMAP, CROP).unflatten(0, windows), scores.unflatten(0, windows)

    def _window(self, crops):
        shown = [int(crop[CROP[0] // 2, CROP[1] // 2, 2]) for crop in crops]
        self.windows.append(shown)
        return torch.stack([self._frame(crops[i], shown[i]) for i in self.output_frames])

    def _frame(self, crop, index):
        x = np.polyfit(np.arange(CROP[1]), crop[..., 0].mean(0), 1)  # picture x of crop column
        y = np.polyfit(np.arange(CROP[0]), crop[..., 1].mean(1), 1)
        middle = np.polyval(x, (CROP[1] - 1) / 2), np.polyval(y, (CROP[0] - 1) / 2)
        centers = [(p.box[:2] + p.box[2:]) / 2 for p in self.people[index]]
        person = self.people[index][int(np.argmin([np.linalg.norm(c - middle) for c in centers]))]
        places = (person.keypoints - [x[1], y[1]]) / [x[0], y[0]]
        if x[0] < 0:
            places = places[self.config.joints.flip]
        cells = crop_to_cells(torch.tensor(places[None], dtype=torch.float32), HEATMAP, CROP)
        return gaussian_targets(cells, HEATMAP, SIGMA)[0]


def picture(index):
    rows, columns = np.mgrid[: PICTURE[0], : PICTURE[1]]
    return np.stack([columns, rows, np.full_like(rows, index)], -1).astype(np.uint8)


def person_at(x, y, track_id, seed=0, skeleton=POSETRACK18):
    """A person of 30 x 60 pixels around x, y, with joints all over its box."""
    box = np.array([x - 15, y - 30, x + 15, y + 30], np.float32)
    inside = np.random.default_rng(seed).uniform(0.1, 0.9, (len(skeleton), 2))
    points = (box[:2] + inside * (box[2:] - box[:2])).astype(np.float32)
    head = np.array([x - 5, y - 30, x + 5, y - 18], np.float32)
    labelled = np.ones(len(points), np.float32)
    return Person(box, points, labelled, human=True, track_id=track_id, head_box=head)


def make_footage(folder, people, length, name="000001_film", labelled=None, skeleton="posetrack18"):
    """A sequence on disk, its people by place."""
    frames = []
    for index in range(length):
        path = folder / "images" / "val" / name / f"{index:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture(index)[..., ::-1])
        is_labelled = labelled is None or index in labelled
        frames.append(
            FootageFrame(path, path.relative_to(folder).as_posix(), 10_000_010_000 + index, is_labelled)
        )
    return Footage(
        name, SKELETONS[skeleton], tuple(frames), people, {}, folder / "annotations" / "val" / f"{name}.json"
    )


def walk(length, **options):
    """Two people over a film, the second from its fourth frame on."""
    return {
        i: tuple(
            [person_at(60 + 2 * i, 90, 7, seed=i, **options)]
            + ([person_at(180 - i, 100, 9, seed=100 + i, **options)] if i >= 3 else [])
        )
        for i in range(length)
    }


def write_annotations(footage):
    """The footage's labels as PoseTrack 2018 has them on disk."""
    images = [
        {"id": frame.image_id, "file_name": frame.name, "is_labeled": frame.labelled, "frame_id": frame.image_id,
         "vid_id": footage.name[:6], "nframes": len(footage)}
        for frame in footage.frames
    ]  # fmt: skip
    annotations = [
        {"id": 100 * frame.image_id + i, "image_id": frame.image_id, "category_id": 1, "track_id": person.track_id,
         "bbox": _xywh(person.box), "bbox_head": _xywh(person.head_box),
         "keypoints": np.column_stack([person.keypoints, person.labelled]).ravel().tolist()}
        for place, frame in enumerate(footage.frames) if frame.labelled
        for i, person in enumerate(footage.people.get(place, ()))
    ]  # fmt: skip
    category = {"id": 1, "name": "person", "keypoints": list(footage.skeleton.keypoints)}
    content = {"images": images, "annotations": annotations, "categories": [category]}
    footage.annotation.parent.mkdir(parents=True, exist_ok=True)
    footage.annotation.write_text(json.dumps(content))


def _xywh(box):
    x0, y0, x1, y1 = box.tolist()
    return [x0, y0, x1 - x0, y1 - y0]
