"""The loop: a run that was killed goes on as if nothing had happened."""

import csv
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn

from posecli.errors import PosecliError, UsageError
from posecli.train.interruption import RunStoppedError
from posecli.train.loop import train
from posecli.train.losses import Loss
from posecli.train.optimizer import make_optimizer
from tests.train.stub import StopRunError, StubTask, Watcher, recipe

CPU = torch.device("cpu")


def run(folder, config, *, resume=False, kill_after=None, lengths=(9, 5), workers=0):
    task, watcher = StubTask(config, lengths), Watcher(kill_after)
    if kill_after is None:
        train(task, config, folder, CPU, watcher, resume=resume, workers=workers)
    else:
        with pytest.raises(StopRunError):
            train(task, config, folder, CPU, watcher, resume=resume, workers=workers)
    return task, watcher


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def without_speed(log):
    return [{name: value for name, value in row.items() if name != "samples_per_second"} for row in log]


@pytest.mark.parametrize(
    ("kill_after", "fields", "workers"),
    [
        (1, {}, 0),
        (5, {}, 2),
        (8, {"accumulate": 2}, 0),
        (9, {"accumulate": 3, "ema": 0.0}, 0),
        (12, {}, 0),
    ],
)
def test_killed_and_resumed_is_the_unbroken_run(tmp_path, kill_after, fields, workers):
    """With a checkpoint after every step; a kill comes before the one of its own step."""
    config = recipe(**fields)
    whole, watched = run(tmp_path / "whole", config)
    _, before = run(tmp_path / "broken", config, kill_after=kill_after, workers=workers)
    torch.manual_seed(99)  # another process
    resumed, after = run(tmp_path / "broken", config, resume=True, workers=workers)
    assert after.started_at == kill_after - 1
    assert before.steps | after.steps == watched.steps
    assert before.evaluations | after.evaluations == watched.evaluations
    for name, value in whole.exported.items():
        torch.testing.assert_close(resumed.exported[name], value, rtol=0, atol=0)
    for log in ("log.csv", "quality.csv"):
        there, here = rows(tmp_path / "whole" / log), rows(tmp_path / "broken" / log)
        assert without_speed(here) == without_speed(there)


def test_steps_since_the_last_checkpoint_are_logged_once(tmp_path):
    """The only checkpoint is from the end of a first, shorter run; the next dies later without one."""
    seldom = recipe(checkpoint_seconds=1e9)
    run(tmp_path, replace(seldom, steps=5))
    run(tmp_path, seldom, resume=True, kill_after=10)
    assert [row["step"] for row in rows(tmp_path / "log.csv")] == [str(i) for i in range(1, 11)]
    run(tmp_path, seldom, resume=True)
    assert [row["step"] for row in rows(tmp_path / "log.csv")] == [str(i) for i in range(1, 13)]
    assert [row["step"] for row in rows(tmp_path / "quality.csv")] == ["4", "5", "8", "12"]


def test_finished_run_resumed_evaluates_again_and_changes_nothing(tmp_path):
    first, _ = run(tmp_path, recipe())
    second, watcher = run(tmp_path, recipe(), resume=True)
    assert watcher.steps == {}
    for name, value in first.exported.items():
        torch.testing.assert_close(second.exported[name], value, rtol=0, atol=0)
    assert [row["step"] for row in rows(tmp_path / "quality.csv")] == ["4", "8", "12"]


def test_run_without_resume_begins_anew(tmp_path):
    _, first = run(tmp_path, recipe(steps=4))
    _, second = run(tmp_path, recipe(steps=4))
    assert second.started_at == 0
    assert first.steps == second.steps
    assert len(rows(tmp_path / "log.csv")) == 4


def test_training_learns_and_the_seed_decides(tmp_path):
    _, watcher = run(tmp_path / "a", recipe(steps=80))
    losses = list(watcher.steps.values())
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
    _, other = run(tmp_path / "b", recipe(seed=4))
    assert other.steps[1] != watcher.steps[1]


def test_workers_do_not_change_the_run(tmp_path):
    _, alone = run(tmp_path / "a", recipe(steps=3))
    task, helped = StubTask(recipe(steps=3)), Watcher()
    train(task, recipe(steps=3), tmp_path / "b", CPU, helped, resume=False, workers=2)
    assert helped.steps == alone.steps


def test_batch_that_overflows_is_passed_over(tmp_path):
    class Overflowing(StubTask):
        def loss(self, model, batch):
            loss = super().loss(model, batch)
            return Loss(loss.total * (float("inf") if self.steps_left() == 0 else 1), loss.count, loss.values)

        def steps_left(self):
            self.left = getattr(self, "left", 3) - 1
            return self.left

    task = Overflowing(recipe(steps=3))
    train(task, recipe(steps=3), tmp_path / "all", CPU, Watcher(), resume=False, workers=0)
    assert all(torch.isfinite(value).all() for value in task.exported.values())
    run(tmp_path / "cut", recipe(steps=3), kill_after=3)  # its checkpoint is of step 2
    ours, theirs = (torch.load(f / "last.pt")["model"] for f in (tmp_path / "all", tmp_path / "cut"))
    torch.testing.assert_close(ours["0.weight"], theirs["0.weight"], rtol=0, atol=0)


def test_empty_dataset_is_named(tmp_path):
    with pytest.raises(PosecliError, match="dataset 'second' has nothing to train on"):
        run(tmp_path, recipe(), lengths=(9, 0))


def test_recipe_without_data_is_named(tmp_path):
    with pytest.raises(PosecliError, match="names no data"):
        run(tmp_path, recipe(data=()), lengths=())


def test_optimizer_groups():
    """No decay on vectors; pretrained parameters at their own rate; frozen ones nowhere."""
    model = nn.ModuleDict(
        {"backbone": nn.Conv2d(3, 4, 1), "head": nn.Linear(4, 2), "frozen": nn.Linear(2, 2)}
    )
    model["frozen"].requires_grad_(False)
    optimizer = make_optimizer(model, recipe(weight_decay=0.2, backbone_rate=0.5))
    found = {
        id(p): (group["weight_decay"], group["rate"])
        for group in optimizer.param_groups
        for p in group["params"]
    }
    assert found == {
        id(model["backbone"].weight): (0.2, 0.5),
        id(model["backbone"].bias): (0.0, 0.5),
        id(model["head"].weight): (0.2, 1.0),
        id(model["head"].bias): (0.0, 1.0),
    }


def test_rates_follow_the_schedule_and_the_group(tmp_path):
    _, _ = run(
        tmp_path, recipe(steps=4, warmup=2, learning_rate=0.01, schedule="milestones", milestones=(0.5,))
    )
    assert [float(row["rate"]) for row in rows(tmp_path / "log.csv")] == pytest.approx(
        [0.005, 0.01, 0.001, 0.001]
    )


def test_epochs_become_steps(tmp_path):
    """Fourteen samples, six a step: three epochs are seven steps."""
    config = recipe(epochs=3.0, steps=1, schedule="milestones", milestones=(2.0,), warmup=0)
    run(tmp_path, config)
    log = rows(tmp_path / "log.csv")
    assert len(log) == 7
    # The second epoch ends within the fifth step (4.67), so the sixth is the first at the lower rate.
    assert [float(row["rate"]) for row in log] == pytest.approx([0.05] * 5 + [0.005] * 2)


def test_best_weights_are_kept_across_an_interruption(tmp_path):
    class RisingAndFalling(StubTask):
        figures = (0.5, 0.9, 0.7)

        def evaluate(self, model):
            self.evaluated += 1
            return {"weight": self.figures[self.evaluated - 1]}

        def export(self, model, folder, notes):
            (folder / "weights.txt").write_text(notes["quality"])
            return folder / "weights.txt"

    config = recipe(keep_best=True)
    task = RisingAndFalling(config)
    task.evaluated = 0
    with pytest.raises(StopRunError):
        train(task, config, tmp_path, CPU, Watcher(kill_after=10), resume=False, workers=0)
    task = RisingAndFalling(config)
    task.evaluated = 2  # after steps 4 and 8
    path = train(task, config, tmp_path, CPU, Watcher(), resume=True, workers=0)
    assert path.read_text() == "{'weight': 0.7}"
    assert (tmp_path / "best" / "weights.txt").read_text() == "{'weight': 0.9}"


@pytest.mark.parametrize(("during", "kept"), [("loss", 6), ("evaluate", 4)])
def test_signal_ends_the_run_after_a_whole_step(tmp_path, during, kept):
    """In the sixth step, which is finished, or in the first evaluation, which is not."""

    class Interrupted(StubTask):
        def loss(self, model, batch):
            self.steps = getattr(self, "steps", 0) + 1
            if during == "loss" and self.steps == 6:
                signal.raise_signal(signal.SIGINT)
            return super().loss(model, batch)

        def evaluate(self, model):
            if during == "evaluate":
                signal.raise_signal(signal.SIGINT)
                raise AssertionError("went on")
            return super().evaluate(model)

    config = recipe(checkpoint_seconds=1e9)
    task = Interrupted(config)
    with pytest.raises(RunStoppedError, match=f"stopped after step {kept},"):
        train(task, config, tmp_path, CPU, Watcher(), resume=False, workers=0)
    assert torch.load(tmp_path / "last.pt")["step"] == kept
    assert [row["step"] for row in rows(tmp_path / "log.csv")] == [str(i + 1) for i in range(kept)]
    whole, _ = run(tmp_path / "whole", config)
    resumed, _ = run(tmp_path, config, resume=True)
    for name, value in whole.exported.items():
        torch.testing.assert_close(resumed.exported[name], value, rtol=0, atol=0)


def test_signal_in_the_last_evaluation_leaves_it_for_later(tmp_path):
    class Interrupted(StubTask):
        def evaluate(self, model):
            signal.raise_signal(signal.SIGTERM)

    config = recipe(steps=3)
    with pytest.raises(RunStoppedError) as error:
        train(Interrupted(config), config, tmp_path, CPU, Watcher(), resume=False, workers=0)
    assert error.value.exit_code == 143
    _, watcher = run(tmp_path, config, resume=True)
    assert watcher.steps == {}
    assert list(watcher.evaluations) == [3]


def test_other_recipe_is_refused_unless_it_is_meant(tmp_path):
    run(tmp_path, recipe(steps=3))
    other = recipe(steps=6, learning_rate=0.01)
    task = StubTask(other)
    with pytest.raises(UsageError, match=r"learning_rate was 0\.05, now 0\.01"):
        train(task, other, tmp_path, CPU, Watcher(), resume=True, workers=0)
    train(task, other, tmp_path, CPU, Watcher(), resume=True, workers=0, deliberate={"learning_rate"})
    assert len(rows(tmp_path / "log.csv")) == 6
