"""Rendered people as training data: scenes of posecli.data.synthetic under seeds that no example uses."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from posecli.data.people import Person
from posecli.data.synthetic.scene import Scene
from posecli.types import Image

SCENE_SIZE = (384, 288)  # (width, height)
MAX_PEOPLE = 4
# The example clip's seed is small: training scenes start far from it.
FIRST_SEED = 1_000_000
MIN_VISIBLE = 0.3
GROUP = "synthetic"


class RenderedScenes:
    """`size` different scenes with everyone in them; a scene is drawn anew at a random moment each time."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def render(self, index: int, rng: Generator, min_people: int = 0) -> tuple[Image, tuple[Person, ...]]:
        """The picture and its people; those hidden for the most part count as crowd (to be ignored)."""
        scene_rng = np.random.default_rng((FIRST_SEED, index))
        scene = Scene.random(scene_rng, int(scene_rng.integers(min_people, MAX_PEOPLE + 1)), SCENE_SIZE)
        frame = scene.render(float(rng.uniform(0, 4)))
        height, width = frame.image.shape[:2]
        inside = np.all((frame.keypoints >= 0) & (frame.keypoints < [width, height]), -1)
        people = [
            Person(
                box.astype(np.float32), points.astype(np.float32), labelled.astype(np.float32), False, hidden
            )
            for box, points, labelled, hidden in zip(
                frame.boxes, frame.keypoints, inside, frame.visible_fraction < MIN_VISIBLE, strict=True
            )
            if np.all(np.isfinite(box)) and np.all(box[2:] - box[:2] > 1)
        ]
        return frame.image, tuple(people)

    def load(self, index: int, rng: Generator) -> tuple[Image, Person, str]:
        """One person of a scene, for the encoder."""
        for attempt in range(20):
            image, people = self.render((index + attempt) % self._size, rng, min_people=1)
            usable = [person for person in people if not person.crowd and person.labelled.sum() > 4]
            if usable:
                return image, usable[int(rng.integers(len(usable)))], GROUP
        raise RuntimeError("no rendered scene shows a person")
