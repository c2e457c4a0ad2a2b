"""Angles and speeds of people whose movement is known in closed form."""

import numpy as np
import pytest

from posecli.skeletons import ANGLES, COCO, SKELETONS
from posecli.smooth.kinematics import joint_angles, joint_speeds, kinematics
from tests.smooth.people import BOX, poses, trajectory

KNEE = COCO.index("left_knee")


def leg(knee_degrees):
    """(1, 17, 2): a left leg that is bent to an angle, the thigh straight down; everything else at (0, 0)."""
    points = np.zeros((1, 17, 2))
    points[0, COCO.index("left_hip")] = 100, 100
    points[0, KNEE] = 100, 150
    turn = np.radians(knee_degrees)
    points[0, COCO.index("left_ankle")] = 100 + 40 * np.sin(turn), 150 - 40 * np.cos(turn)
    return points


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 179, 180])
@pytest.mark.parametrize("turned", [0.0, 1.0])
def test_a_knee(degrees, turned):
    """Whichever way it bends and however the person lies."""
    rotation = np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]])
    for mirrored in (1, -1):
        points = (leg(degrees) * [mirrored, 1]) @ rotation.T
        assert joint_angles(points, COCO)[0, KNEE] == pytest.approx(degrees, abs=1e-5)


def test_no_angle():
    points = leg(90)
    assert np.isnan(joint_angles(points, COCO)[0, COCO.index("nose")])
    points[0, KNEE] = points[0, COCO.index("left_ankle")]  # a shin without a length has no direction
    assert np.isnan(joint_angles(points, COCO)[0, KNEE])
    points[0, KNEE] = np.nan
    assert np.isnan(joint_angles(points, COCO)[0, KNEE])


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_skeleton_has_the_joints_of_all_angles(skeleton):
    assert {name for joint, ends in ANGLES.items() for name in (joint, *ends)} <= set(skeleton.keypoints)


def test_a_parabola_has_a_linear_speed_also_at_uneven_times():
    """x = t^2, y = 2 t^2: sqrt(5) 2 t; differences of second order are exact inside."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 12))
    speeds = joint_speeds(trajectory(times**2, times=times))[:, 0]
    np.testing.assert_allclose(speeds[1:-1], np.sqrt(5) * 2 * times[1:-1])
    np.testing.assert_allclose(
        speeds[0], np.sqrt(5) * (times[0] + times[1])
    )  # the mean over the first interval


def test_in_heights_of_the_box():
    track = trajectory(np.arange(5) * 8.0, height=160)
    np.testing.assert_allclose(joint_speeds(track, "height"), joint_speeds(track) / 160)
    np.testing.assert_allclose(joint_speeds(track), 8 * 25 * np.sqrt(5))


def test_no_speed_over_a_gap_or_alone():
    speeds = joint_speeds(trajectory([0.0, 1.0, np.nan, 9.0, np.nan, 20.0, 22.0]))[:, 0] / (25 * np.sqrt(5))
    np.testing.assert_allclose(speeds, [1, 1, np.nan, np.nan, np.nan, 2, 2])


def test_of_frames_and_people():
    frames = [poses(i, {4: 3.0 * i, 9: 1.0} if i != 2 else {9: 1.0}) for i in range(4)]
    tables = kinematics(frames, COCO, angles=True, speeds=True, unit="height")
    assert [table["speed"].shape for table in tables] == [(2, 17), (2, 17), (1, 17), (2, 17)]
    speed = 3 * 25 * np.sqrt(5) / (BOX[3] - BOX[1])
    np.testing.assert_allclose(tables[1]["speed"], np.repeat([[speed], [0]], 17, axis=1))
    assert np.isnan(tables[3]["speed"][0]).all()
    assert set(kinematics(frames, COCO, speeds=True)[0]) == {"speed"}
    assert kinematics(frames, COCO) == [{}] * 4
