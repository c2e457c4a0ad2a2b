"""The embedded detector around a stub network that reports where it sees pure colours."""

import numpy as np
import pytest
import torch

from posecli.detect import embedded, make_detector
from posecli.detect.embedded import EmbeddedDetector, InputSpec
from posecli.errors import PosecliError
from posecli.nn.detector import PersonDetector
from posecli.weights.files import save_tensors

SPEC = InputSpec(longer_side=256, stride=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.5))


class RedFinder:
    """Reports the extent of the red pixels (if any) with `scores`, and remembers the batch sizes."""

    def __init__(self, scores=(0.9,)):
        self.scores = scores
        self.shapes = []

    def decode(self, image_BCHW):
        self.shapes.append(tuple(image_BCHW.shape))
        mean, std = torch.tensor(SPEC.mean).view(3, 1, 1), torch.tensor(SPEC.std).view(3, 1, 1)
        return [self._find(image) for image in image_BCHW * std + mean]

    def _find(self, rgb_CHW):
        red = (rgb_CHW[0] > 0.75) & (rgb_CHW[1] < 0.25) & (rgb_CHW[2] < 0.25)
        if not red.any():
            return torch.zeros(0, 4), torch.zeros(0)
        ys, xs = torch.nonzero(red, as_tuple=True)
        box = torch.stack([xs.min(), ys.min(), xs.max(), ys.max()]).float()
        return box.repeat(len(self.scores), 1), torch.tensor(self.scores)


def detector(network, threshold=0.3):
    return EmbeddedDetector(network, SPEC, "cpu", threshold, {"weights": "stub"})


def picture(height, width, box):
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = 255
    x0, y0, x1, y1 = box
    image[y0 : y1 + 1, x0 : x1 + 1] = (255, 0, 0)
    return image


@pytest.mark.parametrize("size", [(360, 640), (720, 300), (128, 128), (97, 203)])
def test_finds_the_box_where_it_is(size):
    height, width = size
    box = (width // 4, height // 8, width // 2, height // 2)
    (found,) = detector(RedFinder()).detect([picture(height, width, box)])
    scale = max(size) / SPEC.longer_side
    np.testing.assert_allclose(found.xyxy, [box], atol=max(1.0, scale))
    np.testing.assert_allclose(found.scores, [0.9])
    assert found.xyxy.dtype == found.scores.dtype == np.float32


def test_a_batch_gives_what_single_pictures_give():
    images = [
        picture(360, 640, (100, 50, 200, 300)),
        picture(640, 360, (10, 20, 60, 500)),
        picture(360, 640, (400, 10, 500, 90)),
        np.zeros((50, 80, 3), np.uint8),
    ]
    network = RedFinder()
    together = detector(network).detect(images)
    assert network.shapes == [(2, 3, 160, 256), (1, 3, 256, 160), (1, 3, 160, 256)] or network.shapes == [
        (3, 3, 160, 256),
        (1, 3, 256, 160),
    ]
    for image, boxes in zip(images, together, strict=True):
        (alone,) = detector(RedFinder()).detect([image])
        np.testing.assert_array_equal(boxes.xyxy, alone.xyxy)
        np.testing.assert_array_equal(boxes.scores, alone.scores)


def test_weak_boxes_and_doubles_are_dropped_and_the_best_score_stays():
    image = picture(360, 640, (100, 50, 200, 300))
    (found,) = detector(RedFinder(scores=(0.5, 0.8, 0.29))).detect([image])
    np.testing.assert_allclose(found.scores, [0.8])
    (none,) = detector(RedFinder(scores=(0.29,))).detect([image])
    assert len(none) == 0
    assert none.xyxy.shape == (0, 4)


def test_a_box_in_the_padding_is_nobody():
    class Padding:
        def decode(self, image_BCHW):
            return [(torch.tensor([[10.0, 150.0, 60.0, 159.0]]), torch.tensor([0.9]))]

    (found,) = detector(Padding()).detect([np.zeros((360, 640, 3), np.uint8)])  # rows 144..159 are padding
    assert len(found) == 0


def test_no_pictures_no_boxes():
    assert detector(RedFinder()).detect([]) == []


def test_provenance_names_weights_and_threshold():
    assert detector(RedFinder()).provenance() == {"name": "embedded", "threshold": 0.3, "weights": "stub"}


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "models_dir", lambda: tmp_path)
    return tmp_path


def shipped(network):
    """The weights as they are shipped: fp16, without BatchNorm's counters."""
    return {name: t.half() for name, t in network.state_dict().items() if t.is_floating_point()}


def test_loads_the_shipped_weights_and_runs(models):
    torch.manual_seed(0)
    network = PersonDetector(PersonDetector.Config()).eval()
    with torch.no_grad():
        network.score.bias.fill_(2.0)  # untrained: sees people everywhere
    save_tensors(models / embedded.EMBEDDED_WEIGHTS, shipped(network))
    loaded = make_detector(None, device="cpu", threshold=0.3)
    (found,) = loaded.detect([np.random.default_rng(0).integers(0, 255, (120, 200, 3), dtype=np.uint8)])
    assert len(found) > 0
    assert (np.diff(found.scores) <= 0).all()
    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= [199, 119, 199, 119]).all()
    told = loaded.provenance()
    assert told["weights"] == embedded.EMBEDDED_WEIGHTS
    assert len(told["sha256"]) == 64
    # Its norms are folded away: the same network is the one that predicts the same.
    image_BCHW = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected, actual = network(image_BCHW), loaded.network(image_BCHW)
    torch.testing.assert_close(actual.logits_BHW, expected.logits_BHW, rtol=0, atol=0.02)
    torch.testing.assert_close(actual.boxes_BHW4, expected.boxes_BHW4, rtol=0, atol=0.5)


def test_missing_weights(models):
    with pytest.raises(PosecliError, match="no such file"):
        make_detector("embedded", device="cpu", threshold=0.3)


@pytest.mark.parametrize("harm", ["missing", "unexpected", "shape"])
def test_weights_of_something_else(models, harm):
    weights = shipped(PersonDetector(PersonDetector.Config()))
    if harm == "missing":
        del weights["score.weight"]
    elif harm == "unexpected":
        weights["head.weight"] = torch.zeros(3)
    else:
        weights["score.weight"] = torch.zeros(3)
    save_tensors(models / embedded.EMBEDDED_WEIGHTS, weights)
    with pytest.raises(PosecliError, match="not the weights of the embedded detector") as caught:
        make_detector("embedded", device="cpu", threshold=0.3)
    assert "\n" not in str(caught.value)
