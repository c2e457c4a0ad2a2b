"""The shipped model on a short clip: the same poses whatever shapes speed and memory (docs/streaming.md)."""

from pathlib import Path

import numpy as np
import pytest
import torch

import posecli
from posecli.nn.scan.registry import ENVIRONMENT_VARIABLE
from posecli.weights.locate import embedded_weights

EXAMPLE = Path(__file__).parents[2] / "examples/people.mp4"
END_S = 0.3
PIXELS, SCORE = 0.02, 1e-3  # the tolerance that docs/streaming.md states

pytestmark = pytest.mark.skipif(
    not (embedded_weights("glsmamba-t") and embedded_weights("detector")), reason="no weights inside"
)


def poses_of(**options):
    return list(posecli.estimate(EXAMPLE, precision="fp32", device="cpu", flip=False, end=END_S, **options))


@pytest.fixture(scope="module")
def reference():
    return poses_of()


@pytest.fixture(scope="module")
def reused():
    return poses_of(windows="reuse")


@pytest.mark.parametrize("options", [{"batch": 1, "chunk": 3}, {"batch": 3, "chunk": 8}, {"threads": 1}])
def test_batches_chunks_and_threads(reference, options):
    threads = torch.get_num_threads()
    try:
        assert_near(poses_of(**options), reference)
    finally:
        torch.set_num_threads(threads)


def test_batches_and_chunks_where_features_are_reused(reused):
    """A neighbour's features may be from the same batch or an earlier one."""
    assert_near(poses_of(windows="reuse", batch=3, chunk=3), reused)


def test_reused_features_are_near_exact_ones(reused):
    apart = [a.keypoints - b.keypoints for a, b in zip(reused, poses_of(windows="exact"), strict=True)]
    distance = np.linalg.norm(np.concatenate(apart), axis=-1) / 200  # people are about 200 pixels tall
    assert 0 < np.median(distance) < 0.002


def test_another_scan_backend(reference, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "torch")
    assert_near(poses_of(), reference)


def assert_near(poses, reference):
    assert len(poses) == len(reference) > 5
    assert {len(frame) for frame in reference} == {2}
    for frame, expected in zip(poses, reference, strict=True):
        np.testing.assert_array_equal(frame.tracks.ids, expected.tracks.ids)
        np.testing.assert_allclose(frame.tracks.xyxy, expected.tracks.xyxy, atol=PIXELS)
        np.testing.assert_allclose(frame.keypoints, expected.keypoints, atol=PIXELS)
        np.testing.assert_allclose(frame.scores, expected.scores, atol=SCORE)
