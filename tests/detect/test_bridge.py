"""bridge_gaps against its rules written down once more for a whole clip at once, and against plain cases."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posecli.detect.bridge import FILLED_SCORE_FACTOR, bridge_gaps, gap_to_bridge, iou
from posecli.types import Tracks

from .helpers import assert_same_tracks, frame, tracks


def looked_at(length, every):
    return {t for t in range(length) if t % every == 0} | {length - 1}


def bridge_whole_clip(sequence, max_gap, every, min_hits, duplicate_iou):
    """The rules of bridge_gaps with the whole clip in memory: {(picture, id): (box, score)}."""
    ahead = max_gap + (min_hits - 1) * every
    looked = looked_at(len(sequence), every)
    seen = {
        (t, int(i)): (box, score)
        for t, (_, people) in enumerate(sequence)
        for i, box, score in zip(people.ids, people.xyxy, people.scores, strict=True)
    }
    ids = sorted({i for _, i in seen})

    def in_window(t, i):
        return [u for u in range(t, min(t + ahead + 1, len(sequence))) if (u, i) in seen]

    def stretches(i):
        times = [t for t in range(len(sequence)) if (t, i) in seen]
        cuts = [k for k in range(1, len(times)) if times[k] - times[k - 1] - 1 > ahead]
        return [times[a:b] for a, b in itertools.pairwise([0, *cuts, len(times)])]

    first, confirmed = {}, set()
    for i in ids:
        for stretch in stretches(i):
            hits = [
                t
                for t in stretch
                if len(in_window(t, i)) >= min(min_hits, len(looked & set(range(t, t + ahead + 1))))
            ]
            first |= {(t, i): stretch[0] for t in stretch}
            confirmed |= {(t, i) for t in stretch if hits and t >= hits[0]}

    def is_double(t, i):
        return any(
            (t, j) in confirmed
            and (first[t, j], j) < (first[t, i], i)
            and all(
                (u, j) in seen and iou(seen[u, i][0], seen[u, j][0]) > duplicate_iou for u in in_window(t, i)
            )
            for j in ids
        )

    kept = {key: seen[key] for key in confirmed if not is_double(*key)}
    result = dict(kept)
    for i in ids:
        for a, b in itertools.pairwise([t for t in range(len(sequence)) if (t, i) in seen]):
            if b - a - 1 > max_gap or (a, i) not in kept:
                continue
            time = [sequence[t][0].time_s for t in range(len(sequence))]
            for t in range(a + 1, b):
                w = (time[t] - time[a]) / (time[b] - time[a])
                box = seen[a, i][0] * (1 - w) + seen[b, i][0] * w
                doubt = FILLED_SCORE_FACTOR if t in looked else 1
                result[t, i] = box, min(seen[a, i][1], seen[b, i][1]) * doubt
    return result


def to_tracks(result, t):
    return tracks(
        *((i, *box, score) for (u, i), (box, score) in sorted(result.items(), key=lambda x: x[0]) if u == t)
    )


@st.composite
def sequences(draw):
    """Clips of up to 25 pictures at uneven times; up to 4 tracks, seen or not, near one of two places."""
    count = draw(st.integers(0, 25))
    steps = draw(st.lists(st.floats(0.01, 0.2), min_size=count, max_size=count))
    times = np.cumsum(steps)
    sequence = []
    for t in range(count):
        ids = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
        rows = []
        for i in ids:
            x, score = draw(st.sampled_from([0, 2, 4, 60])), draw(st.sampled_from([0.25, 0.5, 0.75]))
            rows.append((i, x, 0, x + 40, 100, score))
        sequence.append((frame(t, float(times[t])), tracks(*rows)))
    return sequence


def seen_every(sequence, every):
    """The clip as it is tracked where only some pictures are looked at."""
    looked = looked_at(len(sequence), every)
    return [(frame, people if t in looked else Tracks.empty()) for t, (frame, people) in enumerate(sequence)]


@given(sequences(), st.integers(0, 5), st.integers(1, 4), st.integers(1, 4))
def test_equals_the_offline_rules(sequence, max_gap, min_hits, every):
    sequence = seen_every(sequence, every)
    expected = bridge_whole_clip(sequence, max_gap, every, min_hits, 0.8)
    result = list(bridge_gaps(iter(sequence), max_gap, every=every, min_hits=min_hits))
    assert [f for f, _ in result] == [f for f, _ in sequence]
    for t, (_, people) in enumerate(result):
        assert_same_tracks(people, to_tracks(expected, t))


@given(sequences(), st.integers(0, 5), st.integers(1, 4), st.integers(1, 4))
def test_holds_no_more_pictures_than_it_says(sequence, max_gap, min_hits, every):
    taken = 0

    def counted():
        nonlocal taken
        for item in sequence:
            taken += 1
            yield item

    for given_back, _ in enumerate(bridge_gaps(counted(), max_gap, every=every, min_hits=min_hits)):
        assert taken - given_back <= max_gap + (min_hits - 1) * every + 1


def clip(*pictures):
    """A clip from rows of ids; every track stands at its own place."""
    return [
        (frame(t), tracks(*((i, 100 * i, 0, 100 * i + 40, 100, 0.8) for i in ids)))
        for t, ids in enumerate(pictures)
    ]


def ids_of(stream):
    return [people.ids.tolist() for _, people in stream]


def test_a_gap_is_filled_along_a_line_with_a_lower_score():
    sequence = [(frame(t), tracks((1, 10 * t, 0, 10 * t + 40, 100, 0.8 - 0.1 * t))) for t in range(5)]
    sequence[1:4] = [(frame(t), Tracks.empty()) for t in (1, 2, 3)]
    result = [people for _, people in bridge_gaps(sequence, 3, min_hits=2)]
    np.testing.assert_allclose([people.xyxy[0, 0] for people in result], [0, 10, 20, 30, 40], atol=1e-5)
    np.testing.assert_allclose(result[2].scores, [0.4 * FILLED_SCORE_FACTOR], rtol=1e-6)


def test_the_line_runs_over_time_not_over_the_count():
    times = [0.0, 0.3, 0.4]
    sequence = [(frame(t, times[t]), tracks((1, x, 0, x + 40, 100, 0.8))) for t, x in enumerate([0, 0, 40])]
    sequence[1] = (sequence[1][0], Tracks.empty())
    result = [people for _, people in bridge_gaps(sequence, 1, min_hits=2)]
    np.testing.assert_allclose(result[1].xyxy[0], [30, 0, 70, 100], atol=1e-4)


def test_a_longer_gap_stays_open():
    assert ids_of(bridge_gaps(clip([1], [1], [], [], [], [1], [1]), 2, min_hits=1))[2:5] == [[], [], []]
    assert ids_of(bridge_gaps(clip([1], [1], [], [], [], [1], [1]), 3, min_hits=1))[2:5] == [[1], [1], [1]]


def test_a_false_alarm_is_dropped_and_a_person_kept():
    pictures = [[1], [1, 2], [1], [1], [1], [1], [1], [1]]
    assert ids_of(bridge_gaps(clip(*pictures), 2, min_hits=3)) == [[1]] * 8


@pytest.mark.parametrize("every", [1, 2, 3, 4])
def test_one_look_in_vain_leaves_no_hole(every):
    """Whatever the pictures between two looks; the boxes lie on the line."""
    length, missed = 6 * every + 1, 3 * every
    sequence = [(frame(t), tracks((1, 10 * t, 0, 10 * t + 40, 100, 0.8))) for t in range(length)]
    sequence[missed] = (sequence[missed][0], Tracks.empty())
    stream = seen_every(sequence, every)
    result = [people for _, people in bridge_gaps(stream, gap_to_bridge(every), every=every)]
    np.testing.assert_allclose([people.xyxy[0, 0] for people in result], 10 * np.arange(length), atol=1e-4)
    scores = [float(people.scores[0]) for people in result]
    np.testing.assert_allclose(scores, [0.8 * (0.9 if t == missed else 1) for t in range(length)], rtol=1e-6)


def test_a_person_takes_as_many_looks_as_ever():
    """A false alarm of two looks out of every third picture is dropped, though they are three pictures apart."""
    pictures = [[1, 2] if t in (3, 6) else [1] for t in range(30)]
    stream = seen_every(clip(*pictures), 3)
    assert ids_of(bridge_gaps(stream, gap_to_bridge(3), every=3)) == [[1]] * 30


def test_a_clip_of_one_picture_keeps_its_people():
    assert ids_of(bridge_gaps(clip([1, 2]), 5, min_hits=3)) == [[1, 2]]


def test_of_two_tracks_on_one_person_the_older_stays():
    rows = {1: (1, 0, 0, 40, 100, 0.6), 2: (2, 1, 0, 41, 100, 0.9), 3: (3, 200, 0, 240, 100, 0.9)}
    sequence = [(frame(t), tracks(*(rows[i] for i in ([1, 3] if t == 0 else [1, 2, 3])))) for t in range(9)]
    assert ids_of(bridge_gaps(sequence, 3)) == [[1, 3]] * 9


def test_people_who_part_within_the_look_ahead_are_two():
    def people(t):
        x = 0 if t < 3 else 80
        return tracks((1, 0, 0, 40, 100, 0.6), (2, x, 0, x + 40, 100, 0.9))

    assert ids_of(bridge_gaps([(frame(t), people(t)) for t in range(9)], 3)) == [[1, 2]] * 9


@pytest.mark.parametrize(("max_gap", "min_hits", "every"), [(-1, 3, 1), (2, 0, 1), (2, 3, 0)])
def test_senseless_settings(max_gap, min_hits, every):
    with pytest.raises(ValueError, match="max_gap"):
        next(bridge_gaps(clip([1]), max_gap, every=every, min_hits=min_hits))


def test_iou():
    a = np.array([0, 0, 10, 10], np.float32)
    assert iou(a, a) == 1
    assert iou(a, a + 10) == 0
    assert iou(a, np.array([5, 0, 15, 10], np.float32)) == pytest.approx(1 / 3)
    assert iou(a * 0, a * 0) == 0
