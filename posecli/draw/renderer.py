"""A frame and its people, as the picture that is written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from posecli.draw.anonymize import anonymize
from posecli.draw.heads import Heads
from posecli.draw.layout import Layout, resize, resize_poses
from posecli.draw.people import draw_on
from posecli.draw.style import Style
from posecli.draw.trails import Trails
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Frame, Image, Poses


class Renderer:
    """Draws the frames of a clip, one after the other.

    Args:
        trails: joint -> frames that its trail reaches back.
        heads: what is hidden of the pictures, if anything.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        style: Style | None = None,
        layout: Layout | None = None,
        *,
        trails: Mapping[str, int] | None = None,
        heads: Heads | None = None,
    ) -> None:
        self._skeleton = skeleton
        self._style = style or Style()
        self._layout = layout or Layout()
        self._trails = Trails(trails, skeleton, self._style) if trails else None
        self._heads = heads
        self.unknown = 0  # frames so far of which nothing is known, not even that there is nobody

    def render(self, frame: Frame, poses: Poses | None) -> Image:
        """The next frame's picture; it may be the frame's own where nothing is drawn on it.

        Args:
            poses: the frame's people, in its pixels; None where nothing is known of them.
        """
        height, width = frame.image.shape[:2]
        size = self._layout.picture_size(width, height)
        is_shown = self._layout.background == "video" or self._layout.side_by_side
        picture = self._hide(resize(frame.image, *size), frame, poses) if is_shown else frame.image
        self.unknown += poses is None
        ground = picture if self._layout.background == "video" else np.zeros((size[1], size[0], 3), np.uint8)
        drawn = self._draw(ground, poses and resize_poses(poses, size[0] / width, size[1] / height))
        return np.concatenate([picture, drawn], axis=1) if self._layout.side_by_side else drawn

    def _draw(self, ground: Image, poses: Poses | None) -> Image:
        if not poses and self._trails is None:
            return ground
        canvas = np.array(ground, order="C")
        if self._trails:
            self._trails.draw(canvas, poses)
        if poses:
            draw_on(canvas, poses, self._skeleton, self._style)
        return canvas

    def _hide(self, picture: Image, frame: Frame, poses: Poses | None) -> Image:
        if self._heads is None:
            return picture
        ovals = self._heads.at(frame.index if poses is None else poses.frame_index)
        return anonymize(picture, _resized(ovals, frame.image, picture)) if len(ovals) else picture


def _resized(ovals: FloatArray, image: Image, picture: Image) -> FloatArray:
    """The ovals of an image in its resized picture."""
    scale_y, scale_x = (new / old for new, old in zip(picture.shape[:2], image.shape[:2], strict=True))
    centres = (ovals[:, :2] + 0.5) * [scale_x, scale_y] - 0.5
    return np.concatenate([centres, ovals[:, 2:4] * max(scale_x, scale_y), ovals[:, 4:]], axis=1)
