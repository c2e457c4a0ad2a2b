"""The ways to lay windows over a clip, what each answers for, and which one a model runs by default.

docs/streaming.md has their accuracy and speed side by side.
"""

from __future__ import annotations

from typing import Literal

from posecli.errors import UsageError

# tubelet: one box for all frames of a window, which are all answered for; each is encoded once.
# reuse: the middle frame is answered for; each frame is encoded once, with its own box, and resampled (reuse.py).
# exact: the middle frame is answered for; its box cuts out all frames, each is encoded once a window.
WindowMode = Literal["tubelet", "reuse", "exact"]
WindowChoice = Literal["auto", "tubelet", "reuse", "exact"]


def choose_mode(wanted: WindowChoice, output_frames: tuple[int, ...], model: str) -> WindowMode:
    """The mode that a model runs in.

    Args:
        wanted: "auto" is "tubelet" for a model that answers for every frame, "reuse" for one of the middle frame.
        output_frames: positions in a window that the model answers for.
        model: its name, for the message.

    Raises:
        UsageError: the model cannot.
    """
    answers_every_frame = len(output_frames) > 1
    if wanted == "tubelet" and not answers_every_frame:
        raise UsageError(
            f"--windows tubelet is for models that answer for every frame of a window; {model} answers for the "
            "middle one: choose reuse or exact"
        )
    if wanted == "auto":
        return "tubelet" if answers_every_frame else "reuse"
    return wanted


def answered_positions(mode: WindowMode, length: int, output_frames: tuple[int, ...]) -> tuple[int, ...]:
    """Positions in a window of `length` frames that are answered for; windows move on by as many."""
    return output_frames if mode == "tubelet" else (length // 2,)
