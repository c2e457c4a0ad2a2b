"""Synthetic people for the tests of this folder."""

import cv2
import numpy as np

from posecli.types import Boxes, Frame, Tracks

IMAGE = np.zeros((8, 8, 3), np.uint8)


def frame(index, time_s=None, image=IMAGE):
    return Frame(index, index / 25 if time_s is None else time_s, image)


def boxes(*rows):
    """Boxes from rows (x0, y0, x1, y1, score)."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Boxes(table[:, :4], table[:, 4])


def tracks(*rows):
    """Tracks from rows (id, x0, y0, x1, y1, score)."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Tracks(table[:, 0].astype(np.int64), table[:, 1:5], table[:, 5])


def assert_same_tracks(a, b):
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_allclose(a.xyxy, b.xyxy, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(a.scores, b.scores, rtol=1e-5)


def landscape(seed=0, size=(360, 640)):
    """A picture (height, width) with texture of many sizes, as a street has."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.uniform(0, 255, (size[0] // step, size[1] // step, 3)), (size[1], size[0]))
        for step in (10, 30, 90)
    ]
    return np.mean(layers, axis=0).astype(np.uint8)
