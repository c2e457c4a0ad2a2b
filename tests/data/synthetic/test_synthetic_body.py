import numpy as np
import pytest

from posecli.data.synthetic.body import JOINT_LIMITS, Pose, Proportions, head_ends, limit, pose_figure
from posecli.data.synthetic.motion import MOTIONS


def length(points, start, end):
    return np.linalg.norm(points[start] - points[end])


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_every_motion_keeps_the_lengths_of_the_limbs(name, side):
    rng = np.random.default_rng(3)
    body = Proportions.random(rng)
    motion = MOTIONS[name][0](rng)
    for time_s in np.linspace(0, 3, 7):
        points = motion.figure(body, float(time_s), 0.4).points
        wanted = {
            ("shoulder", "elbow"): body.upper_arm,
            ("elbow", "wrist"): body.forearm,
            ("hip", "knee"): body.thigh,
            ("knee", "ankle"): body.shank,
        }
        for (start, end), fraction in wanted.items():
            assert length(points, f"{side}_{start}", f"{side}_{end}") == pytest.approx(
                fraction * body.stature
            )


def test_a_standing_adult_is_as_tall_as_stature_and_stands_on_the_ground():
    body = Proportions()
    points = pose_figure(body, Pose(knee=np.zeros(2), hip_abduction=np.zeros(2))).points
    assert max(point[1] for point in points.values()) == pytest.approx(0)
    # The eyes of a standing adult are at 0.936 of stature, the shoulders at 0.818 (Winter, figure 4.1).
    assert -points["left_eye"][1] / body.stature == pytest.approx(0.936, abs=0.02)
    assert -points["left_shoulder"][1] / body.stature == pytest.approx(0.818, abs=0.01)


@pytest.mark.parametrize(("yaw", "sign"), [(0.0, 1), (np.pi, -1)])
def test_facing_the_camera_puts_the_left_side_right_in_the_picture(yaw, sign):
    points = pose_figure(Proportions(), Pose(yaw=yaw)).points
    for part in ("eye", "shoulder", "hip", "ankle"):
        assert sign * (points[f"left_{part}"][0] - points[f"right_{part}"][0]) > 0.01
    assert sign * (points["nose"][2] - points["head"][2]) < -0.05


def test_a_quarter_turn_faces_right_and_hides_the_left_side_behind():
    points = pose_figure(Proportions(), Pose(yaw=np.pi / 2)).points
    assert points["nose"][0] > points["head"][0] + 0.05
    assert points["left_shoulder"][2] > points["right_shoulder"][2] + 0.2
    assert points["left_toe"][0] > points["left_heel"][0]


def test_joints_bend_the_way_people_do():
    straight = pose_figure(Proportions(), Pose()).points
    bent = pose_figure(Proportions(), Pose(knee=np.array([1.0, 1.0]), elbow=np.array([1.0, 1.0]))).points
    # Facing the camera (-z), shanks go back and forearms forward.
    assert bent["left_ankle"][2] - bent["left_knee"][2] > 0.2
    assert bent["left_wrist"][2] - bent["left_elbow"][2] < -0.1
    raised = pose_figure(Proportions(), Pose(shoulder_abduction=np.array([2.8, 0.1]))).points
    assert raised["left_wrist"][1] < raised["nose"][1] < straight["left_wrist"][1]


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_are_smooth_and_within_the_range_of_the_joints(name):
    motion = MOTIONS[name][0](np.random.default_rng(11))
    body = Proportions()
    frames = [motion.figure(body, i / 60, 0.0).points for i in range(120)]
    for joint in ("left_wrist", "right_ankle", "nose"):
        path = np.stack([frame[joint] for frame in frames])
        # Hands of people who are not throwing stay well below 12 m/s.
        assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() * 60 < 12
    pose = motion(0.37)
    for angle, (low, high) in JOINT_LIMITS.items():
        assert np.all(getattr(pose, angle) >= low)
        assert np.all(getattr(pose, angle) <= high)


def test_limit_cuts_impossible_angles():
    assert limit(Pose(knee=np.array([-1.0, 9.0]))).knee.tolist() == [0.0, JOINT_LIMITS["knee"][1]]


def test_walking_legs_alternate_and_the_foot_that_carries_stays_where_it_is():
    motion = MOTIONS["walk"][0](np.random.default_rng(2))
    body = Proportions()
    times = np.arange(0, 3, 1 / 60)
    # Facing the camera, forwards is -z; the body moves on while the figure is posed at the origin.
    reach = {
        side: np.array([-motion.figure(body, t, 0.0).points[f"{side}_ankle"][2] for t in times])
        for side in ("left", "right")
    }
    assert np.corrcoef(reach["left"], reach["right"])[0, 1] < -0.8
    planted = np.minimum(*(np.gradient(reach[side], times) for side in ("left", "right")))
    assert -np.median(planted) == pytest.approx(motion.speed * body.stature, rel=0.25)


def test_the_ends_of_the_head_lie_at_the_crown_and_the_chin():
    body = Proportions()
    figure = pose_figure(body, Pose(knee=np.zeros(2), hip_abduction=np.zeros(2)))
    ends = head_ends(figure)
    # Winter, figure 4.1: the chin and neck at 0.870 of stature.
    assert -ends["head_top"][1] / body.stature == pytest.approx(1, abs=0.01)
    assert -ends["head_bottom"][1] / body.stature == pytest.approx(0.87, abs=0.01)


def test_the_crown_goes_with_a_nodding_head_and_the_upper_neck_hardly():
    upright, nodding = (head_ends(pose_figure(Proportions(), Pose(head_pitch=pitch))) for pitch in (0, 0.8))
    moved = {name: np.linalg.norm(upright[name] - nodding[name]) for name in upright}
    assert nodding["head_top"][2] < upright["head_top"][2] - 0.08  # towards the camera
    assert moved["head_top"] > 3 * moved["head_bottom"]
