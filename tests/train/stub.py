"""A task that trains in no time, and an observer that can stop a run."""

import torch
from torch import nn
from torch.utils.data import Dataset

from posecli.data.mixture import sample_rng
from posecli.train.losses import Loss
from posecli.train.observer import Observer
from posecli.train.recipe import DataShare, Recipe


class StopRunError(Exception):
    """What ends a run in the middle."""


class Numbers(Dataset):
    def __init__(self, length, seed):
        self.length, self.seed = length, seed

    def __len__(self):
        return self.length

    def __getitem__(self, key):
        noise = sample_rng(self.seed, key).standard_normal(4)
        return torch.tensor([key.index, *noise], dtype=torch.float32) / 4


class StubTask:
    """Dropout makes the loss depend on torch's random numbers too."""

    def __init__(self, recipe, lengths=(9, 5)):
        self.recipe, self.lengths = recipe, lengths
        self.exported = None

    def build_model(self):
        return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))

    def datasets(self):
        return [Numbers(length, self.recipe.seed) for length in self.lengths]

    def collate(self, samples):
        return {"x": torch.stack(samples)}

    def loss(self, model, batch):
        errors = (model(batch["x"])[:, 0] - batch["x"].sum(1)).square()
        return Loss(errors.sum(), len(errors), {"mean": float(batch["x"].mean())})

    def evaluate(self, model):
        return {"weight": float(model[0].weight.sum())}

    def export(self, model, folder, notes):
        self.exported = {name: value.clone() for name, value in model.state_dict().items()}
        self.notes = notes
        return folder / "stub.safetensors"


class Watcher(Observer):
    """Notes every step and evaluation; ends the run after one of them."""

    def __init__(self, kill_after=None):
        self.kill_after = kill_after
        self.started_at, self.steps, self.evaluations = None, {}, {}

    def on_start(self, state, recipe):
        self.started_at = state.step

    def on_log(self, step, values):
        self.steps[step] = values["loss"]
        if step == self.kill_after:
            raise StopRunError

    def on_evaluation(self, step, values):
        self.evaluations[step] = values["weight"]


def recipe(**fields):
    shares = (DataShare(name="first", share=0.7), DataShare(name="second", share=0.3))
    plain = {
        "task": "stub", "data": shares, "steps": 12, "batch": 6, "warmup": 3, "ema": 0.9, "bf16": False, "seed": 3,
        "learning_rate": 0.05, "log_every": 1, "evaluate_every": 4, "checkpoint_seconds": -1.0,
    }  # fmt: skip
    return Recipe(**plain | fields)
