"""The model's parts on labelled people: the whole is what `estimate` says, and the rest leaves out what it should."""

import numpy as np
import pytest
import torch

from benchmarks.quality.looking import KeptThunder, Lookers
from benchmarks.quality.networks import (
    ENCODER,
    FLIPPED,
    GSM,
    THUNDER,
    WHOLE,
    Networks,
    answer_in_parts,
    encode_still,
)
from posecli.data.clips import load_clip
from posecli.data.people import Person, Picture
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.estimator import estimate_tracked
from posecli.pipeline.options import Options
from posecli.pipeline.windows import single_frames, windows
from posecli.types import Frame, Tracks
from posecli.weights.presets import load_preset

SMALL = {
    "input.height": 64, "input.width": 96, "temporal.dim": 16, "temporal.attention_hidden": 8,
    "temporal.window": [4, 6], "heatmap.height": 16, "heatmap.width": 24,
}  # fmt: skip
SIZE = (96, 128)


def small(**overrides):
    torch.manual_seed(0)
    return PoseModel(load_preset("glsmamba-t", SMALL | overrides)).eval()


@pytest.fixture(scope="module")
def model():
    """Random all over, so that no part is the identity."""
    model = small()
    with torch.no_grad():
        for parameter in model.temporal.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def stream(count=12):
    """Two people who walk through noise; the second comes later."""
    rng = np.random.default_rng(0)
    for index in range(count):
        ids = np.array([3, 8] if index > 6 else [3], np.int64)
        boxes = np.array([[10 + index, 5, 40 + index, 80], [70, 20, 110, 90]], np.float32)[: len(ids)]
        image = rng.integers(0, 256, (*SIZE, 3), np.uint8)
        yield Frame(index, index / 25, image), Tracks(ids, boxes, np.ones(len(ids), np.float32))


@pytest.mark.parametrize("slide", [windows, single_frames])
@pytest.mark.parametrize("method", [WHOLE, FLIPPED])
def test_the_whole_is_what_estimate_says(model, slide, method):
    networks = Networks(model, None, bf16=False)
    found = networks.locate(stream(), slide)
    row = networks.methods.index(method)
    network = FlipTested(model) if method == FLIPPED else model
    expected = {
        (poses.frame_index, int(track_id)): points
        for poses in estimate_tracked(stream(), network, Options(), slide=slide)
        for track_id, points in zip(poses.tracks.ids, poses.keypoints, strict=True)
    }
    assert found.keys() == expected.keys()
    assert len(found) == 12 + 5
    for place, points in expected.items():
        np.testing.assert_allclose(found[place][row], points, atol=1e-2)


@torch.inference_mode()
def test_parts_are_left_out_and_come_back(model):
    """Without LRM: the same weights in a network that has none."""
    images_BTHWC = torch.randint(0, 256, (2, 5, 64, 96, 3), dtype=torch.uint8)
    encoded = model.encode(images_BTHWC)
    before = model.answer(encoded)
    whole, gsm = answer_in_parts(model, encoded)
    without = small(**{"temporal.lrm_blocks": 0})
    own = {name: value for name, value in model.state_dict().items() if ".lrm." not in name}
    without.load_state_dict(own)
    torch.testing.assert_close(whole, before)
    torch.testing.assert_close(gsm, without.answer(encoded))
    torch.testing.assert_close(model.answer(encoded), before)
    assert not torch.allclose(gsm, whole)


@torch.inference_mode()
def test_a_still_is_encoded_once(model):
    images_BTHWC = torch.randint(0, 256, (2, 1, 64, 96, 3), dtype=torch.uint8).repeat(1, 5, 1, 1, 1)
    once, each = encode_still(model, images_BTHWC), model.encode(images_BTHWC)
    torch.testing.assert_close(once.features_BTCHW, each.features_BTCHW)
    torch.testing.assert_close(once.heatmaps_BTKHW, each.heatmaps_BTKHW)


def test_another_model_can_stand_for_gsm(model):
    other = small(**{"temporal.lrm_blocks": 0})
    found = Networks(model, other, bf16=False).locate(stream(2), windows)
    alone = Networks(other, None, bf16=False)
    expected = alone.locate(stream(2), windows)
    methods = alone.methods
    for place, points in expected.items():
        np.testing.assert_allclose(found[place][methods.index(GSM)], points[methods.index(WHOLE)], atol=1e-3)


class FakeThunder:
    """Says that every joint is a quarter of the crop right of and below its corner, and counts its crops."""

    crops = 0

    def __init__(self, file):
        pass

    def __call__(self, crops):
        from posecli.teachers.movenet import CELLS, TeacherAnswer

        FakeThunder.crops += len(crops)
        keypoints = np.full((len(crops), 17, 2), CELLS / 4, np.float32)
        return TeacherAnswer(
            keypoints, keypoints[..., 0], np.zeros((len(crops), 17, CELLS, CELLS), np.float32)
        )


@pytest.fixture
def still(tmp_path):
    import cv2

    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8))
    points = np.full((17, 2), 30, np.float32)
    people = tuple(
        Person(np.array(box, np.float32), points, np.ones(17, np.float32), human=False)
        for box in ([10, 10, 50, 90], [60, 10, 100, 50])
    )
    return Picture(path, "coco", True, people)


def test_thunder_is_asked_once_and_its_answers_are_kept(model, still, tmp_path, monkeypatch):
    """Its crop is 1.25 times the box's longer side, around the box's centre."""
    monkeypatch.setattr("benchmarks.quality.looking.Thunder", FakeThunder)
    monkeypatch.setattr(FakeThunder, "crops", 0)
    weights = tmp_path / "thunder.onnx"
    weights.write_bytes(b"weights")
    lookers = Lookers(Networks(model, None, bf16=False), KeptThunder(weights, tmp_path / "kept"))
    first, again = lookers.at_stills([still]), lookers.at_stills([still])
    assert FakeThunder.crops == 2
    assert (first.points[THUNDER] == again.points[THUNDER]).all()
    np.testing.assert_allclose(first.points[THUNDER][0, 0], [30 - 25, 50 - 25])  # side 100
    np.testing.assert_allclose(first.points[THUNDER][1, 0], [80 - 12.5, 30 - 12.5])  # side 50
    assert set(first.points) == {ENCODER, GSM, WHOLE, FLIPPED, THUNDER}
    weights.write_bytes(b"others")
    lookers.at_stills([still])
    assert FakeThunder.crops == 4


def test_of_a_clip_only_some_blocks_are_looked_at(model, tmp_path):
    import json

    from posecli.video import VideoWriter

    with VideoWriter(tmp_path / "walk.mp4", width=SIZE[1], height=SIZE[0], frame_rate=25) as video:
        for frame, _ in stream(25):
            video.write(frame.image)
    keypoints = [30, 30, 2] * 17
    labels = {
        "images": [{"id": i + 1, "frame": i, "degraded": i == 3} for i in range(25)],
        "annotations": [
            {"id": i + 1, "image_id": i + 1, "track_id": 4, "bbox": [10, 5, 30, 75], "keypoints": keypoints,
             "kp_source": "teacher", "covered": [int(i == 3)] * 17}
            for i in range(25)
        ],
    }  # fmt: skip
    (tmp_path / "walk.json").write_text(json.dumps(labels))
    looked = Lookers(Networks(model, None, bf16=False), None).at_clip(
        load_clip(tmp_path / "walk.json"), every=2
    )
    assert looked.sightings.frame.tolist() == [*range(10), *range(20, 25)]
    assert looked.sightings.touched.tolist() == [i == 3 for i in looked.sightings.frame]
    assert looked.sightings.covered.sum(1).tolist() == [17 * (i == 3) for i in looked.sightings.frame]
    assert THUNDER not in looked.points
