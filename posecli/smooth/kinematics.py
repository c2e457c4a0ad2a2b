"""Joint angles and speeds in the picture's plane.

They are those of the projection: a limb that points at the camera has no true angle there. Shapes: T frames, K joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from posecli.skeletons import ANGLES, Skeleton
from posecli.smooth.recording import clock, find_people, trajectory
from posecli.smooth.trajectory import Float64Array, Trajectory, segments
from posecli.types import Poses

LengthUnit = Literal["px", "height"]


def joint_angles(points_TK2: Float64Array, skeleton: Skeleton) -> Float64Array:
    """(T, K) degrees, 0 to 180: 180 is a stretched knee. NaN where a joint has no angle or a point is unknown."""
    angles_TK = np.full(points_TK2.shape[:2], np.nan)
    for joint, (first, second) in ANGLES.items():
        at = skeleton.index(joint)
        a_T2 = points_TK2[:, skeleton.index(first)] - points_TK2[:, at]
        b_T2 = points_TK2[:, skeleton.index(second)] - points_TK2[:, at]
        cross = a_T2[:, 0] * b_T2[:, 1] - a_T2[:, 1] * b_T2[:, 0]
        is_point = (a_T2 == 0).all(axis=-1) | (b_T2 == 0).all(axis=-1)
        angles = np.degrees(np.arctan2(np.abs(cross), (a_T2 * b_T2).sum(axis=-1)))
        angles_TK[:, at] = np.where(is_point, np.nan, angles)
    return angles_TK


def joint_speeds(track: Trajectory, unit: LengthUnit = "px") -> Float64Array:
    """(T, K) lengths a second: the derivative over the frames' real times, of second order (numpy.gradient).

    At the ends of a run of frames on which the joint is known, the difference to the only neighbour. NaN where
    neither neighbour is known.

    Args:
        unit: pixels, or heights of the person's box (its median over the track, so that crouching changes no unit).
    """
    velocities_TK2 = np.full_like(track.points_TK2, np.nan)
    for rows, joints in segments(track):
        if rows.stop - rows.start >= 2:
            points_TJ2 = track.points_TK2[rows, joints]
            velocities_TK2[rows, joints] = np.gradient(points_TJ2, track.times_T[rows], axis=0)
    scale = max(float(np.median(track.heights_T)), 1.0) if unit == "height" else 1.0
    return np.asarray(np.linalg.norm(velocities_TK2, axis=-1) / scale)


def kinematics(
    frames: Sequence[Poses],
    skeleton: Skeleton,
    *,
    angles: bool = False,
    speeds: bool = False,
    unit: LengthUnit = "px",
    frame_rate: float | None = None,
) -> list[dict[str, Float64Array]]:
    """Of each frame "angle" and "speed", (n, K), as asked for.

    Raises:
        PosecliError: the frames' times are not known, or do not increase.
    """
    names = [name for name, is_wanted in (("angle", angles), ("speed", speeds)) if is_wanted]
    tables = [{name: np.full(poses.scores.shape, np.nan) for name in names} for poses in frames]
    people = find_people(frames)
    if not people or not names:
        return tables
    times, steps = clock(frames, frame_rate)
    for track_id, rows in people.items():
        track = trajectory(frames, times, steps, track_id, rows)
        values = {}
        if angles:
            values["angle"] = joint_angles(track.points_TK2, skeleton)
        if speeds:
            values["speed"] = joint_speeds(track, unit)
        for i, (place, row) in enumerate(zip(rows.places.tolist(), rows.people.tolist(), strict=True)):
            for name, value_TK in values.items():
                if row >= 0:
                    tables[place][name][row] = value_TK[i]
    return tables
