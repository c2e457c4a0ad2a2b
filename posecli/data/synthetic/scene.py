"""Scenes: who is where and does what before which camera, for every moment of a clip.

A scene is a pure function of the generator that it is drawn from and of the time: rendering the same moment
twice gives the same picture, in any order of moments. Seed 7 belongs to examples/render_people.py: train on
seeds from FIRST_TRAINING_SEED up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from posecli.data.synthetic.background import random_background
from posecli.data.synthetic.body import Proportions
from posecli.data.synthetic.motion import Motion, Sway, random_motion
from posecli.data.synthetic.person import Lens
from posecli.data.synthetic.raster import Light
from posecli.data.synthetic.render import Occluder, Placed, SyntheticFrame, render
from posecli.data.synthetic.texture import Outfit, cloth, random_colour
from posecli.data.synthetic.tracks import TrackMotion
from posecli.types import Image

EXAMPLE_SEED = 7
FIRST_TRAINING_SEED = 1000


@dataclass(frozen=True, slots=True)
class Actor:
    """A person with its clothes, motion and path. It is at `start` at time 0 and walks the way it faces."""

    body: Proportions
    outfit: Outfit
    motion: Motion | TrackMotion
    start: tuple[float, float]  # x and z before the camera, metres
    yaw: float  # 0 faces the camera, +90 degrees faces right (radians)
    turn: float = 0.0  # radians a second
    time_offset: float = 0.0

    def place(self, time_s: float, track_id: int, ground: float) -> Placed:
        yaw = self.yaw + self.turn * time_s
        figure = self.motion.figure(self.body, time_s + self.time_offset, yaw)
        x, z = self.position(time_s)
        return Placed(figure, self.outfit, np.array([x, ground, z]), track_id)

    def position(self, time_s: float) -> tuple[float, float]:
        """x and z, metres: a line, or an arc for someone who turns."""
        pace = self.motion.speed * self.body.stature
        if abs(self.turn) < 1e-6:
            path = np.array([np.sin(self.yaw), -np.cos(self.yaw)]) * time_s
        else:
            end = self.yaw + self.turn * time_s
            path = np.array([np.cos(self.yaw) - np.cos(end), np.sin(self.yaw) - np.sin(end)]) / self.turn
        return float(self.start[0] + pace * path[0]), float(self.start[1] + pace * path[1])


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole above level ground. Its view may drift; the background drifts along."""

    focal: float  # pixels
    centre: tuple[float, float]  # principal point; its row is the horizon
    height: float  # metres above the ground
    drift: float = 0.0  # pixels
    sways: tuple[Sway, Sway] | None = None

    def shift(self, time_s: float) -> tuple[float, float]:
        if self.sways is None:
            return 0.0, 0.0
        return self.drift * self.sways[0](time_s), self.drift * self.sways[1](time_s)

    def lens(self, time_s: float) -> Lens:
        x, y = self.shift(time_s)
        return Lens(self.focal, (self.centre[0] + x, self.centre[1] + y))


@dataclass(frozen=True, slots=True)
class Finish:
    """What the camera does to the picture."""

    blur: float = 0.0  # sigma, pixels
    noise: float = 0.0  # sigma, grey levels
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)  # of red, green and blue
    jpeg_quality: int | None = None
    seed: int = 0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Finish:
        red, green, blue = rng.uniform(0.75, 1.15) * rng.uniform(0.94, 1.06, 3)
        return cls(
            blur=float(rng.choice([0.0, rng.uniform(0.3, 1.0)])),
            noise=float(rng.uniform(0.5, 6)),
            gain=(float(red), float(green), float(blue)),
            jpeg_quality=int(rng.integers(35, 95)) if rng.random() < 0.6 else None,
            seed=int(rng.integers(2**31)),
        )

    def apply(self, image: Image, time_s: float) -> Image:
        picture = image.astype(np.float32) * np.asarray(self.gain, np.float32)
        if self.blur > 0:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), self.blur), np.float32)
        if self.noise > 0:
            rng = np.random.default_rng([self.seed, round(time_s * 1000)])
            # The sum of two uniform draws: near enough to a normal one, and much faster.
            grain = rng.integers(0, 256, (2, *picture.shape), dtype=np.uint8).astype(np.float32).sum(0)
            picture += (grain - 255) * np.float32(self.noise / 104.5)
        finished = np.clip(picture, 0, 255).astype(np.uint8)
        return finished if self.jpeg_quality is None else _compressed(finished, self.jpeg_quality)


def _compressed(image: Image, quality: int) -> Image:
    """What is left of the picture after JPEG."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is drawn, at any time."""

    background: Image
    camera: Camera
    actors: list[Actor]
    light: Light = field(default_factory=Light)
    finish: Finish = field(default_factory=Finish)
    occluders: list[Occluder] = field(default_factory=list)

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        num_people: int = 2,
        size: tuple[int, int] = (384, 288),
        background: Image | None = None,
        person_height: tuple[float, float] = (0.35, 0.95),
        occluder_probability: float = 0.15,
        camera_drift: float = 0.0,
    ) -> Scene:
        """A scene drawn at random.

        Args:
            size: (width, height) pixels.
            background: RGB picture without people, scaled and cropped to the size; procedural if None.
            person_height: smallest and largest stature, as a share of the picture's height.
            occluder_probability: of one board standing in front of somebody.
            camera_drift: how far the view wanders over time, pixels.
        """
        camera, depth = random_camera(rng, size, person_height, camera_drift)
        actors = [random_actor(rng, i, num_people, camera, depth, size[0]) for i in range(num_people)]
        if background is None:
            background = random_background(rng, size, camera.centre[1])
        boards = []
        if actors and rng.random() < occluder_probability:
            boards = [_random_occluder(rng, actors[int(rng.integers(num_people))])]
        return cls(cover(background, size), camera, actors, random_light(rng), Finish.random(rng), boards)

    @property
    def size(self) -> tuple[int, int]:
        return self.background.shape[1], self.background.shape[0]

    def render(self, time_s: float = 0.0) -> SyntheticFrame:
        """The picture at a time, with its labels."""
        people = [actor.place(time_s, i + 1, self.camera.height) for i, actor in enumerate(self.actors)]
        shift = self.camera.shift(time_s)
        background = self.background
        if shift != (0.0, 0.0):
            moved = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
            moved_view = cv2.warpAffine(background, moved, self.size, borderMode=cv2.BORDER_REFLECT)
            background = np.asarray(moved_view, np.uint8)
        lens = self.camera.lens(time_s)
        frame = render(background, lens, self.light, people, self.occluders, self.camera.height)
        image = self.finish.apply(frame.image, time_s)
        return SyntheticFrame(
            image,
            frame.keypoints,
            frame.visible,
            frame.boxes,
            frame.track_ids,
            frame.instances,
            frame.visible_fraction,
        )


def cover(picture: Image, size: tuple[int, int]) -> Image:
    """The picture scaled to fill the size (width, height), its middle kept."""
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    scale = max(width / picture.shape[1], height / picture.shape[0])
    scaled_size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    scaled = cv2.resize(picture, scaled_size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x, y = (scaled.shape[1] - width) // 2, (scaled.shape[0] - height) // 2
    return np.ascontiguousarray(scaled[y : y + height, x : x + width])


def random_light(rng: np.random.Generator) -> Light:
    angle, rise = rng.uniform(-1.2, 1.2), rng.uniform(0.2, 1.1)
    towards = np.array([np.sin(angle) * np.cos(rise), -np.sin(rise), -np.cos(angle) * np.cos(rise)])
    ambient = rng.uniform(0.4, 0.75)
    return Light((float(towards[0]), float(towards[1]), float(towards[2])), ambient, 1.2 - ambient)


def random_camera(
    rng: np.random.Generator, size: tuple[int, int], person_height: tuple[float, float], drift: float = 0.0
) -> tuple[Camera, float]:
    """A camera, and the depth in metres at which people have the height drawn for them."""
    width, height = size
    focal = rng.uniform(0.9, 2.2) * max(width, height)
    stature_px = rng.uniform(*person_height) * height
    depth = focal * 1.7 / stature_px
    rise = rng.uniform(0.7, 2.1)
    feet = rng.uniform(min(stature_px / height + 0.04, 0.95), 1.0) * height
    centre = (width / 2, feet - focal * rise / depth)
    sways = (Sway.random(rng, 0.5), Sway.random(rng, 0.5))
    return Camera(focal, centre, rise, drift, sways if drift > 0 else None), depth


def random_actor(
    rng: np.random.Generator, i: int, count: int, camera: Camera, depth: float, width: int
) -> Actor:
    motion = random_motion(rng)
    z = depth * float(rng.uniform(0.95, 1.45))
    column = (i + rng.uniform(0.15, 0.85)) / count * width
    x = (column - camera.centre[0]) * z / camera.focal
    facing = rng.choice(["camera", "any", "side"], p=[0.4, 0.35, 0.25])
    yaw = {"camera": rng.normal(0, 0.5), "any": rng.uniform(-np.pi, np.pi)}.get(
        str(facing), float(rng.choice([-1, 1])) * rng.normal(np.pi / 2, 0.25)
    )
    turn = float(rng.normal(0, 0.35)) if rng.random() < 0.5 else 0.0
    return Actor(
        Proportions.random(rng),
        Outfit.random(rng),
        motion,
        (x, z),
        float(yaw),
        turn,
        float(rng.uniform(0, 20)),
    )


def _random_occluder(rng: np.random.Generator, actor: Actor) -> Occluder:
    """A post, or a low wall or hedge, a little in front of somebody."""
    material = cloth(rng, random_colour(rng, 0.3), str(rng.choice(["plain", "stripes", "print"])))
    x, z = actor.start[0] + rng.normal(0, 0.25), actor.start[1] * rng.uniform(0.75, 0.9)
    if rng.random() < 0.4:
        return Occluder(x, z, float(rng.uniform(0.08, 0.25)), 3.0, material)
    return Occluder(x, z, float(rng.uniform(0.5, 2.0)), float(rng.uniform(0.3, 0.9)), material)
