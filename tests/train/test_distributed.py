"""Two processes that train together make the steps that one alone makes, and end together."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from posecli.errors import UsageError
from posecli.train import distributed
from posecli.train.distributed import Processes, join_processes, without_exchange
from tests.train.ranks import SHORT, UNEVEN, AblationTask, ExactTask, run

CPU = torch.device("cpu")
SECONDS = 300  # only where something is stuck


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder that two processes left."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.train.ranks", str(folder)],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            cwd=Path(__file__).parents[2],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=SECONDS)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    return folder


def test_two_processes_that_accumulate_are_one_large_batch(together, tmp_path):
    """Seven samples in four parts of unequal labels, clipped: in double precision the same weights."""
    run(ExactTask(UNEVEN), UNEVEN, tmp_path)
    ours, theirs = (torch.load(folder / "exported.pt") for folder in (together / "exact", tmp_path))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-9, atol=1e-12)
    logs = [(folder / "log.csv").read_text().splitlines() for folder in (together / "exact", tmp_path)]
    ours, theirs = ([line.split(",")[:5] for line in log] for log in logs)  # without samples a second
    assert ours == theirs
    assert ours[0] == ["step", "loss", "mean", "rate", "norm"]


def test_routes_that_are_switched_off_do_not_disturb(together, tmp_path):
    run(AblationTask(SHORT), SHORT, tmp_path)
    ours, theirs = (torch.load(folder / "exported.pt") for folder in (together / "ablation", tmp_path))
    start = AblationTask(SHORT).build_model().state_dict()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-3, atol=1e-5)
    moved = {name for name, value in theirs.items() if not torch.equal(value, start[name])}
    assert any("s6" in name for name in moved)


def test_signal_to_one_ends_all_with_one_checkpoint(together):
    for rank in range(2):
        assert (together / f"stopped{rank}.txt").read_text().startswith("143 stopped after step 3,")
    assert torch.load(together / "stopped" / "last.pt")["step"] == 3


def test_failure_of_one_ends_all(together):
    assert (together / "failed1.txt").read_text() == "1 this one's picture is broken"
    assert (together / "failed0.txt").read_text().startswith("1 another process of this run ended")


def test_alone_nothing_is_shared(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    network = nn.Linear(2, 2)
    with join_processes(CPU) as alone:
        assert alone == Processes(CPU)
        assert alone.is_first
        assert alone.share(network) is network
        assert alone.sum([1.5, 2.0]) == [1.5, 2.0]
    with without_exchange(network):
        network(torch.ones(1, 2)).sum().backward()
    assert network.weight.grad is not None


@pytest.mark.parametrize(
    ("device", "local", "message"),
    [
        ("cuda", "2", "process 2 of this machine has no GPU: use --nproc-per-node 2"),
        ("cuda:1", "0", "with several processes use cuda"),
        ("mps", "0", "with several processes use cuda"),
    ],
)
def test_devices_that_can_not_be_shared_are_named(monkeypatch, device, local, message):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", local)
    monkeypatch.setattr(distributed.torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UsageError, match=message), join_processes(torch.device(device)):
        pass


def test_processes_that_are_not_there_are_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with (
        pytest.raises(distributed.PosecliError, match="other processes can't be reached"),
        join_processes(CPU),
    ):
        pass
