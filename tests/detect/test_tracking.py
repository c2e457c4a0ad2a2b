"""The trackers on synthetic people whose identities are known."""

import numpy as np
import pytest

from posecli.detect.tracking import START_MARGIN, TRACKER_NAMES, make_tracker
from posecli.errors import UsageError
from posecli.types import Boxes, Tracks

from .helpers import assert_same_tracks, boxes, frame, landscape

TRACKERS = [name for name in TRACKER_NAMES if name != "none"]


@pytest.fixture(params=TRACKERS)
def name(request):
    return request.param


def person(x, y=20.0, score=0.8):
    return (x, y, x + 40, y + 100, score)


def run(tracker, sequence):
    return [tracker.update(found, frame(i, image=GREY)) for i, found in enumerate(sequence)]


GREY = np.random.default_rng(0).integers(
    0, 255, (160, 320, 3), dtype=np.uint8
)  # texture, for BoT-SORT's camera


def test_one_person_is_number_one_from_the_first_picture_on(name):
    result = run(make_tracker(name, 25), [boxes(person(10 + 3 * i)) for i in range(10)])
    assert [t.ids.tolist() for t in result] == [[1]] * 10
    np.testing.assert_array_equal(
        result[4].xyxy, boxes(person(22)).xyxy
    )  # the detector's box, not the filter's
    np.testing.assert_allclose(result[4].scores, [0.8])


def test_ids_in_order_of_appearance(name):
    sequence = [
        boxes(person(10)),
        boxes(person(10), person(100)),
        boxes(person(10), person(100), person(200)),
    ]
    assert [t.ids.tolist() for t in run(make_tracker(name, 25), sequence)] == [[1], [1, 2], [1, 2, 3]]


def test_identities_are_kept_through_a_crossing(name):
    """Two people walk past each other at 6 pixels a picture, their boxes overlapping up to 0.7 on the way."""
    left = [person(10 + 6 * i, 20) for i in range(40)]
    right = [person(250 - 6 * i, 36) for i in range(40)]
    flip = np.random.default_rng(1).integers(0, 2, 40)  # the detector's order means nothing
    sequence = [boxes(*((a, b) if f else (b, a))) for a, b, f in zip(left, right, flip, strict=True)]
    result = run(make_tracker(name, 25), sequence)
    assert all(t.ids.tolist() == [1, 2] for t in result)
    went_right = result[0].xyxy[:, 0] < 100
    rows = [row for t in result for row in t.xyxy[went_right]]
    np.testing.assert_allclose([row[0] for row in rows], [a[0] for a in left])


def test_a_short_gap_keeps_the_id_and_a_long_one_does_not(name):
    def sequence(gap):
        steady = [boxes(person(50))] * 10
        return steady + [Boxes.empty()] * gap + steady

    for gap, last_id in ((10, 1), (70, 1), (80, 2)):  # MEMORY_SECONDS is 75 pictures
        assert run(make_tracker(name, 25), sequence(gap))[-1].ids.tolist() == [last_id]


def test_the_memory_is_in_seconds_of_the_frames(name):
    """The same 10 missing pictures are 0.4 s at 25 a second and 3.7 s at 3."""
    sequence = [boxes(person(50))] * 5 + [Boxes.empty()] * 10 + [boxes(person(50))]
    for rate, last_id in ((25, 1), (3, 2)):
        tracker = make_tracker(name, rate)
        found = [tracker.update(b, frame(i, i / rate, GREY)) for i, b in enumerate(sequence)]
        assert found[-1].ids.tolist() == [last_id]


def test_empty_pictures(name):
    result = run(make_tracker(name, 25), [Boxes.empty()] * 3 + [boxes(person(5))] + [Boxes.empty()] * 2)
    assert [len(t) for t in result] == [0, 0, 0, 1, 0, 0]
    assert result[0].xyxy.shape == (0, 4)
    assert result[0].ids.dtype == np.int64


def random_sequence(seed):
    random = np.random.default_rng(seed)
    starts = random.uniform(0, 250, 5)
    speeds = random.uniform(-4, 4, 5)
    return [
        boxes(
            *(
                person(x + v * i + random.normal(), 20 + random.normal(), random.uniform(0.3, 0.9))
                for x, v in zip(starts, speeds, strict=True)
                if random.random() > 0.2
            )
        )
        for i in range(30)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_ids_are_dense_unique_on_a_picture_and_the_same_every_time(name, seed):
    sequence = random_sequence(seed)
    first, second = (run(make_tracker(name, 25), sequence) for _ in range(2))
    seen = 0
    for found, a, b in zip(sequence, first, second, strict=True):
        assert_same_tracks(a, b)
        assert len(set(a.ids.tolist())) == len(a)
        assert {tuple(row) for row in a.xyxy.tolist()} <= {tuple(row) for row in found.xyxy.tolist()}
        new = [i for i in a.ids.tolist() if i > seen]
        assert new == list(range(seen + 1, seen + 1 + len(new)))
        seen += len(new)
    assert seen >= 5


def test_reset_forgets_everybody(name):
    sequence = random_sequence(7)
    tracker = make_tracker(name, 25)
    before = run(tracker, sequence)
    tracker.reset()
    for a, b in zip(before, run(tracker, sequence), strict=True):
        assert_same_tracks(a, b)


def test_times_that_stand_still_do_not_matter(name):
    tracker = make_tracker(name, None)
    result = [tracker.update(boxes(person(10 + 2 * i)), frame(i, 0.0, GREY)) for i in range(6)]
    assert [t.ids.tolist() for t in result] == [[1]] * 6


@pytest.mark.parametrize("name", ["bytetrack", "botsort"])
def test_weak_boxes_carry_a_track_on_but_start_none(name):
    weak, strong = 0.3 + START_MARGIN / 2, 0.3 + 2 * START_MARGIN
    tracker = make_tracker(name, 25, threshold=0.3)
    scores = (weak, strong, weak, weak)
    result = run(tracker, [boxes(person(50, score=score)) for score in scores])
    assert [t.ids.tolist() for t in result] == [[], [1], [1], [1]]


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.95, 1.0])
def test_a_sure_person_is_tracked_at_every_threshold(name, threshold):
    result = run(make_tracker(name, 25, threshold=threshold), [boxes(person(50, score=1.0))] * 3)
    assert [t.ids.tolist() for t in result] == [[1]] * 3


def test_pictures_may_change_size():
    tracker = make_tracker("botsort", 25)
    sizes = [(160, 320), (320, 160), (160, 320)]
    images = [np.random.default_rng(i).integers(0, 255, (*s, 3), dtype=np.uint8) for i, s in enumerate(sizes)]
    result = [tracker.update(boxes(person(50)), frame(i, image=image)) for i, image in enumerate(images)]
    assert [t.ids.tolist() for t in result] == [[1]] * 3


def test_none_claims_no_identity():
    tracker = make_tracker("none", 25)
    sequence = [boxes(person(10), person(100)), Boxes.empty(), boxes(person(10))]
    assert [t.ids.tolist() for t in run(tracker, sequence)] == [[1, 2], [], [3]]
    tracker.reset()
    assert run(tracker, sequence)[0].ids.tolist() == [1, 2]
    assert isinstance(tracker.update(Boxes.empty(), frame(0)), Tracks)


@pytest.mark.parametrize("name", ["none", "ocsort"])
def test_weak_boxes_are_left_out_where_they_carry_nothing_on(name):
    weak, strong = 0.3 + START_MARGIN / 2, 0.3 + 2 * START_MARGIN
    tracker = make_tracker(name, 25, threshold=0.3)
    found = [
        tracker.update(boxes(person(50, score=weak), person(150, score=strong)), frame(i)) for i in range(3)
    ]
    assert [t.xyxy[:, 0].tolist() for t in found] == [[150]] * 3


def test_someone_hidden_for_two_seconds_has_the_old_id(name):
    """A red person walks at 4 pixels a picture, goes behind something for 50 pictures, and comes out of it."""
    tracker = make_tracker(name, 25)
    ids = []
    for i in range(90):
        image = np.full((160, 500, 3), 90, np.uint8)
        found = Boxes.empty()
        if not 20 <= i < 70:
            x = 10 + 4 * i
            image[20:120, x : x + 40] = (200, 0, 0)
            found = boxes(person(x))
        ids += tracker.update(found, frame(i, image=image)).ids.tolist()
    assert ids == [1] * 40


def test_botsort_follows_the_camera():
    """The camera turns to and fro by 35 pixels a picture, nearly as far as the people are wide."""
    street = landscape(size=(160, 500))
    turned = [(0, 35, 70, 35)[i % 4] for i in range(30)]
    ids = {}
    for name in ("botsort", "bytetrack"):
        tracker = make_tracker(name, 25)
        people = [boxes(person(220 - x), person(320 - x)) for x in turned]
        found = [
            tracker.update(p, frame(i, image=street[:, x : x + 320]))
            for i, (p, x) in enumerate(zip(people, turned, strict=True))
        ]
        ids[name] = {(i, box) for t in found for i, box in zip(t.ids.tolist(), [0, 1], strict=True)}
    assert ids["botsort"] == {(1, 0), (2, 1)}
    assert ids["bytetrack"] != ids["botsort"]


def test_unknown_name():
    with pytest.raises(UsageError, match="bytetrack, ocsort, botsort, none"):
        make_tracker("deepsort", 25)
