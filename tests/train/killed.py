"""A run of the stub's task in a process of its own, for test_killed.py to end.

python -m tests.train.killed FOLDER
"""

import sys
import time
from pathlib import Path

import torch

from posecli.cli.exits import run
from posecli.train.loop import train
from tests.train.stub import StubTask, Watcher, recipe

# A checkpoint after every step, more steps than there is time for, and rates that don't depend on their number.
CONFIG = recipe(
    steps=500, accumulate=2, checkpoint_seconds=0.0, evaluate_every=7, schedule="milestones", milestones=()
)


class SlowTask(StubTask):
    def loss(self, model, batch):
        time.sleep(0.01)
        return super().loss(model, batch)


def main(folder):
    train(SlowTask(CONFIG), CONFIG, folder, torch.device("cpu"), Watcher(), resume=False, workers=2)


if __name__ == "__main__":
    sys.exit(run(lambda: main(Path(sys.argv[1]))))
