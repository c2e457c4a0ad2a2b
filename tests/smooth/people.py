"""Made-up people for the tests of this room."""

import numpy as np

from posecli.smooth.trajectory import Trajectory
from posecli.types import Poses, Tracks

RATE = 25.0
BOX = np.array([0, 0, 100, 200], np.float32)  # 200 pixels high


def trajectory(x, times=None, steps=None, scores=None, height=200.0):
    """A person of one joint, or with x of (T, K) of several; y is 2 x."""
    x = np.asarray(x, np.float64)
    x_TK = x[:, None] if x.ndim == 1 else x
    count = len(x_TK)
    return Trajectory(
        1,
        np.arange(count) if steps is None else np.asarray(steps),
        np.arange(count) / RATE if times is None else np.asarray(times, np.float64),
        np.full(count, height),
        np.stack([x_TK, 2 * x_TK], axis=-1),
        np.ones(x_TK.shape) if scores is None else np.asarray(scores, np.float64).reshape(x_TK.shape),
        np.zeros(x_TK.shape, bool),
    )


def filtered(kind, x, **options):
    """x (T,) after a filter, and that y stays 2 x."""
    points = kind.apply(trajectory(x, **options)).points_TK2[:, 0]
    np.testing.assert_allclose(points[:, 1], 2 * points[:, 0], atol=1e-9)
    return points[:, 0]


def poses(index, people, keypoints=17, time_s=None):
    """A frame: track id -> x of all its joints (a number or (K,)); y is 2 x."""
    count = len(people)
    points = np.zeros((count, keypoints, 2), np.float32)
    for row, x in enumerate(people.values()):
        points[row, :, 0], points[row, :, 1] = x, 2 * np.asarray(x)
    tracks = Tracks(
        np.array(list(people), np.int64), np.tile(BOX, (count, 1)), np.full(count, 0.8, np.float32)
    )
    scores = np.full((count, keypoints), 0.9, np.float32)
    return Poses(index, index / RATE if time_s is None else time_s, tracks, points, scores)


def random_walk(count, ids=(1, 2), seed=0):
    """Frames of people who wander about, each on all frames."""
    rng = np.random.default_rng(seed)
    places = {track_id: 100 + np.cumsum(rng.normal(0, 3, (count, 17)), axis=0) for track_id in ids}
    return [poses(i, {track_id: x[i] for track_id, x in places.items()}) for i in range(count)]
