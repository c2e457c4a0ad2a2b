"""What a training shows: lines in a pipe, a bar on a terminal."""

import io
from types import SimpleNamespace

from rich.console import Console
from torch import nn

from posecli.cli.live import Lines, LiveView, make_view
from posecli.train.recipe import Recipe

RECIPE = Recipe(task="encoder", steps=40)
VALUES = {"loss": 0.123456, "rate": 0.001, "samples_per_second": 12.34}


def state(step):
    frozen = nn.Linear(3, 3).requires_grad_(False)
    return SimpleNamespace(step=step, model=nn.Sequential(nn.Linear(40, 50), frozen))


def show(view):
    view.on_start(state(10), RECIPE)
    for step in (11, 12):
        view.on_step(step, VALUES)
    view.on_log(12, VALUES)
    view.on_evaluation(12, {"pck@0.1": 0.87654})
    view.close()


def test_lines(capsys):
    show(Lines())
    assert capsys.readouterr().out.splitlines() == [
        "encoder: 2,050 trainable parameters, step 10 of 40",
        "step 12  loss 0.1235  rate 0.001  samples_per_second 12.34",
        "quality at 12  pck@0.1 0.877",
    ]


def test_live_view_shows_the_last_step_and_keeps_evaluations():
    screen = io.StringIO()
    show(LiveView(Console(file=screen, force_terminal=True, width=120, no_color=True, _environ={})))
    shown = screen.getvalue()
    assert "encoder: 2,050 trainable parameters, step 10 of 40" in shown
    assert "quality at 12  pck@0.1 0.877" in shown
    last = [line for line in shown.splitlines() if "12/40" in line][-1]
    assert "loss 0.1235, rate 0.001, 12.3/s" in last
    assert "left" in last


def test_view_that_never_began_closes_quietly(capsys):
    view = LiveView(Console(force_terminal=True))
    view.close()
    assert "step" not in capsys.readouterr().out


def test_a_pipe_gets_lines():
    assert isinstance(make_view(), Lines)
