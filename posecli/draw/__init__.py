"""People drawn on pictures: skeletons, boxes, ids. Pure functions."""

from posecli.draw.people import draw_poses
from posecli.draw.style import Style

__all__ = ["Style", "draw_poses"]
