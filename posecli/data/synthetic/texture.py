"""Procedural surfaces: cloth, skin and hair colours, and the clothes that a person wears."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posecli.data.synthetic.raster import FloatArray, Material

SIDE = 128  # texels
Colour = tuple[float, float, float]  # RGB 0..255

# Skin from light to dark, sRGB.
SKIN_TONES = np.array(
    [
        [244, 212, 190],
        [232, 190, 160],
        [214, 164, 130],
        [186, 134, 98],
        [146, 98, 68],
        [104, 68, 48],
        [72, 48, 38],
    ]
)
HAIR_TONES = np.array(
    [[24, 20, 18], [44, 32, 24], [80, 54, 34], [122, 86, 52], [186, 150, 96], [120, 58, 34], [170, 168, 164]]
)


def noise(rng: np.random.Generator, height: int, width: int, cell: float) -> FloatArray:
    """Smooth noise (height, width) with features of about `cell` pixels, mean 0, about -1..1."""
    coarse = rng.uniform(-1, 1, (int(height / cell) + 3, int(width / cell) + 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def random_colour(rng: np.random.Generator, vivid: float = 0.5) -> Colour:
    """A colour of clothes: often dark, white or grey, sometimes vivid."""
    value = rng.choice(
        [rng.uniform(15, 70), rng.uniform(70, 170), rng.uniform(170, 245)], p=[0.4, 0.35, 0.25]
    )
    saturation = rng.uniform(0.3, 0.9) if rng.random() < vivid else rng.uniform(0, 0.2)
    hsv = np.array([[[rng.uniform(0, 360), saturation, value]]], np.float32)
    red, green, blue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return float(red), float(green), float(blue)


def cloth(rng: np.random.Generator, colour: Colour, pattern: str = "plain") -> Material:
    """Cloth with folds and weave. pattern: plain, stripes, plaid, print or denim."""
    texels = np.broadcast_to(np.asarray(colour, np.float32), (SIDE, SIDE, 3)).copy()
    rows, columns = np.mgrid[:SIDE, :SIDE]
    other = np.asarray(random_colour(rng, 0.6), np.float32)
    period = int(rng.choice([8, 16, 32]))
    across, down = (rows % period) < period * 0.4, (columns % period) < period * 0.4
    if pattern == "stripes":
        texels[across if rng.random() < 0.7 else down] = other
    elif pattern == "plaid":
        texels = texels * 0.6 + other * (0.2 * across + 0.2 * down)[..., None]
    elif pattern == "print":
        texels[noise(rng, SIDE, SIDE, rng.uniform(5, 16)) > 0.35] = other
    folds = 1 + 0.12 * noise(rng, SIDE, SIDE, 28) + 0.07 * noise(rng, SIDE, SIDE, 9)
    weave = rng.normal(1, 0.09 if pattern == "denim" else 0.03, (SIDE, SIDE)).astype(np.float32)
    return Material((texels * (folds * weave)[..., None]).astype(np.float32))


def skin(rng: np.random.Generator, colour: Colour) -> Material:
    texels = np.asarray(colour, np.float32) * (1 + 0.04 * noise(rng, SIDE, SIDE, 20))[..., None]
    return Material(texels.astype(np.float32))


def _between(rng: np.random.Generator, tones: np.ndarray) -> Colour:
    position = rng.uniform(0, len(tones) - 1)
    low = int(position)
    red, green, blue = tones[low] + (tones[min(low + 1, len(tones) - 1)] - tones[low]) * (position - low)
    return float(red), float(green), float(blue)


@dataclass(frozen=True, slots=True)
class Outfit:
    """How one person looks."""

    skin_colour: Colour
    skin: Material
    hair_colour: Colour
    hair: str  # bald, short, long, bun or cap
    beard: bool
    glasses: bool
    top: Material
    bottom: Material
    shoe_colour: Colour
    sleeve: float  # share of the arm that is covered, 0..2: 1 ends at the elbow, 2 at the wrist
    leg: float  # the same for the leg: 1 ends at the knee, 2 at the ankle
    skirt: float  # length of a skirt as a share of the thigh; 0 for trousers
    hem: float  # how far the top hangs below the hips, share of stature
    looseness: float  # thickness of the cloth, share of stature
    bag_colour: Colour | None

    @classmethod
    def random(cls, rng: np.random.Generator) -> Outfit:
        patterns, odds = ["plain", "stripes", "plaid", "print"], [0.6, 0.14, 0.12, 0.14]
        skin_colour = _between(rng, SKIN_TONES)
        top = cloth(rng, random_colour(rng), str(rng.choice(patterns, p=odds)))
        denim = rng.random() < 0.35
        blue = (rng.uniform(35, 90), rng.uniform(50, 110), rng.uniform(80, 150))
        bottom = cloth(rng, blue if denim else random_colour(rng, 0.25), "denim" if denim else "plain")
        skirt = float(rng.uniform(0.5, 1.5)) if rng.random() < 0.14 else 0.0
        dress = skirt > 0 and rng.random() < 0.5
        leg = float(rng.choice([rng.uniform(0.5, 0.95), 1.97], p=[0.25, 0.75])) if not skirt else 0.0
        return cls(
            skin_colour=skin_colour, skin=skin(rng, skin_colour), hair_colour=_between(rng, HAIR_TONES),
            hair=str(rng.choice(["bald", "short", "long", "bun", "cap"], p=[0.06, 0.5, 0.26, 0.08, 0.1])),
            beard=bool(rng.random() < 0.15), glasses=bool(rng.random() < 0.15),
            top=top, bottom=top if dress else bottom, shoe_colour=random_colour(rng, 0.25),
            sleeve=float(rng.choice([0.0, rng.uniform(0.4, 0.8), 1.95], p=[0.1, 0.42, 0.48])),
            leg=leg, skirt=skirt, hem=float(rng.choice([0.0, 0.03, 0.12], p=[0.45, 0.45, 0.1])),
            looseness=float(rng.uniform(0.002, 0.011)),
            bag_colour=random_colour(rng) if rng.random() < 0.12 else None,
        )  # fmt: skip
