"""Raw keypoints read back from files of smoothed ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from posecli.formats import open_writer
from posecli.skeletons import COCO
from posecli.smooth import make_chain, smooth
from posecli.smooth.output import open_smoothed_writer
from posecli.smooth.raw import read_raw
from posecli.types import Poses, VideoInfo

from .people import random_walk

VIDEO = VideoInfo("clip.mp4", 640, 360, 25.0, "1/25", 12)


def with_a_gap() -> list[Poses]:
    """Two people who are missing on one frame; the first lacks a joint on another."""
    frames = list(random_walk(12))
    frames[5] = Poses.empty(5, frames[5].time_s, len(COCO))
    keypoints, scores = frames[7].keypoints.copy(), frames[7].scores.copy()
    keypoints[0, 3], scores[0, 3] = np.nan, np.nan
    frames[7] = replace(frames[7], keypoints=keypoints, scores=scores)
    return frames


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.json", "coco"), ("a.csv", "csv"), ("a.csv", "csv-wide"), ("a.parquet", "parquet")],
)
def test_it_is_what_was_smoothed(tmp_path, name, format):
    before = with_a_gap()
    after = smooth(before, make_chain(["fill", "butterworth:cutoff=3"]), frame_rate=25)
    assert len(after[5]) == 2, "the filters add both people, or nothing is tested"
    with open_smoothed_writer(
        tmp_path / name, format, video=VIDEO, skeleton=COCO, provenance={"smoothing": {}}
    ) as writer:
        for frame in after:
            writer.write(frame)
    recording = read_raw(tmp_path / name)
    assert recording is not None
    for found, wanted in zip(recording.frames, before, strict=True):
        assert (found.frame_index, found.tracks.ids.tolist()) == (
            wanted.frame_index,
            wanted.tracks.ids.tolist(),
        )
        np.testing.assert_allclose(found.keypoints, wanted.keypoints, atol=1e-3)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-6)
        np.testing.assert_allclose(found.tracks.xyxy, wanted.tracks.xyxy, atol=1e-3)


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.npz", "a.trc"])
def test_files_that_keep_none(tmp_path, name):
    with open_writer(tmp_path / name, video=VIDEO, skeleton=COCO, provenance={}) as writer:
        for frame in random_walk(3):
            writer.write(frame)
    assert read_raw(tmp_path / name) is None
