"""One of several processes that train together; test_distributed.py starts them and looks at what they leave.

python -m tests.train.ranks FOLDER, in the environment that torchrun makes.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from posecli.errors import PosecliError
from posecli.nn.glsmamba import GLSMamba
from posecli.train.distributed import join_processes
from posecli.train.loop import train
from posecli.train.losses import Loss
from tests.nn.test_glsmamba import TINY
from tests.train.stub import StubTask, Watcher, recipe

CPU = torch.device("cpu")
# Seven samples in four parts: none is as large as the next.
UNEVEN = recipe(batch=7, steps=5, evaluate_every=2, clip_norm=0.5)
SHORT = replace(UNEVEN, steps=2)


class ExactTask(StubTask):
    """In double precision, without anything that depends on a part alone; samples count differently."""

    def build_model(self):
        return nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 1)).double()

    def loss(self, model, batch):
        x = batch["x"].double()
        weight = (x[:, 0] * 4).round() % 3  # some count nothing
        errors = (model(x)[:, 0] - x.sum(1)).square() * weight
        return Loss(errors.sum(), weight.sum(), {"mean": float(errors.detach().sum() / max(weight.sum(), 1))})


class AblationTask(StubTask):
    """GLSMamba of one kind of routes, without STMM: much of what is allocated is never run."""

    def build_model(self):
        model = GLSMamba(replace(TINY, routes=("time",), stmm=False))
        model.set_scan_backend("torch")  # nothing to compile
        return model

    def loss(self, model, batch):
        seeds = batch["x"][:, 0].double()
        count = TINY.frames * TINY.channels * TINY.grid[0] * TINY.grid[1]
        waves = torch.sin(seeds[:, None] * torch.arange(1, count + 1)).float()
        heatmaps = model(waves.unflatten(1, (TINY.frames, TINY.channels, *TINY.grid)))
        return Loss((heatmaps - 1).square().sum(), len(seeds))

    def evaluate(self, model):
        return {"weight": 0.0}


class InterruptedTask(ExactTask):
    """Process 1 alone is told to end, in the middle of its third step."""

    def loss(self, model, batch):
        self.parts = getattr(self, "parts", 0) + 1
        if self.parts == 3 and os.environ["RANK"] == "1":
            signal.raise_signal(signal.SIGTERM)
        return super().loss(model, batch)


class FailingTask(ExactTask):
    """Process 1 alone fails, in its second step."""

    def loss(self, model, batch):
        self.parts = getattr(self, "parts", 0) + 1
        if self.parts == 2 and os.environ["RANK"] == "1":
            raise PosecliError("this one's picture is broken")
        return super().loss(model, batch)


def run(task, config, folder, processes=None):
    """Leaves the exported weights of the process that has them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = train(task, config, folder, CPU, Watcher(), resume=False, workers=0, processes=processes)
    if path is not None:
        torch.save(task.exported, folder / "exported.pt")
    return path


def message_of(work):
    try:
        work()
    except PosecliError as error:
        return f"{error.exit_code} {error}"
    return "went well"


def work_together(folder):
    with join_processes(CPU) as processes:
        exact = run(ExactTask(UNEVEN), replace(UNEVEN, accumulate=2), folder / "exact", processes)
        assert (exact is None) == (processes.rank == 1)
        run(AblationTask(SHORT), SHORT, folder / "ablation", processes)
        stopped = message_of(lambda: run(InterruptedTask(UNEVEN), UNEVEN, folder / "stopped", processes))
        (folder / f"stopped{processes.rank}.txt").write_text(stopped)
        run(FailingTask(UNEVEN), UNEVEN, folder / "failed", processes)


def main(folder):
    failed = message_of(lambda: work_together(folder))
    (folder / f"failed{os.environ['RANK']}.txt").write_text(failed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # gloo's threads may abort a process whose peer has failed, while Python shuts down
