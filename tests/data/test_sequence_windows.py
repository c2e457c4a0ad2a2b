"""Windows of labelled footage: which frames, which box, which labels."""

import pickle

import numpy as np
import pytest

from posecli.data.clips import ClipFrames, clip_footage, load_clips
from posecli.data.footage import Footage, FootageFrame
from posecli.data.packed import PackedPeople
from posecli.data.recent import RecentPictures
from posecli.data.windows import SequenceWindows
from posecli.skeletons import COCO, POSETRACK18
from tests.data.making import K, annotation, person, write_clip

RNG = np.random.default_rng


class Counting:
    """Pictures that are grey as their place says, and a list of what was asked for."""

    def __init__(self):
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        return np.full((4, 6, 3), index, np.uint8)


def footage(people, length=6, name="walk"):
    frames = tuple(FootageFrame(f"{i}.jpg", f"{i}.jpg", i, True) for i in range(length))
    return Footage(name, COCO, frames, PackedPeople(people), {}, pictures=Counting())


def at(x, track_id=1, **fields):
    return person([x, 5, x + 20, 35], track_id=track_id, **fields)


def seen(raw):
    return [int(image[0, 0, 0]) for image in raw.images]


def test_a_keyframe_has_its_neighbours_around_it_and_its_own_box():
    source = SequenceWindows([footage({1: [at(10)], 2: [at(20)], 3: [at(30)]})], 5, keyframe=True)
    raw = source.load(1, RNG(0))
    assert seen(raw) == [0, 1, 2, 3, 4]
    assert raw.box.tolist() == [20, 5, 40, 35]
    assert raw.weights.sum(1).tolist() == [0, K, K, K, 0]
    assert raw.keypoints[1, 0, 0] == pytest.approx(12)
    assert raw.keypoints[3, 0, 0] == pytest.approx(32)


def test_ends_repeat_the_nearest_frame():
    source = SequenceWindows([footage({0: [at(10)], 5: [at(50)]})], 5, keyframe=True)
    first, last = source.load(0, RNG(0)), source.load(1, RNG(0))
    assert seen(first) == [0, 0, 0, 1, 2]
    assert first.weights.sum(1).tolist() == [K, K, K, 0, 0]
    assert seen(last) == [3, 4, 5, 5, 5]


def test_a_still_is_its_own_neighbour():
    raw = SequenceWindows([footage({0: [at(10)]}, length=1)], 5, keyframe=True).load(0, RNG(0))
    assert seen(raw) == [0] * 5
    assert raw.weights.sum() == 5 * K


def test_strides_spread_the_window_on_both_sides():
    source = SequenceWindows([footage({3: [at(10)]}, length=9)], 3, strides=(1, 3), keyframe=True)
    assert {tuple(seen(source.load(0, RNG(seed)))) for seed in range(12)} == {(2, 3, 4), (0, 3, 6)}


def test_windows_that_begin_at_their_label_have_a_box_around_all():
    raw = SequenceWindows([footage({1: [at(10)], 2: [at(20)], 3: [at(30)]})], 3).load(0, RNG(0))
    assert seen(raw) == [1, 2, 3]
    assert raw.box.tolist() == [10, 5, 50, 35]


def test_who_has_windows():
    nobody = np.zeros(K, np.float32)
    people = {
        0: [at(0, 1), at(10, 2), at(20, 3, labelled=nobody), at(30, 4, crowd=True)],
        1: [at(1, 1), at(11, 2)],
        2: [at(12, 2)],
    }
    source = SequenceWindows([footage({}, name="empty"), footage(people)], 3, step=2, keyframe=True)
    assert [source.key(i) for i in range(len(source))] == [(1, 0, 0), (1, 0, 1), (1, 2, 0)]
    assert source.load(2, RNG(0)).box[0] == 12
    assert len(SequenceWindows([footage(people)], 3, min_keypoints=0)) == 6
    assert source.load(0, RNG(0)).group == "walk"
    assert SequenceWindows([footage(people)], 3, group="all").load(0, RNG(0)).group == "all"


def test_a_box_without_area_is_no_box():
    points = np.full((K, 2), 30, np.float32)
    people = {
        0: [person([0, 0, 0, 0], points, track_id=1)],
        1: [at(10)],
        2: [person([30, 30, 30, 30], points, track_id=1)],
    }
    source = SequenceWindows([footage(people)], 3)
    assert [source.key(i) for i in range(len(source))] == [(0, 1, 0)]
    raw = source.load(0, RNG(0))
    assert raw.box.tolist() == [10, 5, 30, 35]
    assert raw.weights.sum(1).tolist() == [K, 0, 0]


def test_two_people_under_one_number_keep_their_own_keyframes():
    source = SequenceWindows([footage({1: [at(10), at(60)]})], 1, keyframe=True)
    assert [source.load(i, RNG(0)).box[0] for i in range(2)] == [10, 60]


def test_neighbouring_windows_decode_what_is_new():
    sequence = footage({i: [at(10 * i)] for i in range(6)})
    source = SequenceWindows([sequence], 3, keyframe=True)
    for index in range(6):
        source.load(index, RNG(0))
    assert sequence.pictures.asked == [0, 1, 2, 3, 4, 5]


def test_pictures_are_kept_up_to_a_number_of_bytes():
    recent, source = RecentPictures(max_bytes=2 * 72), Counting()
    for index in (0, 1, 0, 2, 0, 1):  # 72 bytes each: 2 drives 1 out, and 1 comes again
        assert recent.get(index, lambda index=index: source[index])[0, 0, 0] == index
    assert source.asked == [0, 1, 2, 1]
    assert len(recent) == 2
    recent.get("large", lambda: np.zeros((10, 10, 3), np.uint8))
    assert len(recent) == 2
    assert len(pickle.loads(pickle.dumps(recent))) == 0


def test_packed_people_come_out_as_they_went_in():
    head = np.array([1, 2, 3, 4], np.float32)
    people = {4: [at(10, 7, head_box=head), at(20, -1, crowd=True, human=False)], 0: [at(5)], 2: []}
    packed = pickle.loads(pickle.dumps(PackedPeople(people)))
    assert list(packed) == [0, 4]
    assert len(packed) == 2
    for place in packed:
        for given, found in zip(people[place], packed[place], strict=True):
            for name in ("box", "keypoints", "labelled", "head_box"):
                np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
            assert (found.human, found.crowd, found.track_id) == (given.human, given.crowd, given.track_id)
    assert 2 not in packed
    assert packed.get(3, ()) == ()
    assert dict(PackedPeople({})) == {}
    with pytest.raises(ValueError, match="read-only"):
        PackedPeople(people)[0][0].box[0] = 1


def test_footage_in_another_skeleton():
    converted = footage({1: [at(10)]}).in_skeleton(POSETRACK18)
    (one,) = converted.people[1]
    assert one.keypoints.shape == (17, 2)
    assert np.flatnonzero(one.labelled == 0).tolist() == [1, 2]  # COCO has no head_bottom and head_top
    assert int(converted.image(3)[0, 0, 0]) == 3


def test_clips_are_footage(tmp_path):
    images = [np.full((48, 64, 3), 30 * i, np.uint8) for i in range(5)]
    write_clip(tmp_path, "walk", images, [annotation(104, (5, 5, 20, 30), track_id=2)], frames=[0, 2, 4])
    (clip,) = load_clips(tmp_path, "train")
    sequence = pickle.loads(pickle.dumps(clip_footage(clip, tmp_path / "cache")))
    assert (sequence.name, len(sequence), sequence.skeleton.name) == ("walk", 5, "coco")
    assert [frame.labelled for frame in sequence.frames] == [True, False, True, False, True]
    assert [frame.image_id for frame in sequence.frames] == [100, -2, 102, -4, 104]
    assert list(sequence.tracks()) == [2]
    assert round(float(sequence.image(3).mean()) / 30) == 3


def test_frames_of_a_clip_travel_without_their_pixels(tmp_path):
    write_clip(tmp_path, "walk", [np.full((48, 64, 3), 30 * i, np.uint8) for i in range(5)], [])
    (clip,) = load_clips(tmp_path, "train")
    frames = ClipFrames(clip, tmp_path / "cache")
    frames[0]
    message = pickle.dumps(frames)
    assert len(message) < 4000
    assert round(float(pickle.loads(message)[4].mean()) / 30) == 4
