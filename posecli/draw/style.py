"""How people are drawn: what is shown, in which colours and how large."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from posecli.skeletons import Skeleton
from posecli.types import FloatArray

Colour = tuple[int, int, int]  # RGB, 0..255
ColourBy = Literal["side", "track"]

# Orange and blue are told apart by every kind of colour vision.
LEFT: Colour = (255, 140, 0)
RIGHT: Colour = (30, 150, 255)
MIDDLE: Colour = (235, 235, 235)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
OUTLINE: Colour = (20, 20, 20)

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
OPAQUE_SCORE = 0.6  # from here on a keypoint is drawn without transparency
FAINTEST = 0.2  # opacity of a keypoint that is just shown
LIGHTER, DARKER = 0.45, 0.35  # of the way to white on the left and to black on the right, in a track's colour


@dataclass(frozen=True, slots=True)
class Style:
    """What is drawn of each person."""

    min_score: float = 0.2  # keypoints below are left out
    boxes: bool = True
    ids: bool = True
    colour_by: ColourBy = "side"
    names: Mapping[int, str] = field(default_factory=dict)  # track id -> what stands there instead of the id


def side_colour(*names: str) -> Colour:
    """The colour of a keypoint, or of a limb between two: the person's own left and right, or the middle."""
    return {"left": LEFT, "right": RIGHT}.get(side(*names), MIDDLE)


def side(*names: str) -> Literal["left", "right", "middle"]:
    """Where a keypoint is, or a limb between two; a limb from the middle belongs to its other end's side."""
    sides = {name.split("_")[0] for name in names}
    if "left" in sides and "right" not in sides:
        return "left"
    return "right" if "right" in sides and "left" not in sides else "middle"


def limb_colours(skeleton: Skeleton, colour_by: ColourBy = "side", track_id: int = 0) -> list[Colour]:
    """One colour a limb of the skeleton: of its side, or the track's own, lighter on the left."""
    return [_colour(limb, colour_by, track_id) for limb in skeleton.limbs]


def keypoint_colours(skeleton: Skeleton, colour_by: ColourBy = "side", track_id: int = 0) -> list[Colour]:
    """One colour a keypoint of the skeleton, as for the limbs."""
    return [_colour((name,), colour_by, track_id) for name in skeleton.keypoints]


def _colour(names: tuple[str, ...], colour_by: ColourBy, track_id: int) -> Colour:
    if colour_by == "side":
        return side_colour(*names)
    own = track_colour(track_id)
    shades = {"left": mix(own, WHITE, LIGHTER), "right": mix(own, BLACK, DARKER)}
    return shades.get(side(*names), own)


def track_colour(track_id: int) -> Colour:
    """A colour of the track's own; ids that follow each other lie far apart on the colour wheel."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * GOLDEN_RATIO % 1, 0.65, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """A colour on the way to another: 0 the first, 1 the other."""
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever is easier to read (luma of BT.601)."""
    red, green, blue = background
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else WHITE


def opacity(score: float, min_score: float) -> float:
    """From FAINTEST at min_score to 1 at OPAQUE_SCORE; 0 for what is not shown."""
    if not score >= min_score:  # NaN too
        return 0.0
    if score >= OPAQUE_SCORE:
        return 1.0
    return FAINTEST + (1 - FAINTEST) * (score - min_score) / (OPAQUE_SCORE - min_score)


def line_width(box: FloatArray, height: int, width: int) -> float:
    """Pixels, by the size of the person's box (4,), within what suits the picture."""
    picture = math.hypot(height, width) / 400
    person = 0.012 * math.sqrt(max(0.0, float((box[2] - box[0]) * (box[3] - box[1]))))
    return min(max(person, 0.6 * picture), 1.3 * picture)


def outline_width(width: float) -> float:
    """Pixels of the dark edge around lines of this width."""
    return 0.3 + 0.3 * width


def text_height(height: int, width: int) -> int:
    """Pixels of a capital letter."""
    return max(9, round(math.hypot(height, width) / 80))
