"""A run that is killed or interrupted at any moment goes on as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from posecli.train.loop import train
from tests.train.killed import CONFIG
from tests.train.stub import StubTask, Watcher

CPU = torch.device("cpu")
SECONDS = 300  # only where something is stuck
STEPS = 40  # of the run that goes on


def start(folder):
    """Its own session, as a terminal makes one: signals to the group reach the workers too."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.train.killed", str(folder)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def logged(folder):
    """Steps in the log."""
    path = folder / "log.csv"
    return max(0, path.read_text().count("\n") - 1) if path.is_file() else 0


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.003)


@pytest.mark.parametrize(("number", "steps"), [(signal.SIGKILL, 5), (signal.SIGINT, 11)])
def test_ended_and_resumed_is_the_unbroken_run(tmp_path, number, steps):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    process = start(broken)
    wait_for(lambda: logged(broken) >= steps or process.poll() is not None)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=SECONDS)
    kept = torch.load(broken / "last.pt")["step"]
    if number == signal.SIGKILL:
        assert logged(broken) - 1 <= kept
    else:
        assert process.returncode == 128 + number
        assert said == f"posecli: stopped after step {kept}, which {broken} keeps: go on with --resume\n"
        assert logged(broken) == kept
    assert steps - 1 <= kept < STEPS, "too slow to be ended in time"

    config, after, watched = replace(CONFIG, steps=STEPS), Watcher(), Watcher()
    resumed, unbroken = StubTask(config), StubTask(config)
    train(resumed, config, broken, CPU, after, resume=True, workers=0)
    assert after.started_at == kept
    train(unbroken, config, whole, CPU, watched, resume=False, workers=0)
    assert after.steps == {step: loss for step, loss in watched.steps.items() if step > kept}
    for name, value in unbroken.exported.items():
        torch.testing.assert_close(resumed.exported[name], value, rtol=0, atol=0)
    assert logged(broken) == logged(whole) == STEPS
