"""Clips made worse: labels stay, harm comes where it is declared, and the same seed makes the same clips."""

import json

import av
import numpy as np
import pytest

from benchmarks.degrade_clips import KINDS, degrade_folder, main
from benchmarks.degraders import BLUR_EVERY, LONGEST_BURST, Board, LowLight, MotionBlur, Occlusion, pattern
from posecli.data.clips import Clip, load_clip
from posecli.data.people import Person
from posecli.video import VideoWriter, open_source

FRAMES, HEIGHT, WIDTH = 48, 96, 128
BOX = [40.0, 20.0, 30.0, 60.0]  # x, y, width, height


def scene(index):
    """Fine noise that stands still, so that any smear shows."""
    return np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    with VideoWriter(folder / "walk.mp4", width=WIDTH, height=HEIGHT, frame_rate=24, crf=0) as video:
        for index in range(FRAMES):
            video.write(scene(index))
    keypoints = np.zeros((17, 3))
    keypoints[5:] = [[45 + 2 * k, 25 + 4 * k, 2] for k in range(12)]
    labels = {
        "info": {"name": "walk", "fps": 24},
        "images": [{"id": i + 1, "frame": i} for i in range(FRAMES)],
        "annotations": [
            {"id": i + 1, "image_id": i + 1, "category_id": 1, "track_id": 7, "bbox": BOX, "iscrowd": 0,
             "keypoints": keypoints.ravel().tolist(), "kp_source": "teacher"}
            for i in range(FRAMES)
        ],
    }  # fmt: skip
    (folder / "walk.json").write_text(json.dumps(labels))
    return folder


@pytest.fixture(scope="module")
def degraded(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("degraded")
    for kind in KINDS:
        degrade_folder(clips, folder / kind, kind)
    return {kind: folder / kind / "clips" / "val" for kind in KINDS}


def frames(path):
    with open_source(path) as source:
        return [frame.image.astype(int) for frame in source.frames()]


def moments(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [frame.pts * stream.time_base for frame in container.decode(stream)]


def person(x, y, width, height):
    nothing = np.zeros((17, 2), np.float32)
    box = np.array([x, y, x + width, y + height], np.float32)
    return Person(box, nothing, nothing[:, 0], human=False, track_id=1)


def standing(tmp_path, size=60.0, frame_count=400):
    people = {i: (person(40, 20, size / 2, size),) for i in range(frame_count)}
    return Clip(tmp_path / "stand.mp4", people, frame_count)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_and_times_stay(clips, degraded, kind):
    before, after = (json.loads((folder / "walk.json").read_text()) for folder in (clips, degraded[kind]))
    for name, added in (("images", "degraded"), ("annotations", "covered")):
        assert [{k: v for k, v in entry.items() if k != added} for entry in after[name]] == before[name]
    assert after["info"]["degraded"] == kind
    assert moments(degraded[kind] / "walk.mp4") == moments(clips / "walk.mp4")
    assert load_clip(degraded[kind] / "walk.json").frame_count == FRAMES


def test_frames_are_smeared_where_the_labels_say_so(clips, degraded):
    images = json.loads((degraded["blur"] / "walk.json").read_text())["images"]
    declared = [image["degraded"] for image in images]
    assert 0 < sum(declared) < FRAMES
    detail = [np.abs(np.diff(image, axis=1)).mean() for image in frames(clips / "walk.mp4")]
    left = [np.abs(np.diff(image, axis=1)).mean() for image in frames(degraded["blur"] / "walk.mp4")]
    assert [b < 0.8 * a for a, b in zip(detail, left, strict=True)] == declared


def test_bursts_are_short_and_come_every_eight_frames(tmp_path):
    blur = MotionBlur(np.random.default_rng(0), standing(tmp_path, frame_count=4000))
    touched = np.array([blur.touches(i) for i in range(4000)], int)
    starts = np.flatnonzero(np.diff(touched, prepend=0) == 1)
    ends = np.flatnonzero(np.diff(touched, append=0) == -1) + 1
    assert set((ends - starts).tolist()) == set(range(1, LONGEST_BURST + 1))
    assert np.diff(starts).mean() == pytest.approx(BLUR_EVERY, abs=0.2)


def test_a_smear_is_as_long_as_the_person_is_large(tmp_path):
    """A bright pixel becomes a line of the length that was drawn; twice the person, twice the line."""

    def lengths(size):
        blur = MotionBlur(np.random.default_rng(1), standing(tmp_path, size))
        dot = np.zeros((201, 201, 3), np.uint8)
        dot[100, 100] = 255
        spans = []
        for index in (i for i in range(400) if blur.touches(i)):
            y, x = np.nonzero(blur(dot, index)[..., 0])
            spans.append(np.hypot(np.ptp(x), np.ptp(y)) + 1)
        return np.array(spans)

    small, large = lengths(100.0), lengths(200.0)
    assert small.min() >= 8 - 2
    assert small.max() <= 22 + 2
    assert (large / small).mean() == pytest.approx(2, abs=0.1)


def test_something_in_front_hides_what_the_labels_say(clips, degraded):
    document = json.loads((degraded["occlusion"] / "walk.json").read_text())
    clean, worse = frames(clips / "walk.mp4"), frames(degraded["occlusion"] / "walk.mp4")
    hidden, seen = [], []
    for annotation, a, b in zip(document["annotations"], clean, worse, strict=True):
        for (x, y, v), covered in zip(
            np.reshape(annotation["keypoints"], (17, 3)), annotation["covered"], strict=True
        ):
            assert v > 0 or not covered
            if v > 0:
                around = np.s_[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
                (hidden if covered else seen).append(np.abs(a[around] - b[around]).mean())
    assert hidden
    assert np.mean(hidden) > 40 > 10 > np.mean(seen)


def test_a_board_passes_each_person_some_of_the_time(tmp_path):
    track = standing(tmp_path)
    front = Occlusion(np.random.default_rng(0), track)
    middle = np.array([[55.0, 50.0]])
    covered = np.array([front.hides(middle, i)[0] for i in range(400)])
    assert 0.1 < covered.mean() < 0.6
    # It comes and goes: many crossings, each of a few frames.
    crossings = np.flatnonzero(np.diff(covered.astype(int)) == 1)
    assert len(crossings) >= 8


def test_a_board_goes_straight_from_one_end_to_the_other():
    ends = np.array([10.0, 20.0]), np.array([50.0, 40.0])
    board = Board(4, 8, *ends, pattern(np.random.default_rng(0), 6, 4))
    assert [board.corner(i) for i in (4, 6, 8)] == [(8, 17), (28, 27), (48, 37)]
    inside, outside = [28.0, 27.0], [27.0, 27.0]
    assert board.covers(np.array([inside, outside]), 6).tolist() == [True, False]
    assert board.covers(np.array([inside]), 9).tolist() == [False]


def test_low_light_leaves_the_declared_share_of_the_light(tmp_path):
    """Of a grey field, the mean light after gamma is the brightness times the field's; the rest is noise."""
    dark = LowLight(np.random.default_rng(5), standing(tmp_path))
    field = np.full((200, 200, 3), 230, np.uint8)
    worse = dark(field, 0)
    light, before = (worse / 255) ** 2.2, (230 / 255) ** 2.2
    assert light.mean() == pytest.approx(dark._brightness * before, rel=0.1)
    assert worse.std() > 2
    assert (dark(field, 0) == worse).all()
    assert (dark(field, 1) != worse).any()


def test_compression_leaves_a_small_file(clips, degraded):
    size = {kind: (degraded[kind] / "walk.mp4").stat().st_size for kind in ("compression", "occlusion")}
    assert size["compression"] < size["occlusion"] / 4


def test_the_same_seed_makes_the_same_clips(clips, degraded, tmp_path):
    degrade_folder(clips, tmp_path / "again", "occlusion")
    degrade_folder(clips, tmp_path / "other", "occlusion", seed=1)
    again, other = (tmp_path / name / "clips" / "val" / "walk.json" for name in ("again", "other"))
    first = degraded["occlusion"] / "walk.json"
    assert again.read_bytes() == first.read_bytes()
    assert again.with_suffix(".mp4").read_bytes() == first.with_suffix(".mp4").read_bytes()
    assert other.read_bytes() != first.read_bytes()


def test_an_empty_folder_is_said_so_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["degrade_clips", str(tmp_path), "-o", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    expected = f"degrade_clips: {tmp_path}: no labelled clips here; looked for NAME.json with NAME.mp4\n"
    assert capsys.readouterr().err == expected
    assert not (tmp_path / "out").exists()
