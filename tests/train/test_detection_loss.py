"""What the detector is trained towards."""

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import box_iou, generalized_box_iou

from posecli.nn.detector import Dense, cell_centers
from posecli.train.detection_loss import assign, box_overlap, detection_loss, quality_focal

NOBODY = torch.zeros(0, 4)
HEIGHT, WIDTH = 12, 16  # cells


def perfect(boxes, confidence=12.0):
    """A prediction that is right everywhere."""
    part = assign(boxes, NOBODY, HEIGHT, WIDTH)
    logits = torch.where(part.positive_HW, confidence, -confidence)
    centers = cell_centers(HEIGHT, WIDTH, torch.device("cpu"))
    anything = torch.cat([centers - 5, centers + 5], -1)
    return Dense(logits[None], torch.where(part.positive_HW[..., None], part.boxes_HW4, anything)[None])


def test_cells_in_the_middle_of_a_box_answer_for_it():
    # Half-sizes 40 and 20, times 0.35: an ellipse of 14 x 7 pixels around (64, 48), which is a cell's centre.
    box = torch.tensor([[24.0, 28.0, 104.0, 68.0]])
    part = assign(box, NOBODY, HEIGHT, WIDTH)
    assert part.positive_HW.nonzero().tolist() == [[6, 7], [6, 8], [6, 9]]
    assert (part.boxes_HW4[part.positive_HW] == box).all()
    assert part.counted_HW.all()


@pytest.mark.parametrize("center", [(44.0, 44.0), (40.0, 44.0), (41.0, 47.0), (48.0, 48.0)])
def test_smallest_boxes_have_a_cell(center):
    x, y = center  # the worst place is in the middle of four cells
    part = assign(torch.tensor([[x - 3, y - 3, x + 3, y + 3]]), NOBODY, HEIGHT, WIDTH)
    assert part.positive_HW.any()


def test_cell_between_two_goes_to_the_nearer_in_units_of_its_box():
    small, large = [56.0, 40.0, 72.0, 56.0], [0.0, -32.0, 160.0, 128.0]
    part = assign(torch.tensor([large, small]), NOBODY, HEIGHT, WIDTH)
    assert part.boxes_HW4[6, 8].tolist() == small  # the small one's very middle
    assert part.boxes_HW4[6, 10].tolist() == large  # the large one's


def test_regions_to_ignore_do_not_count_but_people_in_them_do():
    ignored = torch.tensor([[0.0, 0.0, 63.0, 200.0]])
    part = assign(torch.tensor([[10.0, 10.0, 22.0, 22.0]]), ignored, HEIGHT, WIDTH)
    assert part.counted_HW[:, 8:].all()
    assert part.counted_HW[:, :8].equal(part.positive_HW[:, :8])
    assert part.positive_HW[2, 2]


def test_overlaps_are_those_of_torchvision():
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(2, 50, 2, generator=generator) * 10
    sides = torch.rand(2, 50, 2, generator=generator) * 6 + 0.1
    a, b = torch.cat([corners, corners + sides], -1)
    iou, generalised = box_overlap(a, b)
    torch.testing.assert_close(iou, box_iou(a, b).diagonal())
    torch.testing.assert_close(generalised, generalized_box_iou(a, b).diagonal())
    assert (iou == 0).any()
    assert (iou > 0.3).any()


def test_quality_focal_is_zero_at_the_target_and_weighs_by_the_distance():
    logits = torch.tensor([0.3, -2.0])
    assert quality_focal(logits, logits.sigmoid()).abs().max() < 1e-6
    value = quality_focal(torch.tensor([0.0]), torch.tensor([1.0]))
    torch.testing.assert_close(value, 0.25 * F.softplus(torch.tensor([0.0])))


def test_perfect_prediction_has_no_loss():
    boxes = torch.tensor([[8.0, 8.0, 60.0, 90.0], [64.0, 20.0, 120.0, 80.0]])
    loss, values = detection_loss(perfect(boxes), [boxes], [NOBODY])
    assert float(loss) < 1e-4
    assert values["overlap"] == pytest.approx(1)
    wrong, _ = detection_loss(perfect(boxes), [boxes + 16], [NOBODY])
    assert float(wrong) > 1


def test_picture_without_people_teaches_the_background():
    dense = Dense(torch.zeros(1, HEIGHT, WIDTH, requires_grad=True), torch.zeros(1, HEIGHT, WIDTH, 4))
    loss, values = detection_loss(dense, [NOBODY], [NOBODY])
    loss.backward()
    assert (dense.logits_BHW.grad > 0).all()
    assert values["overlap"] == 0


def test_ignored_regions_give_no_gradient():
    logits = torch.zeros(1, HEIGHT, WIDTH, requires_grad=True)
    boxes = torch.rand(1, HEIGHT, WIDTH, 4).requires_grad_()
    ignored = torch.tensor([[30.0, 30.0, 70.0, 50.0]])
    detection_loss(Dense(logits, boxes), [NOBODY], [ignored])[0].backward()
    silent = (logits.grad[0] == 0).nonzero().tolist()
    assert silent == [[row, column] for row in (4, 5, 6) for column in (4, 5, 6, 7, 8)]


def test_gradient_pulls_a_box_towards_its_person():
    person = torch.tensor([[40.0, 40.0, 88.0, 72.0]])
    logits = torch.zeros(1, HEIGHT, WIDTH)
    boxes = (torch.zeros(1, HEIGHT, WIDTH, 4) + torch.tensor([44.0, 40.0, 96.0, 72.0])).requires_grad_()
    detection_loss(Dense(logits, boxes), [person], [NOBODY])[0].backward()
    gradient = boxes.grad.sum((0, 1, 2))
    assert gradient[0] > 0  # to the left
    assert gradient[2] > 0
