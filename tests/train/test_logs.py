"""The logs of a run."""

import importlib.util
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest

from posecli.errors import PosecliError
from posecli.train.logs import CsvLog, CsvLogs, TensorBoardLogs, tensorboard_logs
from posecli.train.observer import Observer, Observers
from tests.train.stub import recipe

HAS_TENSORBOARD = importlib.util.find_spec("tensorboard") is not None


def at(step):
    return SimpleNamespace(step=step)


def test_log_goes_on_without_later_and_broken_rows(tmp_path):
    path = tmp_path / "logs" / "log.csv"
    with closing(CsvLog(path, last_step=0)) as log:
        for step in (1, 2, 3):
            log.write({"step": step, "loss": 1 / 3})
    with path.open("a") as stream:
        stream.write("4")  # the kill came in the middle of a line
    with closing(CsvLog(path, last_step=2)) as log:
        log.write({"step": 3, "loss": 1.25e-7})
    assert path.read_text().splitlines() == ["step,loss", "1,0.333333", "2,0.333333", "3,1.25e-07"]
    with closing(CsvLog(path, last_step=0)) as log:
        log.write({"step": 1, "other": 2.0})
    assert path.read_text().splitlines() == ["step,other", "1,2.0"]


def test_last_evaluation_is_made_again_when_a_finished_run_goes_on(tmp_path):
    for started in (0, 12):
        logs = CsvLogs(tmp_path)
        logs.on_start(at(started), recipe(steps=12))
        for step in (6, 12):
            if step > started or step == 12:
                logs.on_evaluation(step, {"ap": step / 100})
        logs.close()
    assert (tmp_path / "quality.csv").read_text().splitlines() == ["step,ap", "6,0.06", "12,0.12"]


def test_all_observers_are_told_and_closed():
    told = []

    class Ear(Observer):
        def __init__(self, name):
            self.name = name

        def on_step(self, step, values):
            told.append((self.name, step))

        def close(self):
            told.append((self.name, "closed"))

    with Observers([Ear("a"), Ear("b")]) as ears:
        ears.on_start(at(0), recipe())
        ears.on_step(1, {})
        ears.on_log(1, {})
    assert told == [("a", 1), ("b", 1), ("a", "closed"), ("b", "closed")]


def test_tensorboard_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(PosecliError, match="pip install tensorboard"):
        tensorboard_logs(tmp_path, True)
    assert tensorboard_logs(tmp_path, False) == []
    monkeypatch.setattr("posecli.train.logs.find_spec", lambda name: None)
    assert tensorboard_logs(tmp_path, None) == []


@pytest.mark.skipif(not HAS_TENSORBOARD, reason="tensorboard is not installed")
def test_tensorboard_keeps_what_was_told_and_forgets_what_happens_again(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for started, end in ((0, 4), (2, 3)):
        logs = TensorBoardLogs(tmp_path)
        logs.on_start(at(started), recipe())
        for step in range(started + 1, end + 1):
            logs.on_log(step, {"loss": step + started / 10})
        logs.on_evaluation(end, {"walk pck@0.1": 0.5})
        logs.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    losses = [(event.step, round(event.value, 3)) for event in events.Scalars("train/loss")]
    assert losses == [(1, 1.0), (2, 2.0), (3, 3.2)]
    assert [event.step for event in events.Scalars("quality/walk_pck_at_0.1")] == [3]
