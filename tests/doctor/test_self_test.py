"""The self test with the embedded networks, and what it says of wrong ones."""

from dataclasses import replace

import numpy as np
import pytest

from posecli.data.synthetic.scene import Scene
from posecli.doctor.self_test import SEED, SIZE, judge, self_test
from posecli.types import Poses, Tracks
from posecli.weights.locate import embedded_weights


@pytest.fixture(scope="module")
def drawn():
    scene = Scene.random(np.random.default_rng(SEED), 1, SIZE)
    return [scene.render(i / 25) for i in range(4)]


def exact(frame, index, shift=0.0):
    """The person as it was drawn, moved to the right by a share of its height."""
    box = frame.boxes[:1]
    offset = np.array([shift * (box[0, 3] - box[0, 1]), 0], np.float32)
    tracks = Tracks(np.ones(1, np.int64), box, np.ones(1, np.float32))
    keypoints = (frame.keypoints[:1] + offset).astype(np.float32)
    return Poses(index, index / 25, tracks, keypoints, np.ones(keypoints.shape[:2], np.float32))


def poses(drawn, shift=0.0):
    return [exact(frame, index, shift) for index, frame in enumerate(drawn)]


def test_the_scene_shows_a_whole_person(drawn):
    assert drawn[0].visible.all()


@pytest.mark.parametrize(("shift", "status"), [(0.0, "ok"), (0.05, "ok"), (0.1, "failed")])
def test_joints_that_lie_elsewhere_fail(drawn, shift, status):
    finding = judge(poses(drawn, shift), drawn)
    assert finding.status == status
    assert f"{shift:.1%} of its height off" in finding.detail


def test_numbers_that_are_not_finite_fail(drawn):
    wrong = poses(drawn)
    wrong[1] = replace(wrong[1], keypoints=np.full_like(wrong[1].keypoints, np.nan))
    assert judge(wrong, drawn).detail == "numbers that are not finite"


def test_nobody_found_fails(drawn):
    nobody = [Poses.empty(i, i / 25, 17) for i in range(len(drawn))]
    assert judge(nobody, drawn).detail == "the person was found on 0 of 4 frames"


@pytest.mark.skipif(
    not (embedded_weights("glsmamba-t") and embedded_weights("detector")), reason="no weights inside"
)
def test_the_embedded_networks_pass():
    found = {finding.name: finding for finding in self_test("cpu")}
    assert {name: finding.status for name, finding in found.items()} == dict.fromkeys(
        ("networks", "result", "speed"), "ok"
    )
    assert "on 24 of 24 frames" in found["result"].detail
