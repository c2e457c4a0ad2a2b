"""How the camera moved between two pictures, told by the texture of the background.

Corners of the earlier picture are followed into the later one (Shi and Tomasi, CVPR 1994; Lucas and Kanade, IJCAI 1981,
on a pyramid), and the similarity transform that most of them agree on is the camera's (RANSAC). The `trackers` package
does the same on ten times the pixels, for ten times the time; docs/tracking.md has the measurement.
"""

from __future__ import annotations

import numpy as np

from posecli.types import FloatArray, Image

LONGER_SIDE = 160  # pixels that the pictures are shrunk to
MAX_CORNERS = 80
MIN_CORNERS = 8  # fewer say nothing
CORNER_QUALITY = 0.01  # of the best corner's
CORNER_DISTANCE = 6  # pixels of the small picture
FLOW_WINDOW = 15
AGREEMENT = 1.0  # pixels of the small picture
MIN_AGREEING = 0.3  # share of the corners
MIN_BACKGROUND = 0.2  # share of the picture below which people are not left out


def still() -> FloatArray:
    """The motion of a camera that stands: (2, 3)."""
    return np.eye(2, 3, dtype=np.float32)


class CameraMotion:
    """Compares each picture with the one before it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the picture: the next one has none before it."""
        self._grey: Image | None = None
        self._people = np.zeros((0, 4), np.float32)

    def estimate(self, image: Image, people_xyxy: FloatArray) -> FloatArray:
        """The (2, 3) similarity that takes a background point of the picture before to where it is on this one.

        The identity for a first picture, one of another size, or one without enough texture.

        Args:
            image: the next picture.
            people_xyxy: (n, 4) where its people are; they move by themselves, and are left out.
        """
        before, people_before = self._grey, self._people
        self._grey, scale = _small_grey(image)
        self._people = people_xyxy * scale
        if before is None or before.shape != self._grey.shape:
            return still()
        motion = _similarity(before, self._grey, _background(before, people_before))
        motion[:, 2] /= scale
        return motion


def _small_grey(image: Image) -> tuple[Image, float]:
    """(height, width) grey, and its pixels per pixel of the picture."""
    import cv2

    height, width = image.shape[:2]
    scale = min(1.0, LONGER_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8), scale


def _background(grey: Image, people_xyxy: FloatArray) -> Image:
    """(height, width) 255 where no person is; everywhere, if people fill the picture."""
    mask = np.full(grey.shape, 255, np.uint8)
    for x0, y0, x1, y1 in np.maximum(people_xyxy, 0).astype(int):
        mask[y0 : y1 + 1, x0 : x1 + 1] = 0
    if (mask > 0).mean() < MIN_BACKGROUND:
        mask[:] = 255
    return mask


def _similarity(before: Image, after: Image, mask: Image) -> FloatArray:
    import cv2

    corners = cv2.goodFeaturesToTrack(before, MAX_CORNERS, CORNER_QUALITY, CORNER_DISTANCE, mask=mask)
    if corners is None or len(corners) < MIN_CORNERS:
        return still()
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        corners,
        None,  # type: ignore[call-overload]
        winSize=(FLOW_WINDOW, FLOW_WINDOW),
    )
    kept = found.ravel() > 0
    if kept.sum() < MIN_CORNERS:
        return still()
    motion, agree = cv2.estimateAffinePartial2D(
        corners[kept], moved[kept], method=cv2.RANSAC, ransacReprojThreshold=AGREEMENT, maxIters=200
    )
    if motion is None or agree.sum() < MIN_AGREEING * kept.sum():
        return still()
    return motion.astype(np.float32)


def follow(motion: FloatArray, xyxy: FloatArray) -> FloatArray:
    """Boxes (n, 4) of the picture before, where they are on this one if only the camera moved; they stay upright."""
    centres = (xyxy[:, :2] + xyxy[:, 2:]) / 2 @ motion[:, :2].T + motion[:, 2]
    half = (xyxy[:, 2:] - xyxy[:, :2]) / 2 * np.sqrt(abs(np.linalg.det(motion[:, :2])))
    return np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)
