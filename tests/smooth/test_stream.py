"""A stream gives what the file gives, delays by no more than the filter's reach, and holds no more than that."""

from dataclasses import replace

import numpy as np
import pytest

from posecli.errors import UsageError
from posecli.smooth import make_chain, smooth, smooth_stream
from posecli.types import Poses
from tests.smooth.people import random_walk

CHAINS = (
    ["one-euro"],
    ["savitzky-golay"],
    ["savitzky-golay:window=9,weighted=true"],
    ["hampel", "median"],
    ["hampel", "one-euro"],
    ["fill:method=linear,max_gap=2", "savitzky-golay"],
)


def troubled(count=24):
    """People who come and go, keypoints that are missing or unsure, outliers."""
    frames = random_walk(count, ids=(1, 2, 5))
    rng = np.random.default_rng(3)
    for i, frame in enumerate(frames):
        frame.scores[:] = rng.uniform(0, 1, frame.scores.shape)
        frame.keypoints[rng.random(frame.scores.shape) < 0.1] = np.nan
        frame.keypoints[rng.random(frame.scores.shape) < 0.05] += 300
        keep = np.array([True, not 6 <= i < 15, i > 18])
        frames[i] = replace(
            frame, tracks=frame.tracks[keep], keypoints=frame.keypoints[keep], scores=frame.scores[keep]
        )
    frames[12] = Poses.empty(12, frames[12].time_s, 17)
    return frames


@pytest.mark.parametrize("names", CHAINS)
@pytest.mark.parametrize("min_score", [0.0, 0.3])
def test_it_is_what_the_file_gives(names, min_score):
    frames = troubled()
    if names[0].startswith("fill"):
        frames[12] = replace(frames[11], frame_index=12, time_s=12 / 25)  # a stream adds nobody
    chain = make_chain(names, min_score=min_score)
    streamed = list(smooth_stream(iter(frames), chain))
    for before, one, two in zip(frames, smooth(frames, chain), streamed, strict=True):
        assert two.frame_index == before.frame_index
        np.testing.assert_array_equal(two.tracks.ids, one.tracks.ids)
        np.testing.assert_allclose(two.keypoints, one.keypoints, atol=1e-3)
        np.testing.assert_array_equal(two.scores, one.scores)
        np.testing.assert_array_equal(two.filled, one.filled)
        np.testing.assert_array_equal(two.raw_keypoints, before.keypoints)


@pytest.mark.parametrize(("names", "delay"), [(["one-euro"], 0), (["hampel:window=7", "median:window=5"], 5)])
def test_the_delay_is_the_reach(names, delay):
    taken = 0

    def frames():
        nonlocal taken
        for frame in random_walk(30):
            taken += 1
            yield frame

    ahead = [taken - 1 - frame.frame_index for frame in smooth_stream(frames(), make_chain(names))]
    assert max(ahead) == delay
    assert ahead[10] == delay


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_streams_shorter_than_the_window(count):
    frames, chain = random_walk(count), make_chain(["hampel", "savitzky-golay"])
    streamed = list(smooth_stream(frames, chain))
    assert [frame.frame_index for frame in streamed] == list(range(count))
    for one, two in zip(smooth(frames, chain), streamed, strict=True):
        np.testing.assert_allclose(two.keypoints, one.keypoints, atol=1e-3)


def test_the_input_is_untouched():
    frames = random_walk(12)
    before = [frame.keypoints.copy() for frame in frames]
    for _ in smooth_stream(frames, make_chain(["one-euro", "median"])):
        pass
    for frame, keypoints in zip(frames, before, strict=True):
        np.testing.assert_array_equal(frame.keypoints, keypoints)


@pytest.mark.parametrize("name", ["butterworth", "fill"])
def test_a_filter_that_needs_the_whole_clip(name):
    with pytest.raises(UsageError, match=f"filter {name} needs the whole clip: use posecli smooth"):
        smooth_stream([], make_chain([name]))
