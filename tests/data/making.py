"""Small made datasets and people for the tests of this folder."""

import json

import cv2
import numpy as np

from posecli.data.people import Person
from posecli.skeletons import COCO
from posecli.video import VideoWriter

K = len(COCO)


def blob(height, width, x, y, sigma=3.0):
    """A bright Gaussian at x, y on black."""
    rows, columns = np.mgrid[:height, :width]
    light = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.repeat(light.round().astype(np.uint8)[..., None], 3, -1)


def centroid(image):
    """x, y of the light in a picture."""
    weight = image[..., 0].astype(float)
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def person(box, points=None, labelled=None, **fields):
    """A person whose keypoints spread over the box's diagonal, all labelled, unless they are given."""
    box = np.array(box, np.float32)
    along = np.linspace(0.1, 0.9, K, dtype=np.float32)[:, None]
    points = box[:2] + along * (box[2:] - box[:2]) if points is None else np.array(points, np.float32)
    labelled = np.ones(K, np.float32) if labelled is None else np.array(labelled, np.float32)
    return Person(box, points, labelled, **({"human": True} | fields))


def annotation(image_id, box, visible=2, **fields):
    """COCO's for a person at a box (x, y, width, height); every keypoint in its middle."""
    x, y, width, height = box
    keypoints = [x + width / 2, y + height / 2, visible] * K
    return {"image_id": image_id, "bbox": list(box), "keypoints": keypoints, "category_id": 1} | fields


def write_coco(folder, images, annotations, split="train"):
    """The `coco` layout; images: (id, RGB picture, more fields)."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    (folder / "images" / split).mkdir(parents=True, exist_ok=True)
    entries = []
    for image_id, image, fields in images:
        name = f"{image_id}.png"
        cv2.imwrite(str(folder / "images" / split / name), image[..., ::-1])
        entries.append({"id": image_id, "file_name": name} | fields)
    content = {"images": entries, "annotations": annotations}
    (folder / "annotations" / f"{split}.json").write_text(json.dumps(content))


def write_clip(folder, name, images, annotations, split="train", frames=None):
    """The `clips` layout; the image of frame i has id 100 + i."""
    root = folder / "clips" / split
    root.mkdir(parents=True, exist_ok=True)
    height, width = images[0].shape[:2]
    with VideoWriter(root / f"{name}.mp4", width=width, height=height, frame_rate=25) as writer:
        for image in images:
            writer.write(image)
    frames = range(len(images)) if frames is None else frames
    entries = [{"id": 100 + i, "frame": i} for i in frames]
    (root / f"{name}.json").write_text(json.dumps({"images": entries, "annotations": annotations}))
