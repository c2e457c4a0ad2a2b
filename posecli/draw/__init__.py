"""People drawn on pictures: skeletons, boxes, names, trails, hidden faces."""

from posecli.draw.layout import Layout
from posecli.draw.people import draw_poses
from posecli.draw.renderer import Renderer
from posecli.draw.style import Style

__all__ = ["Layout", "Renderer", "Style", "draw_poses"]
