"""The person detector: what its cells mean."""

import pytest
import torch

from posecli.nn.detector import PRIOR_SCORE, STRIDE, Dense, PersonDetector, cell_centers


def logit(score):
    return torch.logit(torch.tensor(score))


class Written(PersonDetector):
    """A detector whose dense prediction is given."""

    def __init__(self, dense, **config):
        super().__init__(PersonDetector.Config(**config))
        self.dense = dense

    def forward(self, image_BCHW):
        return self.dense


@pytest.fixture
def dense():
    """Two pictures of 4 x 6 cells: three boxes on the first, nothing on the second."""
    logits = torch.full((2, 4, 6), -9.0)
    boxes = torch.zeros(2, 4, 6, 4)
    for row, column, score, box in [
        (1, 2, 0.9, (3.0, 1.0, 40.0, 30.0)),
        (0, 5, 0.3, (30.0, -5.0, 47.0, 20.0)),
        (3, 0, 0.04, (0.0, 20.0, 9.0, 31.0)),
    ]:
        logits[0, row, column], boxes[0, row, column] = logit(score), torch.tensor(box)
    return Dense(logits, boxes)


def test_decode_returns_boxes_where_they_were_put(dense):
    (boxes, scores), (no_boxes, no_scores) = Written(dense, min_score=0.05).decode(torch.zeros(2, 3, 32, 48))
    assert boxes.tolist() == [[3, 1, 40, 30], [30, -5, 47, 20]]
    assert scores.tolist() == pytest.approx([0.9, 0.3])
    assert no_boxes.shape == (0, 4)
    assert no_scores.shape == (0,)


def test_decode_keeps_what_the_threshold_lets_through(dense):
    ((boxes, scores), _) = Written(dense, min_score=0.03).decode(torch.zeros(2, 3, 32, 48))
    assert scores.tolist() == pytest.approx([0.9, 0.3, 0.04])
    assert boxes[2].tolist() == [0, 20, 9, 31]


def test_centres_are_where_the_strided_convolutions_look():
    # Symmetric padding of odd kernels: cell 0 looks at pixel 0, the next at 8.
    centers = cell_centers(2, 3, torch.device("cpu"))
    assert centers.tolist() == [[[0, 0], [8, 0], [16, 0]], [[0, 8], [8, 8], [16, 8]]]


def test_untrained_detector_sees_nobody_and_boxes_lie_around_their_cells():
    torch.manual_seed(0)
    detector = PersonDetector(PersonDetector.Config(channels=16)).eval()
    with torch.inference_mode():
        dense = detector(torch.randn(1, 3, 64, 96))
    assert dense.logits_BHW.shape == (1, 64 // STRIDE, 96 // STRIDE)
    assert dense.boxes_BHW4.shape == (1, 8, 12, 4)
    assert float(dense.logits_BHW.sigmoid().max()) < 10 * PRIOR_SCORE
    centers = cell_centers(8, 12, torch.device("cpu"))
    assert (dense.boxes_BHW4[0, ..., :2] < centers).all()
    assert (dense.boxes_BHW4[0, ..., 2:] > centers).all()
