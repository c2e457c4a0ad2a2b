"""Ids and names on a plate at a person's box."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posecli.draw.style import Colour, text_colour, text_height
from posecli.types import FloatArray, Image

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

CAPITAL = 0.73  # height of a capital letter of the font, in sizes
MOST_LETTERS = 40  # longer names are cut


def draw_label(canvas: Image, text: str, box: FloatArray, colour: Colour) -> None:
    """The text on a plate that stands on the box, or within it where there is no room above."""
    height, width = canvas.shape[:2]
    plate = _plate(text, text_height(height, width), colour)
    plate_height, plate_width = plate.shape[:2]
    top = box[1] - plate_height if box[1] >= plate_height else box[1]
    x = round(float(np.clip(box[0], 0, max(0, width - plate_width))))
    y = round(float(np.clip(top, 0, max(0, height - plate_height))))
    region = canvas[y : y + plate_height, x : x + plate_width]
    region[:] = plate[: region.shape[0], : region.shape[1]]


@lru_cache(maxsize=256)
def _plate(text: str, capital: int, colour: Colour) -> Image:
    """The plate with its text, in (height, width, 3)."""
    letters = _letters(text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…", capital)
    pad = max(2, capital // 3)
    share = np.pad(letters, ((0, 0), (pad, pad)))[..., None] / 255
    plate: Image = np.round(np.array(colour) * (1 - share) + np.array(text_colour(colour)) * share).astype(
        np.uint8
    )
    return plate


def _letters(text: str, capital: int) -> NDArray[np.uint8]:
    """How much each pixel of the text is covered, 0 to 255; as high as any letter with its accents may be."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    font = _font(round(capital / CAPITAL))
    pad = max(2, capital // 4)
    left, _, right, _ = font.getbbox(text)
    canvas = Pillow.new("L", (max(1, round(right - left)), capital + 2 * pad))
    ImageDraw.Draw(canvas).text((-left, pad + capital), text, fill=255, font=font, anchor="ls")
    return np.array(canvas)


@lru_cache(maxsize=8)
def _font(size: int) -> FreeTypeFont:
    """DejaVu Sans Bold, which comes with matplotlib: Latin, Greek, Cyrillic and more, unlike OpenCV's letters."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf", size)
