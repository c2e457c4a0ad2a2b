"""Rendered people as training data: scenes of posecli.data.synthetic under seeds that no example uses."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from posecli.data.people import Person
from posecli.data.synthetic.render import SyntheticFrame
from posecli.data.synthetic.scene import Scene
from posecli.types import Image

SCENE_SIZE = (384, 288)  # (width, height)
MAX_PEOPLE = 4
# The example clip's seed is small: training scenes start far from it.
FIRST_SEED = 1_000_000
MIN_VISIBLE = 0.3
MIN_KEYPOINTS = 5
LAST_MOMENT = 4.0  # seconds
ATTEMPTS = 20  # scenes to look for somebody in
GROUP = "synthetic"


class RenderedScenes:
    """`size` different scenes with everyone in them; a scene is drawn anew at a random moment each time."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def render(self, index: int, rng: Generator, min_people: int = 0) -> tuple[Image, tuple[Person, ...]]:
        """The picture and its people; those hidden for the most part count as crowd (to be ignored)."""
        frame = self._scene(index, min_people).render(float(rng.uniform(0, LAST_MOMENT)))
        return frame.image, tuple(_people(frame))

    def film(
        self, index: int, rng: Generator, length: int, frame_rate: float
    ) -> tuple[list[Image], list[Person | None]]:
        """Consecutive frames, and one of the scene's people on them (None where it is out of sight)."""
        for attempt in range(ATTEMPTS):
            scene = self._scene((index + attempt) % self._size, min_people=1)
            start = float(rng.uniform(0, LAST_MOMENT))
            frames = [scene.render(start + i / frame_rate) for i in range(length)]
            sightings = [{p.track_id: p for p in _people(frame) if _usable(p)} for frame in frames]
            middle = sorted(sightings[length // 2])
            if middle:
                track_id = middle[int(rng.integers(len(middle)))]
                return [frame.image for frame in frames], [seen.get(track_id) for seen in sightings]
        raise RuntimeError("no rendered scene shows a person")

    def _scene(self, index: int, min_people: int) -> Scene:
        rng = np.random.default_rng((FIRST_SEED, index))
        return Scene.random(rng, int(rng.integers(min_people, MAX_PEOPLE + 1)), SCENE_SIZE)

    def load(self, index: int, rng: Generator) -> tuple[Image, Person, str]:
        """One person of a scene, for the encoder."""
        for attempt in range(ATTEMPTS):
            image, people = self.render((index + attempt) % self._size, rng, min_people=1)
            usable = [person for person in people if _usable(person)]
            if usable:
                return image, usable[int(rng.integers(len(usable)))], GROUP
        raise RuntimeError("no rendered scene shows a person")


def _usable(person: Person) -> bool:
    return not person.crowd and person.labelled.sum() >= MIN_KEYPOINTS


def _people(frame: SyntheticFrame) -> list[Person]:
    height, width = frame.image.shape[:2]
    inside = np.all((frame.keypoints >= 0) & (frame.keypoints < [width, height]), -1)
    return [
        Person(
            frame.boxes[i].astype(np.float32),
            frame.keypoints[i].astype(np.float32),
            inside[i].astype(np.float32),
            human=False,
            crowd=bool(frame.visible_fraction[i] < MIN_VISIBLE),
            track_id=int(frame.track_ids[i]),
        )
        for i in range(len(frame.boxes))
        if np.all(np.isfinite(frame.boxes[i])) and np.all(frame.boxes[i, 2:] - frame.boxes[i, :2] > 1)
    ]
