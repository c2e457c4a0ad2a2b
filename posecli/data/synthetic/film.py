"""Films: people, things and a crowd before a moving camera, exposed for a while, labelled at mid-exposure.

A film is a pure function of what it is made of and of the frame's index: frames can be drawn in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from posecli.data.synthetic.body import Array
from posecli.data.synthetic.camera import MovingCamera
from posecli.data.synthetic.person import Lens
from posecli.data.synthetic.raster import FloatArray, Light
from posecli.data.synthetic.render import Occluder, Placed, SyntheticFrame, head_box, project, render
from posecli.data.synthetic.scene import Actor, Finish
from posecli.skeletons import POSETRACK18
from posecli.types import Image

STEP = 2.0  # pixels that a joint may move between two moments of an exposure
STILL = 0.5  # pixels: less motion than this does not blur
MAX_MOMENTS = 7
CROWD_PADDING = 1.5  # pixels around the crowd that are ignored as well


@dataclass(frozen=True, slots=True)
class Mover:
    """A thing that crosses the scene: it slides, and hops if it is a ball."""

    thing: Occluder  # where it is at time 0
    velocity: float = 0.0  # metres a second, to the right
    hop: float = 0.0  # metres
    hops_per_s: float = 1.0

    def at(self, time_s: float) -> Occluder:
        lift = self.hop * abs(np.sin(np.pi * self.hops_per_s * time_s))
        return replace(
            self.thing, x=self.thing.x + self.velocity * time_s, above=self.thing.above + float(lift)
        )


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """A picture and what is true of it in the middle of its exposure."""

    drawn: SyntheticFrame  # image, and keypoints in PoseTrack 2018's order
    head_boxes: FloatArray  # (n, 4) x0, y0, x1, y1 pixels, not cut to the picture
    ignored: tuple[FloatArray, ...]  # polygons (corners, 2) of pixels, cut to the picture


@dataclass(frozen=True, slots=True)
class Film:
    """Everything that is drawn. `background` reaches `margin` (columns, rows) beyond the picture at rest."""

    background: Image
    margin: tuple[int, int]
    camera: MovingCamera
    actors: list[Actor]  # the labelled people; track ids count from 1
    frame_rate: float = 15.0
    exposure_s: float = 1 / 30
    light: Light = field(default_factory=Light)
    finish: Finish = field(default_factory=Finish)
    movers: list[Mover] = field(default_factory=list)
    crowd: list[Actor] = field(default_factory=list)

    def frame(self, index: int) -> FilmFrame:
        """The picture at an index, with its labels."""
        middle = index / self.frame_rate
        panorama, region = self._panorama(middle)
        moments = self._moments(middle)
        drawn = [self._moment(panorama, time_s) for time_s in moments]
        truth = drawn[len(drawn) // 2]
        exposed = np.mean([frame.image for frame in drawn], axis=0, dtype=np.float32)
        image = self.finish.apply(np.rint(exposed).astype(np.uint8), middle)
        lens = self.camera.lens(middle)
        placed = {person.track_id: person for person in self._people(middle)}
        heads = [head_box(lens, placed[track_id]) for track_id in truth.track_ids.tolist()]
        ignored = () if region is None else _cut(self.camera.view(middle).points(region), self.camera.size)
        return FilmFrame(replace(truth, image=image), np.array(heads, np.float32).reshape(-1, 4), ignored)

    def _people(self, time_s: float) -> list[Placed]:
        return [actor.place(time_s, i + 1, self.camera.height) for i, actor in enumerate(self.actors)]

    def _moments(self, middle: float) -> Array:
        """Times spread evenly over an exposure, an odd number: nothing moves farther than STEP between them."""
        start, end = (self._landmarks(middle + side * self.exposure_s / 2) for side in (-1, 1))
        moved = float(np.linalg.norm(end - start, axis=1).max())
        count = min(MAX_MOMENTS, 2 * int(np.ceil(moved / STEP / 2)) + 1) if moved > STILL else 1
        return middle + self.exposure_s * ((np.arange(count) + 0.5) / count - 0.5)

    def _landmarks(self, time_s: float) -> FloatArray:
        """(n, 2) pixels: every joint, the things, and the corners of the picture at rest."""
        view, (width, height) = self.camera.view(time_s), self.camera.size
        lens = view.lens(self.camera.rest)
        joints = [project(lens, person) for person in self._people(time_s)]
        things = [lens.end(_middle(mover.at(time_s), self.camera.height)) for mover in self.movers]
        corners = view.points(np.array([[0, 0], [width, 0], [0, height], [width, height]]))
        return np.concatenate([*joints, *([[end.x, end.y]] for end in things), corners])

    def _moment(self, panorama: Image, time_s: float) -> SyntheticFrame:
        view = self.camera.view(time_s)
        background = view.look(panorama, self.margin, self.camera.size)
        things = [mover.at(time_s) for mover in self.movers]
        lens, ground = view.lens(self.camera.rest), self.camera.height
        return render(background, lens, self.light, self._people(time_s), things, ground, POSETRACK18)

    def _panorama(self, time_s: float) -> tuple[Image, FloatArray | None]:
        """The background with the crowd on it, and the polygon around the crowd in positions at rest."""
        if not self.crowd:
            return self.background, None
        rest, ground = self.camera.rest, self.camera.height
        lens = Lens(rest.focal, (rest.centre[0] + self.margin[0], rest.centre[1] + self.margin[1]))
        people = [actor.place(time_s, i + 1, ground) for i, actor in enumerate(self.crowd)]
        frame = render(self.background, lens, self.light, people, [], ground)
        return frame.image, _hull(frame.boxes) - np.array(self.margin, np.float32)


def _middle(thing: Occluder, ground: float) -> Array:
    return np.array([thing.x, ground - thing.above - thing.height / 2, thing.z])


def _hull(boxes: FloatArray) -> FloatArray:
    """The convex polygon around boxes (n, 4), a little wider."""
    padded = boxes + np.array([-1, -1, 1, 1]) * CROWD_PADDING
    corners = padded[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].reshape(-1, 2)
    return np.asarray(cv2.convexHull(corners.astype(np.float32))[:, 0], np.float32)


def _cut(polygon: FloatArray, size: tuple[int, int]) -> tuple[FloatArray, ...]:
    """The part of a convex polygon inside the picture: one polygon, or none."""
    width, height = size
    picture = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    area, common = cv2.intersectConvexConvex(picture, polygon.astype(np.float32))
    return (np.asarray(common[:, 0], np.float32),) if area > 1 else ()
