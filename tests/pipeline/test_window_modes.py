"""Which mode runs which model."""

import pytest

from posecli.errors import UsageError
from posecli.pipeline.window_modes import answered_positions, choose_mode

EVERY, MIDDLE = (0, 1, 2, 3, 4), (2,)


@pytest.mark.parametrize(
    ("wanted", "output_frames", "mode"),
    [
        ("auto", EVERY, "tubelet"),
        ("auto", MIDDLE, "reuse"),
        ("tubelet", EVERY, "tubelet"),
        ("reuse", EVERY, "reuse"),
        ("exact", EVERY, "exact"),
        ("exact", MIDDLE, "exact"),
    ],
)
def test_choice(wanted, output_frames, mode):
    assert choose_mode(wanted, output_frames, "glsmamba-x") == mode


def test_a_tubelet_needs_every_frame():
    with pytest.raises(UsageError, match="glsmamba-b answers for the middle one: choose reuse or exact"):
        choose_mode("tubelet", MIDDLE, "glsmamba-b")


@pytest.mark.parametrize("output_frames", [EVERY, MIDDLE])
def test_only_a_tubelet_answers_for_more_than_the_middle(output_frames):
    assert answered_positions("tubelet", 5, output_frames) == output_frames
    assert (
        answered_positions("reuse", 5, output_frames) == answered_positions("exact", 5, output_frames) == (2,)
    )
