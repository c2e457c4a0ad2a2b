import numpy as np
import pytest

from posecli.data.synthetic.body import Pose, Proportions, pose_figure
from posecli.data.synthetic.motion import walk
from posecli.data.synthetic.tracks import TrackMotion
from posecli.errors import PosecliError
from posecli.skeletons import COCO, JHMDB

SHARED = [name for name in JHMDB.keypoints if name in COCO.keypoints]


def flatten(points):
    """A figure's landmarks as JHMDB's joints in the plane."""
    extra = {"belly": points["pelvis"] * 0.7 + points["neck"] * 0.3}
    return np.stack([(points | extra)[name][:2] for name in JHMDB.keypoints])


def recorded(yaw, frames=20):
    motion = walk(np.random.default_rng(4))
    return np.stack([flatten(motion.figure(Proportions(), i / 25, yaw).points) for i in range(frames)])


@pytest.mark.parametrize("yaw", [0.0, np.pi, 1.4, -1.4])
def test_the_joints_of_a_recording_come_back_up_to_scale_and_place(yaw):
    joints = recorded(yaw)
    motion = TrackMotion(joints * 3 + 1, 25.0)
    for i in (0, 7, 19):
        points = motion.figure(Proportions(), i / 25).points
        got = np.stack([points[name][:2] for name in SHARED])
        wanted = np.stack([joints[i, JHMDB.index(name)] for name in SHARED])
        got, wanted = got - got.mean(0), wanted - wanted.mean(0)
        scale = np.linalg.norm(got) / np.linalg.norm(wanted)
        assert scale == pytest.approx(1, abs=0.05)
        np.testing.assert_allclose(got, wanted * scale, atol=1e-6)


@pytest.mark.parametrize("yaw", [1.4, -1.4])
def test_the_far_side_is_farther(yaw):
    points = TrackMotion(recorded(yaw), 25.0).figure(Proportions(), 0.2).points
    real = pose_figure(Proportions(), Pose(yaw=yaw)).points
    for part in ("shoulder", "hip"):
        depth, wanted = (p[f"left_{part}"][2] - p[f"right_{part}"][2] for p in (points, real))
        assert np.sign(depth) == np.sign(wanted)
        assert abs(depth) > 0.5 * abs(wanted)


def test_the_recording_runs_to_and_fro():
    motion = TrackMotion(recorded(0.0), 25.0)
    for one, other in ((0.1, 0.1 + 2 * 19 / 25), (18 / 25, 20 / 25)):
        first, second = (motion.figure(Proportions(), t).points["left_wrist"] for t in (one, other))
        np.testing.assert_allclose(first, second, atol=1e-9)


@pytest.mark.parametrize(
    ("joints", "skeleton"),
    [(np.zeros((5, 17, 2)), JHMDB), (np.full((5, 15, 2), np.nan), JHMDB), (np.zeros((5, 15, 2)), COCO)],
)
def test_what_cannot_be_a_track_is_refused(joints, skeleton):
    with pytest.raises(PosecliError):
        TrackMotion(joints, 25.0, skeleton)
