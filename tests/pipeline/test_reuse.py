"""Views that windows share, and what the encoder said of them, against exact windows and where things are."""

import numpy as np
import pytest
import torch

from posecli.geometry.crop import apply_affine
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.reuse import SharedViews, encode_windows
from posecli.pipeline.windows import middle_windows, person_windows
from posecli.types import Frame, Tracks
from tests.nn.test_pose_model import crops, small

from .test_estimator import FRAMES, HEIGHT, WIDTH, Brightest, boxes_around, picture

SIZE, PADDING = (HEIGHT, WIDTH), 1.25
CPU = torch.device("cpu")


def walk(length, seen=None, still=False):
    """Someone with a light, whose boxes move and change their size; seen: the frames on which there is a box."""
    for i in range(length):
        place = np.array([60.0, 60.0]) if still else np.array([50.0 + 3 * i, 70.0 - 2 * i])
        frame = picture(i, [place])
        box = boxes_around([place]).xyxy + (0 if still else np.array([-i % 3, 0, 2 * (i % 2), i % 4]))
        is_seen = seen is None or i in seen
        ids = np.array([7] if is_seen else [], np.int64)
        yield frame, Tracks(ids, box[: len(ids)].astype(np.float32), np.ones(len(ids), np.float32))


def shared(stream):
    views = SharedViews(PADDING)
    for window in middle_windows(stream, FRAMES, (FRAMES // 2,)):
        for person in person_windows(window, SIZE, PADDING, views):
            yield window, person, views


def test_neighbours_come_to_lie_where_the_keyframes_crop_shows_them():
    model = Brightest(True)  # its features are the crops' brightness
    people = [(window, person) for window, person, _ in shared(walk(8))]
    encoded = encode_windows(model, [person for _, person in people], CPU)
    assert model.encoded == 8
    lights, _ = model.keypoints(encoded.features_BTCHW)
    lit = encoded.features_BTCHW.amax((-3, -2, -1))
    for (window, person), lights_TK2, lit_T in zip(people, lights, lit, strict=True):
        for (frame, _), (light, _), brightest in zip(window.frames, lights_TK2, lit_T, strict=True):
            expected = apply_affine(person.affine, np.array([50.0 + 3 * frame.index, 70.0 - 2 * frame.index]))
            assert brightest > 150
            np.testing.assert_allclose(light, expected, atol=0.4)


def test_windows_share_views_and_forget_them():
    seen = {}
    for window, person, views in shared(walk(12)):
        assert len(views) <= FRAMES
        for (frame, _), view in zip(window.frames, person.views, strict=True):
            assert seen.setdefault(frame.index, view) is view
    assert sorted(seen) == list(range(12))


def test_a_frame_without_the_person_is_cut_out_with_the_keyframes_box():
    people = {window.frames[2][0].index: person for window, person, _ in shared(walk(12, seen=[4, 5, 8]))}
    assert sorted(people) == [4, 5, 8]
    np.testing.assert_array_equal(people[4].views[1].affine, people[4].affine)  # frame 3
    np.testing.assert_array_equal(
        people[4].views[4].affine, people[4].affine
    )  # frame 6: 4 is the first to ask
    assert people[5].views[3] is people[4].views[4]
    np.testing.assert_array_equal(people[5].views[4].affine, people[5].affine)  # frame 7
    assert people[8].views[1] is people[5].views[4]


def test_nothing_is_shared_after_clearing():
    views, stream = SharedViews(PADDING), list(walk(5))
    (first,) = person_windows(next(middle_windows(stream, FRAMES, (2,))), SIZE, PADDING, views)
    views.clear()
    (again,) = person_windows(next(middle_windows(stream, FRAMES, (2,))), SIZE, PADDING, views)
    assert not set(first.views) & set(again.views)
    np.testing.assert_array_equal(first.crops, again.crops)


def lively(network):
    """With random weights, but features that tell pictures apart, and a head that adds to the encoder's heatmaps."""
    torch.manual_seed(0)
    for module in network.encoder.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # statistics of one batch
            module.train()
    network.encode(crops(8))
    torch.nn.init.normal_(network.temporal.head.heatmaps.weight)
    return network.eval()


@pytest.mark.parametrize("output", ["every_frame", "keyframe"])
@pytest.mark.parametrize("flip", [False, True])
@torch.inference_mode()
def test_a_box_that_stays_gives_the_exact_answer(output, flip):
    """Of the network itself: pictures change, the boxes of two people do not."""
    network = lively(PoseModel(small(**{"temporal.output": output})))
    model = FlipTested(network) if flip else network
    crop, random = network.config.input, np.random.default_rng(0)
    pictures = [random.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(5)]
    tracks = Tracks(np.array([3, 5]), boxes_around([(60, 60), (100, 50)]).xyxy, np.ones(2, np.float32))
    stream = [(Frame(i, i / 25, image), tracks) for i, image in enumerate(pictures)]
    views = SharedViews(crop.box_scale)
    windows = list(middle_windows(stream, crop.frames, network.output_frames))
    size = (crop.height, crop.width)
    shared = [p for w in windows for p in person_windows(w, size, crop.box_scale, views)]
    anew = [p for w in windows for p in person_windows(w, size, crop.box_scale)]
    place = shared[0].positions[0]
    reused = model.answer(encode_windows(model, shared, CPU))[:, place]
    exact = model(torch.from_numpy(np.stack([person.crops for person in anew])))[:, place]
    assert exact.std(0).mean() > 0.1  # the answers differ from window to window
    torch.testing.assert_close(reused, exact, atol=1e-4, rtol=1e-4)
