"""Second skeletons of one person go; people who are merely close stay."""

import numpy as np
import pytest

from posecli.pipeline.duplicates import DUPLICATE_OKS, MEMORY, drop_duplicates, similarity
from posecli.skeletons import COCO
from posecli.types import Poses, Tracks

BODY = np.random.default_rng(0).uniform(0, 100, (17, 2)).astype(np.float32)


def frame(index, people):
    """people: (id, shift in pixels, score)."""
    boxes = np.array([[s, 0, s + 100, 100] for _, s, _ in people], np.float32).reshape(-1, 4)
    tracks = Tracks(np.array([i for i, _, _ in people], np.int64), boxes, np.ones(len(people), np.float32))
    points = np.array([BODY + np.array([s, 0]) for _, s, _ in people], np.float32).reshape(-1, 17, 2)
    scores = np.array([np.full(17, score) for _, _, score in people], np.float32).reshape(-1, 17)
    return Poses(index, index / 25, tracks, points, scores)


def ids(frames):
    return [poses.tracks.ids.tolist() for poses in drop_duplicates(frames, COCO)]


def test_similarity_is_coco_s_formula():
    poses = frame(0, [(1, 0, 0.9), (2, 6, 0.9)])
    k = 2 * np.array(COCO.sigmas)
    assert similarity(poses, 0, 1, COCO) == pytest.approx(
        np.exp(-36 / (2 * 100 * 100 * k**2)).mean(), rel=1e-5
    )


def test_the_older_of_two_alike_stays():
    assert ids([frame(0, [(7, 0, 0.8), (3, 1, 0.8), (9, 60, 0.8)])]) == [[3, 9]]


def test_a_much_surer_younger_one_stays():
    assert ids([frame(0, [(3, 0, 0.5), (7, 1, 0.9)])]) == [[7]]


def test_people_who_are_merely_close_stay():
    assert similarity(frame(0, [(1, 0, 0.9), (2, 25, 0.9)]), 0, 1, COCO) < DUPLICATE_OKS
    assert ids([frame(0, [(1, 0, 0.9), (2, 25, 0.9)])]) == [[1, 2]]


def test_who_stays_does_not_change_from_frame_to_frame():
    frames = [frame(0, [(3, 0, 0.5), (7, 1, 0.9)]), frame(1, [(3, 0, 0.9), (7, 1, 0.5)])]
    assert ids(frames) == [[7], [7]]


def test_a_decision_is_forgotten_when_they_were_apart():
    first, apart = frame(0, [(3, 0, 0.5), (7, 1, 0.9)]), [frame(i, []) for i in range(1, MEMORY + 2)]
    assert ids([first, *apart, frame(MEMORY + 2, [(3, 0, 0.9), (7, 1, 0.9)])])[-1] == [3]


def test_unsure_joints_do_not_make_two_alike():
    assert ids([frame(0, [(1, 0, 0.1), (2, 0, 0.9)])]) == [[1, 2]]


def test_frames_without_people_pass():
    assert ids([frame(0, []), frame(1, [(4, 0, 0.9)])]) == [[], [4]]
