"""How the work of an estimation is laid out."""

from __future__ import annotations

from dataclasses import dataclass

from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.window_modes import WindowMode, answered_positions
from posecli.pipeline.windows import Slide, middle_windows, windows


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How the work is laid out: windows decide about the result too, the rest about speed and memory alone."""

    windows: WindowMode = "tubelet"  # of one frame, and so exact, where the model answers for one
    batch: int = 8  # windows that the model takes at once, over persons and frames
    chunk: int = 8  # frames that are read and detected at once
    bf16: bool = False
    section: int = (
        120  # frames after which batches end, cut to whole windows; whole batches and chunks by default
    )

    def section_of(self, model: PoseModel | FlipTested) -> int:
        """Frames of a section: as many whole windows of the model as there is room for."""
        step = len(self._answered(model))
        return max(self.section // step, 1) * step

    def reach_of(self, model: PoseModel | FlipTested) -> int:
        """How many frames a window reaches back before the first that it answers for."""
        return self._answered(model)[0]

    @property
    def slide(self) -> Slide:
        """Lays the windows."""
        return windows if self.windows == "tubelet" else middle_windows

    def _answered(self, model: PoseModel | FlipTested) -> tuple[int, ...]:
        return answered_positions(self.windows, model.config.input.frames, model.output_frames)
