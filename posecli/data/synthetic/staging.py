"""Films drawn at random: two people whose ways cross, others beside them, things that pass in front, a crowd behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posecli.data.synthetic.background import PLACES, random_background
from posecli.data.synthetic.body import Proportions
from posecli.data.synthetic.camera import MovingCamera
from posecli.data.synthetic.film import Film, Mover
from posecli.data.synthetic.motion import Motion, Sway, dance, run, stand, walk, walk_and_wave, wave
from posecli.data.synthetic.person import Lens
from posecli.data.synthetic.render import Occluder
from posecli.data.synthetic.scene import Actor, Camera, Finish, random_actor, random_camera, random_light
from posecli.data.synthetic.texture import Outfit, cloth, random_colour

FRAME_RATE = 15.0
MARGIN = 0.25  # of the picture's size that the background reaches beyond each side
PERSON_HEIGHT = (0.42, 0.75)  # stature of those in front, share of the picture's height
CROWD_HEIGHT = (0.13, 0.19)  # stature of the crowd, the same
GAP = (1.2, 1.45)  # how much farther the second of two who cross is than the first
HORIZON = (0.12, 0.6)  # its row, share of the picture's height
CROWD_PROBABILITY = 0.5  # outdoors: a room has no distance
MOVER_PROBABILITY = 0.65
WALKS = (walk, walk_and_wave, run)


def random_film(rng: np.random.Generator, frames: int, size: tuple[int, int]) -> Film:
    """A film of 2 to 4 people.

    Args:
        frames: its length: whoever crosses does so near the middle.
        size: (width, height) pixels.
    """
    duration = frames / FRAME_RATE
    place = str(rng.choice(PLACES))
    still, depth = _still_camera(rng, size)
    actors = crossing_pair(rng, still, depth, size[0], duration)
    others = int(rng.integers(0, 3))
    actors += [random_actor(rng, i, others, still, depth * 1.1, size[0]) for i in range(others)]
    movers = [random_mover(rng, still, depth, duration)] if rng.random() < MOVER_PROBABILITY else []
    crowded = place != "room" and rng.random() < CROWD_PROBABILITY
    crowd = random_crowd(rng, still, size) if crowded else []
    margin = (round(MARGIN * size[0]), round(MARGIN * size[1]))
    panorama = (size[0] + 2 * margin[0], size[1] + 2 * margin[1])
    return Film(
        random_background(rng, panorama, still.centre[1] + margin[1], place),
        margin,
        _moving(rng, still, size, duration),
        actors,
        FRAME_RATE,
        float(rng.uniform(0.25, 0.6)) / FRAME_RATE,
        random_light(rng),
        replace(Finish.random(rng), jpeg_quality=None),
        movers,
        crowd,
    )


def _still_camera(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Camera, float]:
    """A camera with the horizon in the picture, so that people stand on the ground that is drawn."""
    while True:
        camera, depth = random_camera(rng, size, PERSON_HEIGHT)
        if HORIZON[0] <= camera.centre[1] / size[1] <= HORIZON[1]:
            return camera, depth


def _moving(rng: np.random.Generator, still: Camera, size: tuple[int, int], duration: float) -> MovingCamera:
    """Mostly a hand that holds the camera, and often a pan or a zoom: never beyond the background."""
    width, height = size
    reach = np.array([0.12 * width, 0.05 * height]) * (rng.random() < 0.6)
    pan = rng.uniform(-1, 1, 2) * 2 * reach / duration
    zoom = rng.uniform(-0.2, 0.2) / duration if rng.random() < 0.4 else 0.0
    shake = rng.uniform(0, 0.02) * width
    return MovingCamera(
        Lens(still.focal, still.centre), size, still.height, duration / 2, (float(pan[0]), float(pan[1])),
        float(zoom), float(shake), (Sway.random(rng, 3.0), Sway.random(rng, 3.0)),
    )  # fmt: skip


def crossing_pair(
    rng: np.random.Generator, camera: Camera, depth: float, width: int, duration: float
) -> list[Actor]:
    """Two people who walk or run in opposite directions and are in one line with the camera about half-way."""
    meeting = duration * rng.uniform(0.4, 0.6)
    column = rng.uniform(0.38, 0.62) * width
    side = rng.choice([-1, 1])
    depths = (depth, depth * rng.uniform(*GAP))
    return [
        _passer_by(rng, camera, z, column, meeting, direction)
        for z, direction in zip(depths, (side, -side), strict=True)
    ]


def _passer_by(
    rng: np.random.Generator, camera: Camera, z: float, column: float, meeting: float, direction: float
) -> Actor:
    """Someone who is at a column of the picture, z metres away, at the time of a meeting."""
    body, motion = Proportions.random(rng), WALKS[int(rng.choice(3, p=[0.6, 0.2, 0.2]))](rng)
    yaw = direction * float(np.pi / 2 + rng.normal(0, 0.3))
    travelled = motion.speed * body.stature * meeting
    x = (column - camera.centre[0]) * z / camera.focal - travelled * np.sin(yaw)
    start = (float(x), float(z + travelled * np.cos(yaw)))
    return Actor(body, Outfit.random(rng), motion, start, yaw, time_offset=float(rng.uniform(0, 20)))


def random_mover(rng: np.random.Generator, camera: Camera, depth: float, duration: float) -> Mover:
    """A cart, a post, or a ball that passes in front of everyone."""
    material = cloth(rng, random_colour(rng, 0.6), str(rng.choice(["plain", "stripes", "plaid", "print"])))
    z = depth * rng.uniform(0.7, 0.85)
    velocity = float(rng.choice([-1, 1]) * rng.uniform(0.8, 2.5))
    x = float(rng.normal(0, 0.4) - velocity * duration * rng.uniform(0.35, 0.65))
    kind = rng.choice(["cart", "post", "ball"], p=[0.4, 0.25, 0.35])
    if kind == "cart":
        width, height = rng.uniform(0.5, 1.2), rng.uniform(0.35, 0.9)
        return Mover(Occluder(x, z, float(width), float(height), material, above=0.08), velocity)
    if kind == "post":
        return Mover(Occluder(x, z, float(rng.uniform(0.12, 0.3)), 2.2, material), velocity)
    across = float(rng.uniform(0.2, 0.55))
    ball = Occluder(x, z, across, across, material, round=True)
    return Mover(ball, velocity, float(rng.uniform(0, 1.0)), float(rng.uniform(0.8, 1.6)))


def random_crowd(rng: np.random.Generator, camera: Camera, size: tuple[int, int]) -> list[Actor]:
    """People side by side, far away."""
    width, height = size
    z = camera.focal * 1.7 / (rng.uniform(*CROWD_HEIGHT) * height)
    count, spacing = int(rng.integers(4, 9)), float(rng.uniform(0.55, 0.9))
    left = (rng.uniform(0.1, 0.9) * width - camera.centre[0]) * z / camera.focal - count * spacing / 2
    crowd = []
    for i in range(count):
        motions = (stand, wave, dance)
        motion: Motion = motions[int(rng.choice(3, p=[0.7, 0.15, 0.15]))](rng)
        x = left + spacing * (i + rng.uniform(-0.25, 0.25))
        place = (float(x), float(z * rng.uniform(0.97, 1.06)))
        yaw, start = float(rng.normal(0, 0.5)), float(rng.uniform(0, 20))
        crowd.append(
            Actor(Proportions.random(rng), Outfit.random(rng), motion, place, yaw, time_offset=start)
        )
    return crowd
