"""What the quality report counts: against closed forms, hand-worked people and posecli's own metric."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality import shares
from benchmarks.quality.bars import bars
from benchmarks.quality.bootstrap import paired_difference
from benchmarks.quality.detection import Found, as_many
from benchmarks.quality.jitter import jitter, triples
from benchmarks.quality.looking import Looked, join
from benchmarks.quality.sightings import FACE, Sighting, Sightings, still_sightings
from posecli.data.people import Person, Picture
from posecli.metrics.pck import PckByGroup, SizedKeypoints
from posecli.skeletons import COCO
from posecli.types import Boxes

K = len(COCO)


def person(keypoints=None, height=100.0, human=False, labelled=None):
    points = np.zeros((K, 2), np.float32) if keypoints is None else np.asarray(keypoints, np.float32)
    box = np.array([0, 0, 50, height], np.float32)
    known = np.ones(K, np.float32) if labelled is None else np.asarray(labelled, np.float32)
    return Person(box, points, known, human)


def crowd(seed=0, count=30):
    """People of two sources, and what two methods say of them."""
    rng = np.random.default_rng(seed)
    people = [
        Sighting(
            ("a", "b")[i % 2], i, 1,
            person(rng.uniform(0, 100, (K, 2)), rng.uniform(50, 200), labelled=rng.random(K) < 0.7),
        )
        for i in range(count)
    ]  # fmt: skip
    sightings = Sightings.of(people)
    noise = {"whole": 10, "thunder": 15}
    points = {
        name: sightings.keypoints + rng.normal(0, sd, (count, K, 2)).astype(np.float32)
        for name, sd in noise.items()
    }
    return Looked(sightings, points)


def test_the_interval_of_a_mean_difference_is_the_normal_one():
    """Equal weights: the bootstrap of a mean has the standard deviation s / sqrt(n)."""
    rng = np.random.default_rng(7)
    gains = rng.normal(0.1, 0.5, 400)
    interval = paired_difference(gains, np.zeros(400), np.ones(400))
    reach = 1.96 * gains.std() / math.sqrt(400)
    assert interval.value == pytest.approx(gains.mean())
    assert interval.low == pytest.approx(gains.mean() - reach, abs=0.003)
    assert interval.high == pytest.approx(gains.mean() + reach, abs=0.003)


def test_few_units_by_hand():
    """Of two units, one gained all, one nothing: draws give 0, 1/2 and 1 with probability 1/4, 1/2, 1/4."""
    interval = paired_difference([3, 0], [0, 0], [3, 3])
    assert (interval.value, interval.low, interval.high) == (0.5, 0, 1)


def test_units_are_pooled_by_their_weight_and_the_seed_decides():
    interval = paired_difference([8, 1], [4, 0], [10, 2])
    assert interval.value == pytest.approx(5 / 12)
    same = paired_difference([8, 1], [8, 1], [10, 2])
    assert (same.value, same.low, same.high) == (0, 0, 0)
    gains = np.random.default_rng(0).random(20)
    first, again, other = (paired_difference(gains, 0 * gains, gains + 1, seed) for seed in (0, 0, 1))
    assert first == again != other


def test_shares_are_those_of_posecli():
    looked = crowd()
    metric = PckByGroup()
    sightings = looked.sightings
    people = [
        SizedKeypoints(*fields)
        for fields in zip(
            sightings.keypoints, sightings.labelled, sightings.height, sightings.source, strict=True
        )
    ]
    metric.update(looked.points["whole"], people)
    expected = metric.compute()
    figures = shares.row(looked)
    assert figures["pck"]["whole"] == pytest.approx([expected["pck@0.1"], expected["pck@0.2"]])
    assert figures["keypoints"] == sightings.labelled.sum()
    sources = shares.by_source(looked)
    assert [row["source"] for row in sources] == ["a", "b"]
    for row in sources:
        assert row["pck"]["whole"][0] == pytest.approx(expected[f"{row['source']} pck@0.1"])


def test_joints_of_both_sides_are_one_row_and_the_rows_are_everything():
    looked = crowd()
    rows = shares.by_joint(looked)
    assert [row["joint"] for row in rows] == [
        "nose", "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"
    ]  # fmt: skip
    assert sum(row["keypoints"] for row in rows) == looked.sightings.labelled.sum()
    mean = sum(row["keypoints"] * row["pck"]["whole"][0] for row in rows) / looked.sightings.labelled.sum()
    assert mean == pytest.approx(shares.row(looked)["pck"]["whole"][0])


def test_a_difference_is_that_of_the_shares():
    looked = crowd()
    figures = shares.row(looked)["pck"]
    gap = shares.against(looked, looked.sightings.source)["thunder"]
    assert gap["value"] == pytest.approx(figures["whole"][0] - figures["thunder"][0])
    assert gap["units"] == 2
    assert gap["low"] <= gap["value"] <= gap["high"]


def test_only_what_people_labelled_counts_as_human():
    """LSPET's faces are a teacher's; an image of a human-labelled group may hold taught people, too."""
    pictures = [
        Picture(None, "lspet", True, (person(human=True), person(human=False))),
        Picture(None, "cocosub", True, (person(human=True), person(labelled=np.zeros(K)))),
        Picture(None, "cocosub", True, (person(human=True, labelled=np.arange(K) < 3),)),
    ]
    found = still_sightings(pictures)
    assert [(s.source, s.frame, s.track_id) for s in found] == [
        ("lspet", 0, 1), ("lspet", 0, 2), ("cocosub", 1, 1), ("cocosub", 2, 1)
    ]  # fmt: skip
    sightings = Sightings.of(found)
    assert sightings.labelled.sum(1).tolist() == [K - len(FACE), K, K, 3]
    points = dict.fromkeys(("whole", "thunder"), sightings.keypoints)
    human = shares.human_labelled(Looked(sightings, points))
    assert (human["people"], human["keypoints"]) == (2, 2 * K - len(FACE))  # three joints are too few
    assert shares.agreement(Looked(sightings, points))["keypoints"] == K


def moving(positions, frames=None, labelled=None, source="clip", track=1):
    """One person whose every joint is at `positions` (x) on consecutive frames."""
    frames = range(len(positions)) if frames is None else frames
    return [
        Sighting(
            source, frame, track,
            person(np.full((K, 2), [x, 0]), labelled=None if labelled is None else labelled[i]),
        )
        for i, (frame, x) in enumerate(zip(frames, positions, strict=True))
    ]  # fmt: skip


def test_jitter_of_even_motion_is_zero_and_of_a_shake_four_times_its_size():
    """x = 1, -1, 1, -1: the second difference is 4 pixels, of a box of 100."""
    even = Sightings.of(moving([0, 5, 10, 15]))
    assert jitter(even, even.keypoints) == 0
    shake = Sightings.of(moving([1, -1, 1, -1]))
    assert jitter(shake, shake.keypoints) == pytest.approx(0.04)


def test_jitter_needs_three_frames_in_a_row_of_one_person_of_one_clip():
    apart = moving([0, 9, 0], frames=[0, 1, 3])
    other_track = moving([0, 9], track=2)
    other_clip = moving([0, 9, 0], source="other")
    sightings = Sightings.of(apart + other_track + other_clip)
    assert triples(sightings).tolist() == [[5, 6, 7]]
    assert math.isnan(jitter(Sightings.of(apart), Sightings.of(apart).keypoints))


def test_jitter_leaves_out_joints_that_are_not_labelled_thrice():
    labelled = np.ones((3, K))
    labelled[1, 0] = 0
    sightings = Sightings.of(moving([0, 0, 0], labelled=labelled))
    points = np.zeros((3, K, 2), np.float32)
    points[1, 0] = 1000
    assert jitter(sightings, points) == 0
    points[1, 1] = [3, 4]
    assert jitter(sightings, points) == pytest.approx(2 * 5 / 100 / (K - 1))


def test_harmed_frames_and_hidden_joints_are_told_apart():
    people = moving([0, 0, 0])
    covered = (1, *([0] * (K - 1)))
    people[1] = replace(people[1], touched=True, covered=covered)
    sightings = Sightings.of(people)
    points = sightings.keypoints.copy()
    points[1, 0] = 1000
    figures = shares.of_kind(Looked(sightings, {"whole": points, "encoder": sightings.keypoints}))
    assert [figures[name]["keypoints"] for name in ("harmed", "hidden")] == [K, 1]
    assert figures["hidden"]["pck"] == {"whole": [0, 0], "encoder": [1, 1]}
    assert figures["harmed"]["pck"]["whole"][0] == pytest.approx((K - 1) / K)
    assert figures["pck"]["whole"][0] == pytest.approx((3 * K - 1) / (3 * K))
    assert figures["difference"]["encoder"]["value"] == pytest.approx(-1 / (3 * K))
    assert figures["harmed"]["difference"]["encoder"]["value"] == pytest.approx(-1 / K)
    whole = shares.of_kind(Looked(Sightings.of(moving([0, 0, 0])), {"whole": points, "encoder": points}))
    assert (whole["harmed"]["keypoints"], whole["harmed"]["difference"]) == (0, {})


def test_joined_people_are_those_of_the_parts():
    first, second = crowd(0, 4), crowd(1, 6)
    both = join([first, second])
    assert len(both.sightings) == 10
    assert (both[np.arange(10) >= 4].points["whole"] == second.points["whole"]).all()


def test_the_peer_stands_where_it_gives_as_many_boxes():
    def picture(*scores):
        boxes = Boxes(np.zeros((len(scores), 4), np.float32), np.array(scores, np.float32))
        return Found(boxes, np.zeros((0, 4), np.float32), np.zeros(0, bool), 100)

    ours, peer = [picture(0.9, 0.2), picture(0.3)], [picture(0.8, 0.1), picture(0.7, 0.6)]
    assert as_many(ours, 0.25, peer) == pytest.approx(0.7)
    assert as_many(ours, 0.1, peer) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("value", "met"),
    [
        (-0.0601, [False]),
        (-0.06, [True]),  # exactly six points below is not more than six
        (0.01, [True]),
    ],
)
def test_the_bar_of_human_labels(value, met):
    figures = {
        "human": {"difference": {"thunder": {"value": value, "low": value, "high": value}}},
        "agreement": {"pck": {"whole": [0.9, 1]}},
    }
    assert [bar.met for bar in bars(figures)][:1] == met


def test_the_bars_of_degraded_clips():
    """Blur asks for three points over the encoder, the dark for any; over Thunder anything counts."""
    gap = {"value": 0.029, "low": 0.0, "high": 0.1}
    kinds = {kind: {"difference": {"encoder": gap, "thunder": gap}} for kind in ("blur", "dark")}
    assert [bar.met for bar in bars({"degraded": kinds})] == [False, True, True, True]
    even = {"blur": {"difference": {"thunder": {"value": 0.0, "low": 0.0, "high": 0.0}}}}
    assert [bar.met for bar in bars({"degraded": even})] == [False]
