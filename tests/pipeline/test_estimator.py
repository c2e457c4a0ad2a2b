"""The stream from pictures to poses, with a detector and a model that look for lights."""

import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from posecli.detect.bridge import MAX_GAP
from posecli.detect.file import BoxFile
from posecli.detect.tracking import NoTracker
from posecli.formats.boxes import BoxWriter
from posecli.nn.pose_model import EncodedWindows
from posecli.pipeline.batches import MAX_WAITING
from posecli.pipeline.estimator import estimate, estimate_tracked
from posecli.pipeline.options import Options
from posecli.pipeline.overlap import Ahead
from posecli.types import Boxes, Frame, Tracks, VideoInfo

FRAMES, HEIGHT, WIDTH = 5, 64, 48
RADIUS = 20  # of the boxes around lights
# What a model answers for, every frame of a window or the middle one, and how windows are laid.
MANNERS = [(True, "tubelet"), (True, "reuse"), (True, "exact"), (False, "reuse"), (False, "exact")]


class Brightest(nn.Module):
    """A stand-in for PoseModel: its first keypoint is a crop's brightest place, its second the crop's corner."""

    def __init__(self, every_frame: bool) -> None:
        super().__init__()
        self.output_frames = tuple(range(FRAMES)) if every_frame else (FRAMES // 2,)
        crop = SimpleNamespace(frames=FRAMES, height=HEIGHT, width=WIDTH, box_scale=1.25)
        self.config = SimpleNamespace(input=crop, joints=("light", "corner"))
        self.unused = nn.Parameter(torch.zeros(1))
        self.batches, self.encoded = [], 0

    def encode(self, images_BTHWC):
        self.encoded += images_BTHWC.shape[0] * images_BTHWC.shape[1]
        assert images_BTHWC.dtype == torch.uint8
        return EncodedWindows(images_BTHWC[..., 0].float()[:, :, None], None)

    def answer(self, encoded):
        self.batches.append(len(encoded.features_BTCHW))
        return encoded.features_BTCHW[:, list(self.output_frames)]

    def forward(self, images_BTHWC):
        return self.answer(self.encode(images_BTHWC))

    def keypoints(self, heatmaps_BFKHW, box_heights_B=None):
        light = (heatmaps_BFKHW - 100).clamp(min=0)  # its centre of gravity
        columns, rows = torch.arange(WIDTH), torch.arange(HEIGHT)[:, None]
        total = light.sum((-2, -1)).clamp(min=1e-6)
        x, y = (light * columns).sum((-2, -1)) / total, (light * rows).sum((-2, -1)) / total
        points = torch.stack(
            [torch.cat([x, torch.zeros_like(x)], -1), torch.cat([y, torch.zeros_like(y)], -1)], -1
        )
        return points, (heatmaps_BFKHW.amax((-2, -1)) / 255).expand(-1, -1, 2)


class OnLights:
    """A detector that knows where the lights are, by the picture's number in its corner pixel."""

    name = "lights"

    def __init__(self, lights):
        self.lights, self.batches = lights, []

    def detect(self, images):
        self.batches.append(len(images))
        return [boxes_around([xy for _, xy in self.lights[int(image[0, 0, 2])]]) for image in images]

    def provenance(self):
        return {}


class InOrder:
    """A tracker for a detector that reports people in the order of their known ids."""

    def __init__(self, lights):
        self.lights = lights

    def update(self, boxes, frame):
        return Tracks(np.array([i for i, _ in self.lights[frame.index]], np.int64), boxes.xyxy, boxes.scores)

    def reset(self):
        pass


def boxes_around(places):
    points = np.array(places, np.float32).reshape(-1, 2)
    boxes = np.concatenate([points - RADIUS, points + RADIUS], -1)
    return Boxes(boxes, np.full(len(points), 0.9, np.float32))


def picture(index, places):
    image = np.zeros((120, 160, 3), np.uint8)
    rows, columns = np.mgrid[:120, :160]
    for x, y in places:
        light = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.5**2))
        image[..., :2] = np.maximum(image[..., :2], light.round().astype(np.uint8)[..., None])
    image[0, 0, 2] = index
    return Frame(index, index / 25, image)


def film(length=23):
    """(id, (x, y)) of the lights of each frame: one that stays, one that enters and leaves, one at the end."""
    lights = []
    for i in range(length):
        people = [(1, (30 + i, 40.0 + i / 2))] if i >= 2 else []
        people += [(2, (120 - i, 80.0))] if 4 <= i < 15 else []
        people += [(3, (130.0, 30.0))] if i >= length - 4 else []
        lights.append(people)
    return lights


def poses_of(lights, every_frame, **options):
    frames = (picture(i, [xy for _, xy in people]) for i, people in enumerate(lights))
    model, detector = Brightest(every_frame), OnLights(lights)
    poses = list(estimate(frames, detector, InOrder(lights), model, Options(**options)))
    return poses, model, detector


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
@pytest.mark.parametrize("length", [1, 2, 5, 6, 23])
def test_every_frame_has_its_people_at_their_places(every_frame, windows, length):
    lights = film()[3 : 3 + length] if length < 20 else film()
    poses, _, _ = poses_of(lights, every_frame, windows=windows)
    assert [p.frame_index for p in poses] == list(range(length))
    assert [p.time_s for p in poses] == [i / 25 for i in range(length)]
    for pose, people in zip(poses, lights, strict=True):
        assert pose.tracks.ids.tolist() == [i for i, _ in people]
        for row, (_, place) in enumerate(people):
            np.testing.assert_allclose(pose.keypoints[row, 0], place, atol=0.25)
            assert pose.scores[row, 0] > 0.9
            assert np.isfinite(pose.keypoints[row]).all()


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
def test_batch_and_chunk_do_not_change_the_result(every_frame, windows):
    reference, _, _ = poses_of(film(), every_frame, windows=windows, batch=1, chunk=1)
    for batch, chunk in ((3, 1), (8, 5), (1, 5)):
        poses, model, detector = poses_of(film(), every_frame, windows=windows, batch=batch, chunk=chunk)
        assert max(model.batches) == batch
        assert max(detector.batches) == chunk
        for a, b in zip(reference, poses, strict=True):
            assert a.frame_index == b.frame_index
            np.testing.assert_array_equal(a.tracks.ids, b.tracks.ids)
            np.testing.assert_array_equal(a.keypoints, b.keypoints)
            np.testing.assert_array_equal(a.scores, b.scores)


class Threaded(OnLights):
    """Says in which threads it was asked."""

    def __init__(self, lights, fails=False):
        super().__init__(lights)
        self.threads, self.fails = set(), fails

    def detect(self, images):
        self.threads.add(threading.current_thread().name)
        if self.fails and len(self.batches) == 1:
            raise RuntimeError("no detector any more")
        return super().detect(images)


def ahead(lights, detector, cores, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    frames = (picture(i, [xy for _, xy in people]) for i, people in enumerate(lights))
    with Ahead(frames, 4) as decoded:
        return list(estimate(decoded, detector, InOrder(lights), Brightest(True), Options(chunk=4)))


@pytest.mark.parametrize(("cores", "thread"), [(2, "posecli-ahead"), (1, "MainThread")])
def test_a_detector_that_works_ahead_does_not_change_the_result(cores, thread, monkeypatch):
    reference, _, _ = poses_of(film(), True, chunk=4)
    detector = Threaded(film())
    for a, b in zip(reference, ahead(film(), detector, cores, monkeypatch), strict=True):
        np.testing.assert_array_equal(a.tracks.ids, b.tracks.ids)
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
    assert detector.threads == {thread}


def test_the_error_of_a_detector_that_works_ahead_ends_all_threads(monkeypatch):
    with pytest.raises(RuntimeError, match="no detector"):
        ahead(film(), Threaded(film(), fails=True), 2, monkeypatch)
    assert "posecli-ahead" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("every_frame", "windows", "passes"),
    [
        (True, "tubelet", 40),
        (
            True,
            "reuse",
            40 + 4,
        ),  # nothing is shared between sections: two frames on either side are seen twice
        (True, "exact", 5 * 40),
        (False, "reuse", 40 + 4),
        (False, "exact", 5 * 40),
    ],
)
def test_passes_of_the_encoder(every_frame, windows, passes):
    lights = [[(1, (60.0, 60.0))]] * 40
    poses, model, _ = poses_of(lights, every_frame, windows=windows, section=20)
    assert sum(len(p) for p in poses) == 40
    assert model.encoded == passes


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
def test_short_gap_is_filled_in_from_the_picture(every_frame, windows):
    lights = [[(1, (40.0 + i, 50.0))] for i in range(16)]
    hidden = [*lights[:7], [], [], *lights[9:]]
    frames = (picture(i, [xy for _, xy in people]) for i, people in enumerate(lights))
    model, options = Brightest(every_frame), Options(windows=windows)
    poses = list(estimate(frames, OnLights(hidden), InOrder(hidden), model, options))
    assert [len(p) for p in poses] == [1] * 16
    np.testing.assert_allclose(
        [p.keypoints[0, 0] for p in poses], [[40 + i, 50] for i in range(16)], atol=0.25
    )


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
def test_empty_video_and_video_without_people(every_frame, windows):
    assert poses_of([], every_frame, windows=windows)[0] == []
    poses, model, _ = poses_of([[]] * 9, every_frame, windows=windows)
    assert [len(p) for p in poses] == [0] * 9
    assert poses[4].keypoints.shape == (0, 2, 2)
    assert model.batches == []


def counted(length, places, alive):
    """A stream whose pictures can be counted while they live; places: of the lights, by index."""
    references = []
    for index in range(length):
        frame = picture(index % 256, places(index))
        frame = Frame(index, frame.time_s, frame.image)
        references = [reference for reference in references if reference() is not None]
        references.append(weakref.ref(frame.image))
        alive.append(len(references))
        yield frame


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
def test_pictures_alive_are_bounded(every_frame, windows):
    lights = [[(1, (60.0, 60.0))]] * 256
    alive = []
    frames = counted(200, lambda i: [(60.0, 60.0)], alive)
    chunk = 8
    model, options = Brightest(every_frame), Options(windows=windows, chunk=chunk)
    poses = estimate(frames, OnLights(lights), InOrder(lights), model, options)
    assert sum(1 for _ in poses) == 200
    # Two chunks (one that is being read, the last of the other), the bridge's look-ahead, one window.
    assert max(alive) <= 2 * chunk + MAX_GAP + 3 + FRAMES
    assert max(alive[100:]) == max(alive[20:100])  # and do not grow


def test_a_lonely_person_does_not_hold_the_stream_back():
    """Seen on one frame of many, with a batch that never fills: the frames behind must come out all the same."""
    length = 4 * MAX_WAITING
    read = 0

    def tracked():
        nonlocal read
        for i in range(length):
            read += 1
            ids = np.array([1] if i == 3 else [], np.int64)
            boxes = boxes_around([(60.0, 60.0)][: len(ids)])
            yield picture(i % 256, [(60.0, 60.0)]), Tracks(ids, boxes.xyxy, boxes.scores)

    lead = []
    for count, _ in enumerate(estimate_tracked(tracked(), Brightest(False), Options(batch=8))):
        lead.append(read - count)
    assert len(lead) == length
    assert max(lead) <= MAX_WAITING + FRAMES + 1


@pytest.mark.parametrize("with_ids", [True, False])
def test_boxes_from_a_file_stand_in_for_the_detector(tmp_path, with_ids):
    """Identities in the file are kept as they are, a person on a single frame too; without them the tracker's hold."""
    lights = [[(9, (40.0 + i, 50.0))] + ([(4, (100.0, 80.0))] if i == 3 else []) for i in range(8)]
    frames = [picture(i, [xy for _, xy in people]) for i, people in enumerate(lights)]
    video = VideoInfo("a.mp4", 160, 120, 25.0, None, 8)
    with BoxWriter(tmp_path / "boxes.json", video=video, provenance={}) as writer:
        for frame, people in zip(frames, lights, strict=True):
            found = boxes_around([xy for _, xy in people])
            ids = np.array([i for i, _ in people], np.int64)
            writer.write(frame, Tracks(ids, found.xyxy, found.scores) if with_ids else found)
    people = BoxFile(tmp_path / "boxes.json")
    poses = list(estimate(frames, people, InOrder(lights), Brightest(True), Options()))
    # Without ids, bridge_gaps leaves out whoever is seen on one picture only.
    assert [p.tracks.ids.tolist() for p in poses] == [[9]] * 3 + [[9, 4] if with_ids else [9]] + [[9]] * 4
    for i, pose in enumerate(poses):
        np.testing.assert_allclose(pose.keypoints[0, 0], [40 + i, 50], atol=0.25)


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
def test_without_a_tracker_pictures_are_apart(every_frame, windows):
    """A person who is seen on one picture only is found there, and no other picture's crop is looked at."""
    lights = [[(1, (40.0, 60.0))], [(1, (90.0, 30.0)), (2, (30.0, 90.0))], []]
    frames = [picture(i, [xy for _, xy in people]) for i, people in enumerate(lights)]
    model, options = Brightest(every_frame), Options(windows=windows)
    poses = list(estimate(frames, OnLights(lights), NoTracker(), model, options))
    assert [p.tracks.ids.tolist() for p in poses] == [[1], [2, 3], []]
    for pose, people in zip(poses, lights, strict=True):
        for row, (_, place) in enumerate(people):
            np.testing.assert_allclose(pose.keypoints[row, 0], place, atol=0.25)
