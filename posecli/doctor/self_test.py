"""Somebody drawn in memory, found and estimated by the embedded networks, against where the joints really are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from posecli.doctor.finding import Finding

if TYPE_CHECKING:
    from posecli.data.synthetic.render import SyntheticFrame
    from posecli.types import Image, Poses

SIZE = (320, 240)  # pixels
FRAMES = 24  # three rounds of detection
WARM_FRAMES = 8  # the last round, of which the speed is told
FRAME_RATE = 25.0
SEED = 8  # a scene in which the person stands alone and is seen whole
GOOD_ENOUGH = (
    0.08  # mean distance of seen joints, in heights of the person (0.02 is usual): wrong numbers are beyond
)


def self_test(device: str = "auto") -> Iterator[Finding]:
    """A few frames through detector, tracker and model.

    Args:
        device: as --device.
    """
    from posecli.api import estimate
    from posecli.data.synthetic.scene import Scene

    scene = Scene.random(np.random.default_rng(SEED), 1, SIZE)
    drawn = [scene.render(i / FRAME_RATE) for i in range(FRAMES)]
    moments: list[float] = []
    started = time.perf_counter()
    estimation = estimate(_watched(drawn, moments), device=device, frame_rate=FRAME_RATE)
    yield Finding("networks", f"loaded in {time.perf_counter() - started:.1f} s")
    poses = list(estimation)
    # The first rounds are slow: kernels are compiled, memory is laid out.
    speed = WARM_FRAMES / (time.perf_counter() - moments[FRAMES - WARM_FRAMES])
    yield judge(poses, drawn)
    yield Finding("speed", f"{speed:.1f} frames/s, of {SIZE[0]} x {SIZE[1]} pixels with one person")


def _watched(drawn: list[SyntheticFrame], moments: list[float]) -> Iterator[Image]:
    """The pictures; when each is taken is noted."""
    for frame in drawn:
        moments.append(time.perf_counter())
        yield frame.image


def judge(poses: list[Poses], drawn: list[SyntheticFrame]) -> Finding:
    """Whether the poses are finite, and near the drawn joints on most frames."""
    advice = "try --device cpu and POSECLI_SCAN_BACKEND=torch to see which part is wrong, and report it"
    if not all(np.isfinite(frame.keypoints).all() and np.isfinite(frame.scores).all() for frame in poses):
        return Finding("result", "numbers that are not finite", "failed", advice)
    errors = [_error(frame, truth) for frame, truth in zip(poses, drawn, strict=True)]
    found = [error for error in errors if error is not None]
    if len(found) < len(drawn) / 2:
        return Finding(
            "result", f"the person was found on {len(found)} of {len(drawn)} frames", "failed", advice
        )
    mean = float(np.mean(found))
    status = f"person found on {len(found)} of {len(drawn)} frames, joints {mean:.1%} of its height off"
    if mean > GOOD_ENOUGH:
        return Finding("result", status, "failed", advice)
    return Finding("result", status)


def _error(poses: Poses, truth: SyntheticFrame) -> float | None:
    """The mean distance of the best person's joints from those that are seen, in heights; None if there is nobody."""
    if not len(poses):
        return None
    seen = truth.visible[0]
    distances = np.linalg.norm(poses.keypoints[:, seen] - truth.keypoints[0][seen], axis=-1).mean(axis=1)
    return float(distances.min() / (truth.boxes[0][3] - truth.boxes[0][1]))
