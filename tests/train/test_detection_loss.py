"""What the detector is trained towards."""

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import box_iou, generalized_box_iou

from posecli.nn.detector import Dense, cell_centers
from posecli.train.detection_loss import (
    CELLS_PER_PERSON,
    assign,
    box_overlap,
    detection_loss,
    quality_focal,
)

NOBODY = torch.zeros(0, 4)
HEIGHT, WIDTH = 12, 16  # cells


def grid(boxes_of_cells, logit=0.0):
    """A prediction: the same box and score everywhere, but for the cells named (row, column)."""
    logits = torch.full((HEIGHT, WIDTH), -6.0)
    centers = cell_centers(HEIGHT, WIDTH, torch.device("cpu"))
    boxes = torch.cat([centers - 5, centers + 5], -1)
    for (row, column), box in boxes_of_cells.items():
        logits[row, column], boxes[row, column] = logit, torch.tensor(box)
    return logits, boxes


def sure(people):
    """People, and no doubt that they are there."""
    return people, torch.ones(len(people))


def perfect(people, confidence=12.0):
    """A prediction that is right in the middle of every person, and silent elsewhere."""
    cells = {}
    for box in people.tolist():
        row, column = round((box[1] + box[3]) / 16), round((box[0] + box[2]) / 16)
        cells[row, column] = box
    logits, boxes = grid(cells, confidence)
    logits[logits < 0] = -confidence
    return Dense(logits[None], boxes[None])


def test_cells_that_do_best_answer_for_a_person():
    person = [24.0, 28.0, 104.0, 68.0]
    near, far = [24.0, 28.0, 104.0, 64.0], [24.0, 28.0, 72.0, 68.0]  # IoU 0.9 and 0.6
    part = assign(*grid({(6, 8): near, (6, 9): far}), *sure(torch.tensor([person])), NOBODY)
    assert float(part.quality_HW[6, 8]) == pytest.approx(0.9)  # the best one's own IoU
    # The other's is lower in proportion to score^0.5 IoU^6, the scores being equal.
    assert float(part.quality_HW[6, 9]) == pytest.approx(0.9 * (0.6 / 0.9) ** 6)
    assert (part.boxes_HW4[part.quality_HW > 0] == torch.tensor(person)).all()
    assert part.counted_HW.all()


def test_doubt_lowers_every_target_of_a_person_and_no_one_elses():
    doubted, other = [24.0, 28.0, 104.0, 68.0], [8.0, 8.0, 24.0, 24.0]
    cells, people = grid({(6, 8): doubted, (6, 9): doubted, (2, 2): other}), torch.tensor([doubted, other])
    certain = assign(*cells, *sure(people), NOBODY).quality_HW
    doubtful = assign(*cells, people, torch.tensor([0.25, 1.0]), NOBODY).quality_HW
    assert float(doubtful[6, 8]) == pytest.approx(0.25 * float(certain[6, 8])) == pytest.approx(0.25)
    assert float(doubtful[6, 9]) == pytest.approx(0.25 * float(certain[6, 9]))
    assert float(doubtful[2, 2]) == float(certain[2, 2]) == pytest.approx(1)


def test_surer_cell_of_two_equals_has_the_higher_target():
    person = [24.0, 28.0, 104.0, 68.0]
    logits, boxes = grid({(6, 8): person, (6, 9): person})
    logits[6, 9] = torch.logit(torch.tensor(0.125))  # against a half
    part = assign(logits, boxes, *sure(torch.tensor([person])), NOBODY)
    assert float(part.quality_HW[6, 8]) == pytest.approx(1)
    assert float(part.quality_HW[6, 9]) == pytest.approx(0.5)


def test_large_people_get_no_more_cells_than_small_ones():
    people = torch.tensor([[0.0, 0.0, 127.0, 95.0]])
    logits, boxes = torch.zeros(HEIGHT, WIDTH), people[0].expand(HEIGHT, WIDTH, 4)
    part = assign(logits, boxes, *sure(people), NOBODY)
    assert int((part.quality_HW > 0).sum()) == CELLS_PER_PERSON


def test_cells_far_from_the_middle_never_answer():
    person = torch.tensor([[24.0, 28.0, 104.0, 68.0]])
    # Half-sizes 40 and 20, times 0.7, at most 24: an ellipse of 24 x 14 pixels around (64, 48).
    inside, outside = (6, 11), (6, 12)  # 24 and 32 pixels to the right
    part = assign(*grid({inside: person[0].tolist(), outside: person[0].tolist()}), *sure(person), NOBODY)
    assert part.quality_HW[inside] > 0
    assert part.quality_HW[outside] == 0


@pytest.mark.parametrize("center", [(44.0, 44.0), (40.0, 44.0), (41.0, 47.0), (48.0, 48.0)])
def test_smallest_boxes_have_a_cell(center):
    x, y = center  # the worst place is in the middle of four cells
    part = assign(*grid({}), *sure(torch.tensor([[x - 3, y - 3, x + 3, y + 3]])), NOBODY)
    assert (part.quality_HW > 0).any()


def test_cell_that_two_people_want_goes_to_the_one_it_fits():
    small, large = [48.0, 32.0, 80.0, 64.0], [0.0, -32.0, 128.0, 128.0]
    part = assign(*grid({(6, 8): small, (6, 9): large}), *sure(torch.tensor([large, small])), NOBODY)
    assert part.boxes_HW4[6, 8].tolist() == small
    assert part.boxes_HW4[6, 9].tolist() == large


def test_regions_to_ignore_do_not_count_but_people_in_them_do():
    ignored = torch.tensor([[0.0, 0.0, 63.0, 200.0]])
    part = assign(*grid({}), *sure(torch.tensor([[10.0, 10.0, 22.0, 22.0]])), ignored)
    assert part.counted_HW[:, 8:].all()
    assert part.counted_HW[:, :8].equal(part.quality_HW[:, :8] > 0)
    assert part.quality_HW[2, 2] > 0


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
    right = detection_loss(perfect(boxes), [boxes], [torch.ones(len(boxes))], [NOBODY])
    assert float(right.total) < 1e-4
    assert right.values["overlap"] == pytest.approx(1)
    assert float(detection_loss(perfect(boxes), [boxes + 16], [torch.ones(len(boxes))], [NOBODY]).total) > 1


def test_losses_of_pictures_add_up_to_that_of_the_batch():
    """However unequally people are spread over them."""
    torch.manual_seed(0)
    people = [torch.tensor([[8.0, 8.0, 60.0, 90.0], [64.0, 20.0, 120.0, 80.0]]), NOBODY]
    corners = torch.rand(2, HEIGHT, WIDTH, 2) * 60
    dense = Dense(torch.randn(2, HEIGHT, WIDTH), torch.cat([corners, corners + 40], -1))
    whole = detection_loss(dense, people, [torch.ones(len(p)) for p in people], [NOBODY, NOBODY])
    parts = [
        detection_loss(
            Dense(dense.logits_BHW[i : i + 1], dense.boxes_BHW4[i : i + 1]),
            [people[i]],
            [torch.ones(len(people[i]))],
            [NOBODY],
        )
        for i in range(2)
    ]
    torch.testing.assert_close(sum(part.total for part in parts), whole.total)
    torch.testing.assert_close(sum(part.count for part in parts), whole.count)
    assert whole.count > 1
    assert float(parts[1].count) == 0


def test_picture_without_people_teaches_the_background():
    dense = Dense(torch.zeros(1, HEIGHT, WIDTH, requires_grad=True), torch.zeros(1, HEIGHT, WIDTH, 4))
    loss = detection_loss(dense, [NOBODY], [torch.ones(0)], [NOBODY])
    loss.total.backward()
    assert (dense.logits_BHW.grad > 0).all()
    assert loss.values["overlap"] == 0


def test_ignored_regions_give_no_gradient():
    logits = torch.zeros(1, HEIGHT, WIDTH, requires_grad=True)
    boxes = torch.rand(1, HEIGHT, WIDTH, 4).requires_grad_()
    ignored = torch.tensor([[30.0, 30.0, 70.0, 50.0]])
    detection_loss(Dense(logits, boxes), [NOBODY], [torch.ones(0)], [ignored]).total.backward()
    silent = (logits.grad[0] == 0).nonzero().tolist()
    assert silent == [[row, column] for row in (4, 5, 6) for column in (4, 5, 6, 7, 8)]


def test_gradient_pulls_a_box_towards_its_person():
    person = torch.tensor([[40.0, 40.0, 88.0, 72.0]])
    logits = torch.zeros(1, HEIGHT, WIDTH)
    boxes = (torch.zeros(1, HEIGHT, WIDTH, 4) + torch.tensor([44.0, 40.0, 96.0, 72.0])).requires_grad_()
    detection_loss(Dense(logits, boxes), [person], [torch.ones(1)], [NOBODY]).total.backward()
    gradient = boxes.grad.sum((0, 1, 2))
    assert gradient[0] > 0  # to the left
    assert gradient[2] > 0
