"""Twenty-five broken files of each kind through the tool's commands: benchmarks/fuzz runs hundreds."""

import pytest
import torch

import posecli.detect
import posecli.weights.models
from benchmarks.fuzz.__main__ import run_case
from benchmarks.fuzz.trial import MIB, Limits, Outcome, Trial, run_trial
from posecli.weights.models import LoadedModel
from tests.cli.conftest import MiddleModel, OneBox

LIMITS = Limits(seconds=30, memory=3072 * MIB)


@pytest.fixture
def stub(monkeypatch):
    """Networks that cost nothing, in the forks too."""
    monkeypatch.setattr(
        posecli.weights.models, "load_model", lambda name: LoadedModel(MiddleModel(), name, "0")
    )
    monkeypatch.setattr(posecli.detect, "make_detector", lambda *_, **__: OneBox())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a fork has none of the threads of its parent
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("number", range(25))
@pytest.mark.parametrize("group", ["videos", "poses", "smoothed"])
def test_one_line_at_most_and_nothing_half_written(stub, group, number):
    _, _, trial, outcome, said = run_case((group, number), LIMITS)
    assert outcome.is_clean, f"{trial.harm}: {trial.arguments}: {outcome}: {said}"


# What a trial must tell apart, or it would find nothing.


def misbehave(trial, tmp_path, monkeypatch, main):
    (tmp_path / "case" / "work").mkdir(parents=True)
    monkeypatch.setattr("posecli.cli.main", main)
    return run_trial(trial, tmp_path / "case", Limits(seconds=1, memory=256 * MIB))[0]


def raises():
    raise KeyError("x")


def hangs():
    while True:
        pass


def takes_memory():
    bytearray(1 << 40)


def is_killed():
    import os
    import signal

    os.kill(os.getpid(), signal.SIGSEGV)


def says_nothing():
    raise SystemExit(1)


def leaves_half():
    import sys
    from pathlib import Path

    Path("out.json").write_text("{")
    print("posecli: it failed", file=sys.stderr)
    raise SystemExit(1)


def succeeds_with_half():
    from pathlib import Path

    Path("out.json").write_text('{"images": [')


def writes_elsewhere():
    from pathlib import Path

    Path("../secret.txt").write_text("")


@pytest.mark.parametrize(
    ("main", "outcome"),
    [
        (raises, Outcome.TRACEBACK),
        (hangs, Outcome.HANG),
        (takes_memory, Outcome.TRACEBACK),
        (is_killed, Outcome.CRASH),
        (says_nothing, Outcome.WORDY),
        (leaves_half, Outcome.HALF_WRITTEN),
        (succeeds_with_half, Outcome.HALF_WRITTEN),
        (writes_elsewhere, Outcome.STRAYED),
    ],
)
def test_a_command_that_misbehaves_is_found_out(tmp_path, monkeypatch, main, outcome):
    assert misbehave(Trial("", (), "out.json"), tmp_path, monkeypatch, main) == outcome
