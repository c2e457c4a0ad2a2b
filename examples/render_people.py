"""Renders the example clip: two synthetic people walk in a street and cross, with exact keypoints on request.

python examples/render_people.py -o examples/people.mp4 --seed 7
python examples/render_people.py -o people.mp4 --labels people.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from posecli.data.synthetic.background import random_background
from posecli.data.synthetic.body import Proportions
from posecli.data.synthetic.motion import walk, walk_and_wave
from posecli.data.synthetic.render import SyntheticFrame
from posecli.data.synthetic.scene import EXAMPLE_SEED, Actor, Camera, Finish, Scene, random_light
from posecli.data.synthetic.texture import Outfit
from posecli.skeletons import COCO
from posecli.video import VideoWriter

SIZE = (640, 360)
FRAME_RATE = 30.0
TAKE = 4  # of the pairs of people that a seed gives, the one shown


def street_scene(seed: int, duration_s: float) -> Scene:
    """Two people who start at the picture's sides, pass each other halfway and end where the other began."""
    rng = np.random.default_rng([seed, TAKE])
    width, height = SIZE
    horizon = 0.38 * height
    camera = Camera(focal=780.0, centre=(width / 2, horizon), height=1.25)
    actors = []
    for motion, side, depth in ((walk_and_wave(rng, 0.25), -1.0, 5.7), (walk(rng, 0.4), 1.0, 6.8)):
        body = Proportions.random(rng, child_probability=0)
        # A little towards the camera, so that faces are seen.
        yaw = -side * np.deg2rad(50)
        travelled = motion.speed * body.stature * duration_s * np.array([np.sin(yaw), -np.cos(yaw)])
        start = (-travelled[0] / 2, depth - travelled[1] / 2)
        actors.append(Actor(body, Outfit.random(rng), motion, (float(start[0]), float(start[1])), float(yaw)))
    background = random_background(rng, SIZE, horizon, "street")
    return Scene(background, camera, actors, random_light(rng), Finish(blur=0.5, noise=2.0, seed=seed))


def labels_of(frame: SyntheticFrame, image_id: int, first_id: int) -> list[dict[str, Any]]:
    """COCO annotations of one frame; v is 2 for a visible keypoint, 1 for one that is hidden."""
    people = []
    for i, (track_id, box) in enumerate(zip(frame.track_ids.tolist(), frame.boxes.tolist(), strict=True)):
        flags = np.where(frame.visible[i], 2, 1)
        keypoints = np.column_stack([frame.keypoints[i].round(2), flags]).astype(float)
        x0, y0, x1, y1 = box
        people.append(
            {
                "id": first_id + i,
                "image_id": image_id,
                "category_id": 1,
                "track_id": track_id,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": (x1 - x0) * (y1 - y0),
                "iscrowd": 0,
                "keypoints": keypoints.ravel().tolist(),
                "num_keypoints": len(COCO),
            }
        )
    return people


def dataset() -> dict[str, list[dict[str, Any]]]:
    """An empty COCO data set with its category."""
    limbs = [[a + 1, b + 1] for a, b in COCO.limb_indices]
    category = {"id": 1, "name": "person", "keypoints": list(COCO.keypoints), "skeleton": limbs}
    return {"images": [], "annotations": [], "categories": [category]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the video to write (.mp4)")
    parser.add_argument("--labels", type=Path, help="where to write the exact keypoints, as a COCO data set")
    parser.add_argument("--seed", type=int, default=EXAMPLE_SEED)
    parser.add_argument("--duration", type=float, default=4.0, help="seconds (default: 4)")
    arguments = parser.parse_args()

    scene = street_scene(arguments.seed, arguments.duration)
    width, height = SIZE
    labels = dataset()
    with VideoWriter(arguments.output, width=width, height=height, frame_rate=FRAME_RATE) as writer:
        for index in range(round(arguments.duration * FRAME_RATE)):
            frame = scene.render(index / FRAME_RATE)
            writer.write(frame.image)
            image = {"id": index, "file_name": f"{index:06d}.jpg", "width": width, "height": height}
            labels["images"].append(image | {"frame": index})
            labels["annotations"] += labels_of(frame, index, len(labels["annotations"]) + 1)
    if arguments.labels:
        temporary = arguments.labels.with_name(arguments.labels.name + ".tmp")
        temporary.write_text(json.dumps(labels))
        temporary.replace(arguments.labels)


if __name__ == "__main__":
    main()
