"""Each person-frame encoded once: what the encoder said of the neighbours is resampled into the keyframe's crop.

All windows of a person share its views, one a frame, each cut out with the person's own box on that frame. Between two
crops of one picture lies a known affine, and by it a neighbour's feature comes to lie where the keyframe's crop would
have had it. That is near, not the same: an encoder sees a crop's surroundings too, and answers to its scale.

Shapes: B windows, T frames, n = B*T views, C channels, K keypoints, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from posecli.geometry.crop import Affine, between_crops, box_affine, warp
from posecli.geometry.resample import resample
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.pipeline.windows import PersonWindow, Tracked, View, Window


class SharedViews:
    """The views of the frames that windows still ask for, by frame and track id: nothing grows with the clip.

    Args:
        padding: how much a person's box is enlarged.
    """

    def __init__(self, padding: float) -> None:
        self._padding = padding
        self._views: dict[int, dict[int, View]] = {}

    def __call__(self, window: Window, track_id: int, affine: Affine, size: tuple[int, int]) -> list[View]:
        """A person's view of every frame of a window; windows come in order.

        Args:
            affine: the keyframe's. It cuts out the frames on which the person is not seen, for the first keyframe that
                asks for them and for those that follow.
            size: (height, width) of a crop.
        """
        self._forget(window.frames[0][0].index)
        return [self._view(frame, track_id, affine, size) for frame in window.frames]

    def __len__(self) -> int:
        """Frames of which there are views."""
        return len(self._views)

    def clear(self) -> None:
        """The next window has nothing in common with those before."""
        self._views = {}

    def _view(self, tracked: Tracked, track_id: int, affine: Affine, size: tuple[int, int]) -> View:
        frame, tracks = tracked
        of_frame = self._views.setdefault(frame.index, {})
        if track_id not in of_frame:
            rows = np.flatnonzero(tracks.ids == track_id)
            own = box_affine(tracks.xyxy[rows[0]], size, self._padding) if len(rows) else affine
            of_frame[track_id] = View(warp(frame.image, own, size), own)
        return of_frame[track_id]

    def _forget(self, before: int) -> None:
        for index in [index for index in self._views if index < before]:
            del self._views[index]


def encode_windows(
    model: PoseModel | FlipTested, people: Sequence[PersonWindow], device: torch.device
) -> EncodedWindows:
    """What the encoder says of every window; a view that it has seen is not shown to it again.

    The encoder's heatmaps are the keyframe's, T times: nobody is answered on the other frames.
    """
    _encode_new(model, (view for person in people for view in person.views), device)
    features_BTCHW = torch.stack([_features(person, device) for person in people])
    middle = [_encoded(person.views[len(person.views) // 2]).heatmaps_BTKHW for person in people]
    known = [heatmaps for heatmaps in middle if heatmaps is not None]
    frames = features_BTCHW.shape[1]
    return EncodedWindows(features_BTCHW, torch.cat(known).expand(-1, frames, -1, -1, -1) if known else None)


def _encode_new(model: PoseModel | FlipTested, views: Iterable[View], device: torch.device) -> None:
    new = list(dict.fromkeys(view for view in views if view.encoded is None))
    if not new:
        return
    crops_n1HWC = torch.from_numpy(np.stack([view.crop for view in new]))[:, None].to(device)
    features_n1CHW, heatmaps_n1KHW = model.encode(crops_n1HWC)
    for i, view in enumerate(new):
        heatmaps = None if heatmaps_n1KHW is None else heatmaps_n1KHW[i : i + 1]
        view.encoded = EncodedWindows(features_n1CHW[i : i + 1], heatmaps)


def _features(person: PersonWindow, device: torch.device) -> Tensor:
    """(T, C, H, W) of one window, over the keyframe's crop."""
    features_TCHW = torch.cat([_encoded(view).features_BTCHW[0] for view in person.views])
    # A box that stays where it is needs no resampling.
    moved = [i for i, view in enumerate(person.views) if not np.array_equal(view.affine, person.affine)]
    if moved:
        affines = np.stack([between_crops(person.affine, person.views[i].affine) for i in moved])
        size = person.views[0].crop.shape[:2]
        resampled = resample(features_TCHW[moved], torch.from_numpy(affines).float().to(device), size)
        features_TCHW[moved] = resampled.to(features_TCHW.dtype)
    return features_TCHW


def _encoded(view: View) -> EncodedWindows:
    assert view.encoded is not None
    return view.encoded
