"""Recordings taken apart and put together: identities, frames, and what was raw."""

from dataclasses import replace

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.smooth import make_chain, smooth
from posecli.types import Poses
from tests.smooth.people import BOX, poses, random_walk

NOTHING = make_chain([])


def test_without_filters_everything_stays():
    frames = random_walk(6)
    frames[2].keypoints[0, 3] = np.nan
    for before, after in zip(frames, smooth(frames, NOTHING), strict=True):
        np.testing.assert_array_equal(after.keypoints, before.keypoints)
        np.testing.assert_array_equal(after.raw_keypoints, before.keypoints)
        np.testing.assert_array_equal(after.scores, before.scores)
        assert after.tracks is before.tracks
        assert not after.filled.any()


def test_the_raw_ones_are_kept_and_the_input_is_untouched():
    frames = random_walk(20)
    before = [frame.keypoints.copy() for frame in frames]
    after = smooth(frames, make_chain(["savitzky-golay"]))
    for frame, raw, result in zip(frames, before, after, strict=True):
        np.testing.assert_array_equal(frame.keypoints, raw)
        np.testing.assert_array_equal(result.raw_keypoints, raw)
    # At the very ends a parabola goes through all that the window has.
    assert all(
        np.abs(result.keypoints - raw).max() > 0.1
        for result, raw in zip(after[2:-2], before[2:-2], strict=True)
    )


def test_people_are_filtered_by_themselves_in_whatever_order_they_come():
    """A second person, ids swapped in the frames' order: everyone gets what they would get alone."""
    alone = random_walk(15, ids=(7,))
    both = [
        poses(i, dict([(7, frame.keypoints[0, :, 0]), (3, 5.0 * i)][:: 1 if i % 2 else -1]))
        for i, frame in enumerate(alone)
    ]
    chain = make_chain(["hampel", "savitzky-golay", "one-euro"])
    for one, two in zip(smooth(alone, chain), smooth(both, chain), strict=True):
        row = two.tracks.ids.tolist().index(7)
        np.testing.assert_array_equal(two.keypoints[row], one.keypoints[0])


def test_who_changes_the_id_is_somebody_else():
    """Nothing is smoothed over the change: both parts are straight lines, and stay them."""
    frames = [poses(i, {1: 10.0 * i} if i < 8 else {2: 500 - 10.0 * i}) for i in range(16)]
    for frame in smooth(frames, make_chain(["savitzky-golay"])):
        np.testing.assert_allclose(frame.keypoints, frame.raw_keypoints, atol=1e-3)


def test_an_id_that_two_people_share_is_left_alone():
    frames = [poses(i, {1: 50.0 * (i % 2), 2: 50.0 * (i % 2)}) for i in range(9)]
    frames = [replace(f, tracks=replace(f.tracks, ids=np.zeros(2, np.int64))) for f in frames]
    for frame in smooth(frames, make_chain(["median"])):
        np.testing.assert_array_equal(frame.keypoints, frame.raw_keypoints)


def test_a_person_who_is_missing_for_a_moment_is_put_there():
    frames = [poses(i, {1: 10.0 * i, 2: 7.0} if i != 3 else {2: 7.0}) for i in range(7)]
    frames[4].tracks.xyxy[0] = BOX + 50
    frames[4].tracks.scores[0] = 0.6
    after = smooth(frames, make_chain(["fill"]))
    assert [frame.tracks.ids.tolist() for frame in after[2:5]] == [[1, 2], [2, 1], [1, 2]]
    np.testing.assert_allclose(after[3].keypoints[1, :, 0], 30)
    np.testing.assert_array_equal(after[3].tracks.xyxy[1], BOX + 25)
    assert after[3].tracks.scores.tolist() == pytest.approx([0.8, 0.6])
    assert after[3].filled.all(axis=1).tolist() == [False, True]
    assert np.isnan(after[3].raw_keypoints[1]).all()
    assert len(after[3].scores) == len(after[3].raw_scores) == 2


def test_a_person_who_is_missing_for_long_is_not():
    frames = [poses(i, {1: 10.0 * i} if not 2 < i < 9 else {}) for i in range(12)]
    assert [len(frame) for frame in smooth(frames, make_chain(["fill:max_gap=5"]))] == [1] * 3 + [0] * 6 + [
        1
    ] * 3


def test_a_keypoint_of_low_score_is_filled_or_stays_as_it_is():
    frames = [poses(i, {1: 10.0 * i}) for i in range(6)]
    for i in (2, 5):
        frames[i].keypoints[0, 4], frames[i].scores[0, 4] = 999, 0.05
    after = smooth(frames, make_chain(["fill"], min_score=0.1))
    np.testing.assert_allclose(after[2].keypoints[0, 4], [20, 40])
    assert (after[2].filled[0, 4], after[2].scores[0, 4]) == (True, np.float32(0.9))
    assert after[2].raw_keypoints[0, 4].tolist() == [999, 999]
    assert after[5].keypoints[0, 4].tolist() == [999, 999]  # nothing comes after it
    assert (after[5].filled[0, 4], after[5].scores[0, 4]) == (False, np.float32(0.05))


def test_every_third_frame_is_a_recording_without_gaps():
    frames = [poses(3 * i, {1: float(x)}) for i, x in enumerate([0, 0, 90, 0, 0])]
    assert smooth(frames, make_chain(["median:window=3"]))[2].keypoints[0, 0, 0] == 0


def test_a_frame_that_the_file_lacks_is_a_gap():
    """A bare list of results lacks the frames without people; nothing is smoothed over them."""
    frames = [poses(i, {1: float(i), 2: 0.0}) for i in (0, 1, 2, 3, 4, 20, 21, 22, 23, 24)]
    frames[4].keypoints[0] = 80
    after = smooth(frames, make_chain(["median:window=3"]))
    assert after[4].keypoints[0, 0, 0] == 41.5  # of 3 and 80
    assert after[5].keypoints[0, 0, 0] == 20.5  # of 20 and 21


def test_the_clock():
    frames = [poses(i, {1: float(i)}, time_s=np.nan) for i in range(40)]
    chain = make_chain(["butterworth:cutoff=6"])
    with pytest.raises(PosecliError, match="give --frame-rate"):
        smooth(frames, chain)
    with pytest.warns(UserWarning, match="10 frames/s show nothing"):
        smooth(frames, chain, frame_rate=10)
    assert len(smooth(frames, chain, frame_rate=30)) == 40


def test_times_that_stand_still():
    frames = [poses(i, {1: 0.0}, time_s=0.5) for i in range(3)]
    with pytest.raises(PosecliError, match=r"frame 1 is at 0\.500 s and frame 0 before it at 0\.500 s"):
        smooth(frames, NOTHING)


def test_nobody_and_nothing():
    assert smooth([], NOTHING) == []
    (frame,) = smooth([Poses.empty(0, np.nan, 17)], make_chain(["butterworth"]))
    assert len(frame) == 0
