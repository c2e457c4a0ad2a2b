"""Draws one dressed person from its figure: the solids of the body, in the colours of an outfit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posecli.data.synthetic.body import HEAD_RADII, SIDES, Array, Figure
from posecli.data.synthetic.raster import (
    Canvas,
    End,
    FloatArray,
    Material,
    Painter,
    draw_ellipsoid,
    draw_tube,
    plain,
)
from posecli.data.synthetic.texture import Outfit

# Half widths at equal steps along a part, as fractions of stature.
UPPER_ARM = np.array([0.028, 0.030, 0.027, 0.024, 0.023])
FOREARM = np.array([0.023, 0.025, 0.023, 0.018, 0.0155])
THIGH = np.array([0.050, 0.051, 0.046, 0.040, 0.034])
SHANK = np.array([0.033, 0.035, 0.032, 0.025, 0.021])
# The trunk from just below the hips to the neck's base: sideways and front to back.
TRUNK_WIDTH = np.array([0.080, 0.092, 0.090, 0.083, 0.081, 0.085, 0.092, 0.098, 0.102, 0.104, 0.094, 0.036])
TRUNK_DEPTH = np.array([0.058, 0.066, 0.064, 0.058, 0.057, 0.060, 0.064, 0.066, 0.063, 0.056, 0.046, 0.030])
WAIST = 2  # the step of the trunk at which trousers end
# Cloth that hangs spans the legs: it is in front of them up to its edges, more box than tube.
DRAPE = 1.5
HANGING = np.array(
    [0.030, 0.012, 0.0]
)  # added by a coat or skirt that hangs over the thighs, up to the waist
HAIRLINE = ((-1.0, -0.62, -0.2, 0.05, 0.4, 1.0), (-0.66, -0.55, -0.1, 0.12, 0.45, 0.5))  # z of the head -> y


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole: pixels = focal * (x, y) / z + centre, for points in metres before the camera."""

    focal: float
    centre: tuple[float, float]

    def end(self, point: Array) -> End:
        scale = self.focal / max(point[2], 0.1)
        return End(point[0] * scale + self.centre[0], point[1] * scale + self.centre[1], point[2], scale)


@dataclass(frozen=True, slots=True)
class _Sculptor:
    """One figure at its place in space, with the means to draw parts of it."""

    canvas: Canvas
    lens: Lens
    figure: Figure
    offset: Array  # from the figure's coordinates to the camera's, metres

    @property
    def unit(self) -> float:
        return self.figure.proportions.stature

    @property
    def girth(self) -> float:
        return self.figure.proportions.stature * self.figure.proportions.girth

    def at(self, name: str) -> Array:
        return self.figure.points[name] + self.offset

    def limb(
        self,
        start: str,
        end: str,
        radii: Array,
        material: Material,
        part: tuple[float, float] = (0, 1),
        extra: float = 0,
    ) -> None:
        """A round tube over a part (from, to) of the way between two landmarks."""
        first, last = self.at(start), self.at(end)
        steps = np.linspace(*part, 5) * (len(radii) - 1)
        sizes = (np.interp(steps, np.arange(len(radii)), radii) * self.girth + extra * self.unit).astype(
            np.float32
        )
        ends = [self.lens.end(first + (last - first) * share) for share in part]
        shift = (
            len(start) * 3 + len(end)
        ) * 0.17  # so that neighbouring parts show other pieces of the cloth
        draw_tube(self.canvas, ends[0], ends[1], sizes, sizes, material, shift)

    def blob(self, centre: Array, axes: Array, radii: Array, paint: Painter) -> None:
        draw_ellipsoid(self.canvas, self.lens.end(centre), axes, radii, paint)


def draw_person(canvas: Canvas, lens: Lens, figure: Figure, outfit: Outfit, offset: Array) -> None:
    """Draw every part; the depth buffer sorts them."""
    sculptor = _Sculptor(canvas, lens, figure, offset)
    _trunk(sculptor, outfit)
    for _, side, sign in SIDES:
        _leg(sculptor, outfit, side)
        _arm(sculptor, outfit, side, sign)
    sculptor.limb("neck", "head", np.array([0.034, 0.030, 0.030]), outfit.skin, (-0.15, 0.6))
    _head(sculptor, outfit)
    _hair(sculptor, outfit)
    if outfit.bag_colour is not None:
        chest, neck = figure.chest, sculptor.at("neck")
        centre = neck + (chest[:, 1] * 0.14 + chest[:, 2] * 0.095) * sculptor.unit
        sculptor.blob(centre, chest, np.array([0.08, 0.12, 0.055]) * sculptor.unit, plain(outfit.bag_colour))


def _trunk(sculptor: _Sculptor, outfit: Outfit) -> None:
    """The torso, its width seen depending on how far hips and chest are turned."""
    figure, unit = sculptor.figure, sculptor.unit
    neck, pelvis = sculptor.at("neck"), sculptor.at("pelvis")
    bottom = pelvis + (pelvis - neck) / np.linalg.norm(pelvis - neck) * 0.01 * unit
    waist = bottom + (neck - bottom) * (WAIST / (len(TRUNK_WIDTH) - 1))
    tucked = 0.003 if outfit.hem == 0 else 0.0
    _section_tube(sculptor, waist, neck, slice(WAIST, None), outfit.top, outfit.looseness, cap=0.2)
    hips = slice(0, WAIST + 1)
    _section_tube(sculptor, bottom, waist, hips, outfit.bottom, outfit.looseness + tucked, cap=0.3)
    if outfit.hem > 0:
        hem = pelvis + figure.pelvis[:, 1] * outfit.hem * unit
        hanging = outfit.looseness + 0.006 + HANGING * min(1.0, outfit.hem / 0.08)
        _section_tube(sculptor, hem, waist, hips, outfit.top, hanging, cap=0.1, drape=DRAPE)
    if outfit.skirt > 0:
        _skirt(sculptor, outfit, waist)


def _section_tube(
    sculptor: _Sculptor,
    bottom: Array,
    top: Array,
    part: slice,
    material: Material,
    extra: float | Array,
    cap: float,
    drape: float = 1.0,
) -> None:
    """A tube with the trunk's elliptical section, seen from where the camera is."""
    figure, start, end = sculptor.figure, sculptor.lens.end(bottom), sculptor.lens.end(top)
    length = max(float(np.hypot(end.x - start.x, end.y - start.y)), 1e-3)
    normal = np.array([-(end.y - start.y) / length, (end.x - start.x) / length, 0])
    wide = TRUNK_WIDTH[part] * sculptor.girth + extra * sculptor.unit
    deep = TRUNK_DEPTH[part] * sculptor.girth + extra * sculptor.unit
    turn = np.linspace(0, 1, len(TRUNK_WIDTH))[part, None]
    left = figure.pelvis[:, 0] * (1 - turn) + figure.chest[:, 0] * turn
    back = figure.pelvis[:, 2] * (1 - turn) + figure.chest[:, 2] * turn
    radii = np.hypot(wide * (left @ normal), deep * (back @ normal)).astype(np.float32)
    thickness = np.hypot(wide * left[:, 2], deep * back[:, 2]).astype(np.float32)
    draw_tube(sculptor.canvas, start, end, radii, thickness * np.float32(drape), material, cap=cap)


def _skirt(sculptor: _Sculptor, outfit: Outfit, waist: Array) -> None:
    knees = (sculptor.at("left_knee") + sculptor.at("right_knee")) / 2
    hips = sculptor.at("pelvis")
    hem = hips + (knees - hips) * outfit.skirt
    spread = (
        float(np.linalg.norm(sculptor.at("left_knee") - sculptor.at("right_knee"))) / 2 * min(outfit.skirt, 1)
    )
    flare = 0.075 * sculptor.unit + spread * 0.8
    hip_width = 0.113 * sculptor.girth
    flare = max(flare, hip_width)
    sizes = np.array([flare * 1.1, flare, hip_width, hip_width, hip_width, 0.09 * sculptor.girth], np.float32)
    ends = sculptor.lens.end(hem), sculptor.lens.end(waist)
    draw_tube(sculptor.canvas, *ends, sizes, sizes * DRAPE, outfit.bottom, cap=0.12)


def _covered(covered: float, segment: int) -> float:
    """The share of segment 0 or 1 of a limb that a sleeve reaching to `covered` (0..2) hides."""
    return float(np.clip(covered - segment, 0, 1))


def _leg(sculptor: _Sculptor, outfit: Outfit, side: str) -> None:
    for segment, (start, end, radii) in enumerate([("hip", "knee", THIGH), ("knee", "ankle", SHANK)]):
        share = _covered(outfit.leg, segment)
        if share < 0.9:
            sculptor.limb(f"{side}_{start}", f"{side}_{end}", radii, outfit.skin)
        if share > 0:
            sculptor.limb(
                f"{side}_{start}", f"{side}_{end}", radii, outfit.bottom, (0, share), outfit.looseness + 0.001
            )
    heel, toe, ankle = (sculptor.at(f"{side}_{name}") for name in ("heel", "toe", "ankle"))
    forward = (toe - heel) / np.linalg.norm(toe - heel)
    sole = (heel + toe) / 2
    up = ankle - (heel + 0.25 * (toe - heel))
    up = up - forward * (up @ forward)
    up /= np.linalg.norm(up)
    axes = np.stack([np.cross(up, forward), -up, -forward], 1)
    radii = np.array([0.026, 0.024, 0.083]) * sculptor.unit
    sculptor.blob(sole + up * 0.016 * sculptor.unit, axes, radii, plain(outfit.shoe_colour))
    radii = np.array([0.023, 0.034, 0.036]) * sculptor.unit
    sculptor.blob(ankle - up * 0.012 * sculptor.unit, axes, radii, plain(outfit.shoe_colour))


def _arm(sculptor: _Sculptor, outfit: Outfit, side: str, sign: float) -> None:
    for segment, (start, end, radii) in enumerate(
        [("shoulder", "elbow", UPPER_ARM), ("elbow", "wrist", FOREARM)]
    ):
        share = _covered(outfit.sleeve, segment)
        if share < 0.9:
            sculptor.limb(f"{side}_{start}", f"{side}_{end}", radii, outfit.skin)
        if share > 0:
            sculptor.limb(
                f"{side}_{start}", f"{side}_{end}", radii, outfit.top, (0, share), outfit.looseness + 0.001
            )
    wrist, hand = sculptor.at(f"{side}_wrist"), sculptor.at(f"{side}_hand")
    along = (hand - wrist) / np.linalg.norm(hand - wrist)
    palm = np.cross(along, sculptor.figure.chest[:, 0] * sign + 0.01)
    palm /= np.linalg.norm(palm)
    axes = np.stack([np.cross(along, palm), along, palm], 1)
    centre = wrist + 0.5 * (hand - wrist)
    sculptor.blob(centre, axes, np.array([0.013, 0.048, 0.023]) * sculptor.unit, plain(outfit.skin_colour))


def _head(sculptor: _Sculptor, outfit: Outfit) -> None:
    figure, head = sculptor.figure, sculptor.figure.head
    size = figure.proportions.head * sculptor.unit
    sculptor.blob(sculptor.at("head"), head, HEAD_RADII * size, face_painter(outfit))
    nose = sculptor.at("nose") + head[:, 2] * 0.006 * size
    sculptor.blob(nose, head, np.array([0.009, 0.015, 0.012]) * size, plain(outfit.skin_colour))
    for ear in ("left_ear", "right_ear"):
        sculptor.blob(
            sculptor.at(ear), head, np.array([0.006, 0.017, 0.011]) * size, plain(outfit.skin_colour)
        )


def face_painter(outfit: Outfit) -> Painter:
    """Paints the head by where a point lies on it: x to its left, y down, z back, on the unit sphere."""
    skin = np.asarray(outfit.skin_colour, np.float32)
    hair = np.asarray(outfit.hair_colour, np.float32)

    def paint(own: FloatArray) -> FloatArray:
        x, y, z = np.abs(own[:, 0]), own[:, 1], own[:, 2]
        rgb = np.broadcast_to(skin, own.shape).copy()
        front = z < 0
        cheek = np.exp(-8 * (np.square(x - 0.5) + np.square(y - 0.25)))
        rgb[:, 1:] *= 1 - 0.07 * (cheek * front)[:, None]
        if outfit.beard:
            rgb[front & (y > 0.32 + 0.25 * (x < 0.2) * (y < 0.5)) & (z > -0.95)] = hair * 0.9 + skin * 0.1
        rgb[front & (np.square((x - 0.40) / 0.24) + np.square((y + 0.09) / 0.13) < 1)] = skin * 0.72
        rgb[front & (np.square((x - 0.40) / 0.16) + np.square((y + 0.08) / 0.07) < 1)] = 215
        rgb[front & (np.square((x - 0.40) / 0.075) + np.square((y + 0.08) / 0.075) < 1)] = 35
        rgb[front & (np.abs(y + 0.27 - 0.08 * (x - 0.4)) < 0.045) & (x > 0.16) & (x < 0.62)] = hair * 0.7
        rgb[front & (np.square(x / 0.30) + np.square((y - 0.56) / 0.065) < 1)] = skin * [0.72, 0.48, 0.48]
        rgb[front & (x < 0.13) & (np.abs(y - 0.36) < 0.035)] = skin * 0.55
        if outfit.glasses:
            ring = np.square((x - 0.40) / 0.27) + np.square((y + 0.07) / 0.2)
            rgb[
                front
                & (((ring > 0.72) & (ring < 1.15)) | ((np.abs(y + 0.1) < 0.03) & ((x < 0.14) | (x > 0.64))))
            ] = 30
        if outfit.hair != "bald":
            rgb[y < np.interp(z, *HAIRLINE)] = hair
        return rgb

    return paint


def _hair(sculptor: _Sculptor, outfit: Outfit) -> None:
    """Hair that stands out from the head: a shell cut at the hairline, long hair, a bun, or a cap."""
    head, centre = sculptor.figure.head, sculptor.at("head")
    size = sculptor.figure.proportions.head * sculptor.unit
    left, down, back = head[:, 0] * size, head[:, 1] * size, head[:, 2] * size
    paint = plain(outfit.hair_colour)
    if outfit.hair != "bald":
        crown = np.array([0.047, 0.044, 0.050]) * size
        sculptor.blob(centre - down * 0.032 + back * 0.014, head, crown, paint)
    if outfit.hair == "long":
        sculptor.blob(
            centre + back * 0.026 + down * 0.035, head, np.array([0.050, 0.085, 0.040]) * size, paint
        )
        for sign in (-1, 1):
            lock = centre + left * sign * 0.041 + down * 0.045 + back * 0.01
            sculptor.blob(lock, head, np.array([0.014, 0.066, 0.024]) * size, paint)
    elif outfit.hair == "bun":
        sculptor.blob(
            centre + back * 0.055 - down * 0.05, head, np.array([0.024, 0.024, 0.024]) * size, paint
        )
    elif outfit.hair == "cap":
        cap = plain(outfit.shoe_colour)
        sculptor.blob(centre - down * 0.032 + back * 0.004, head, np.array([0.052, 0.046, 0.060]) * size, cap)
        sculptor.blob(centre - down * 0.030 - back * 0.055, head, np.array([0.040, 0.006, 0.040]) * size, cap)
