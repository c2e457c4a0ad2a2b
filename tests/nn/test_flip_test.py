"""The flip test against what mirroring means."""

import pytest
import torch

from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.skeletons import COCO
from tests.nn.test_pose_model import crops, small


def test_answer_of_the_mirrored_window_is_the_mirrored_answer():
    torch.manual_seed(0)
    model = PoseModel(small()).eval()
    tested = FlipTested(model)
    with torch.inference_mode():
        answer, of_mirrored = tested(crops(2)), tested(crops(2).flip(3))
        alone, alone_mirrored = model(crops(2)), model(crops(2).flip(3))
    torch.testing.assert_close(of_mirrored, answer[:, :, COCO.flip].flip(-1))
    assert not torch.allclose(alone_mirrored, alone[:, :, COCO.flip].flip(-1), atol=1e-2)


@pytest.mark.parametrize("base", ["encoder", "none"])
def test_encoding_and_answering_apart_is_the_same(base):
    torch.manual_seed(0)
    tested = FlipTested(PoseModel(small(**{"temporal.base_heatmaps": base})).eval())
    with torch.inference_mode():
        encoded = tested.encode(crops(2))
        torch.testing.assert_close(tested.answer(encoded), tested(crops(2)))
        without_heatmaps = EncodedWindows(encoded.features_BTCHW, None)
        if base == "none":
            torch.testing.assert_close(tested.answer(without_heatmaps), tested(crops(2)))


def test_looks_lie_over_each_other():
    """The mirrored look's channels, turned back, are those of the crop's mirror image, first and second exchanged."""
    torch.manual_seed(0)
    tested = FlipTested(PoseModel(small()).eval())
    with torch.inference_mode():
        one, other = tested.encode(crops(2)), tested.encode(crops(2).flip(3)).mirrored()
    for ours, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(ours, torch.cat(theirs.chunk(2, 2)[::-1], 2))


def test_both_answers_count_alike():
    """By hand: a model that sees a light on the left as the left wrist's only."""
    wrist, other = COCO.index("left_wrist"), COCO.index("right_wrist")

    class LeftOnly(PoseModel):
        def forward(self, images_BTHWC):
            heatmaps = torch.zeros(1, 1, len(COCO), 4, 8)
            heatmaps[:, :, wrist] = images_BTHWC[:, 0, ::16, ::12, 0].float()[:, None]
            return heatmaps

    image = torch.zeros(1, 3, 64, 96, 3, dtype=torch.uint8)
    image[0, :, 16, 24] = 8  # heatmap row 1, column 2
    answer = FlipTested(LeftOnly(small()))(image)
    assert answer[0, 0, wrist, 1, 2] == 4  # from the straight window
    # Mirrored, the light lies in column 96 - 1 - 24 = 71, which every 12th column does not meet.
    assert answer[0, 0, other].abs().sum() == 0
    image[0, :, 16, 95 - 24] = 8  # its mirror image meets column 24
    answer = FlipTested(LeftOnly(small()))(image)
    assert answer[0, 0, other, 1, 7 - 2] == 4
    assert answer[0, 0].sum() == 8
