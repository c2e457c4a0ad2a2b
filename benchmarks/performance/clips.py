"""Clips of rendered people at 720p, made once: as many people as are asked for, in view all the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posecli.data.synthetic.scene import Scene
from posecli.video import VideoWriter

SIZE = (1280, 720)
FRAME_RATE = 30.0
CYCLE = 30  # frames that are rendered; a clip runs through them forth and back, so that nobody leaves
SEED = 20_240_117  # far from those of the trainings
# Share of the picture's height that the people have, smallest and largest.
STATURES = {1: (0.6, 0.9), 4: (0.45, 0.7), 10: (0.3, 0.45)}


def people_clip(folder: Path, people: int, frames: int) -> Path:
    """The clip in `folder`, rendered now if it is not there."""
    path = folder / f"people-{people}-{frames}.mp4"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        scene = people_scene(people)
        images = [scene.render(i / FRAME_RATE).image for i in range(min(CYCLE, frames))]
        cycle = images + images[-2:0:-1]
        with VideoWriter(path, width=SIZE[0], height=SIZE[1], frame_rate=FRAME_RATE) as writer:
            for i in range(frames):
                writer.write(cycle[i % len(cycle)])
    return path


def people_scene(people: int) -> Scene:
    rng = np.random.default_rng((SEED, people))
    return Scene.random(rng, people, SIZE, person_height=STATURES[people], occluder_probability=0)
