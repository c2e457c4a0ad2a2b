"""Several processes that train one model together, under PyTorch's DistributedDataParallel (DDP).

torchrun starts them, one a GPU (or one a machine on CPUs), and tells each by environment variables who it is. Each
works on its part of every batch; gradients are summed over all, so that each takes the step that one process alone
would have taken. The first process alone evaluates and writes files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from posecli.errors import PosecliError, UsageError
from posecli.train.interruption import RunStoppedError

# All others wait while the first evaluates. A process that died is noticed by torchrun, not by this.
TIMEOUT = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Processes:
    """This process's place among those of the run; by default it is alone."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, network: nn.Module) -> nn.Module:
        """The network, whose backward pass averages gradients over the processes."""
        if self.count == 1:
            return network
        ids = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=ids)

    def sum(self, values: list[float]) -> list[float]:
        """Each value summed over the processes."""
        return self._reduce(values, dist.ReduceOp.SUM)

    def largest(self, values: list[float]) -> list[float]:
        """Each value's largest over the processes."""
        return self._reduce(values, dist.ReduceOp.MAX)

    def _reduce(self, values: list[float], operation: dist.ReduceOp.RedOpType) -> list[float]:
        if self.count == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor, operation)
        return cast(list[float], tensor.tolist())


def without_exchange(network: nn.Module) -> AbstractContextManager[None]:
    """Within this block gradients are only accumulated; the next backward pass outside exchanges them all."""
    return network.no_sync() if isinstance(network, DistributedDataParallel) else nullcontext()


@contextmanager
def join_processes(device: torch.device) -> Iterator[Processes]:
    """Within this block, this process works with those that torchrun started; alone where it started none.

    Args:
        device: cpu, or cuda: then each process of a machine has the GPU of its LOCAL_RANK.

    Raises:
        UsageError: the machine has fewer GPUs than processes, or a GPU or a device was named that can't be shared.
        PosecliError: the others can't be reached, or one of them ended.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(device)
        return
    device = _own_device(device)
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)
    except (RuntimeError, ValueError) as error:
        raise PosecliError(f"the run's other processes can't be reached ({_first_line(error)})") from None
    # After a failure the group is left as it is: taking it down would wait for processes that are gone.
    try:
        yield Processes(device, dist.get_rank(), count)
    except RunStoppedError:  # all of them did
        dist.destroy_process_group()
        raise
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise PosecliError("another process of this run ended: its own message says why") from None
        raise
    dist.destroy_process_group()


def _own_device(device: torch.device) -> torch.device:
    if device.type == "cpu":
        return device
    if device.type != "cuda" or device.index is not None:
        raise UsageError(f"--device {device}: with several processes use cuda (each gets its own GPU) or cpu")
    local, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local >= gpus:
        raise UsageError(f"process {local} of this machine has no GPU: use --nproc-per-node {gpus}")
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
