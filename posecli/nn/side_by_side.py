"""Two batches through one network at the same time.

On a CPU, PyTorch divides every layer among all cores, and they wait for each other at its end. Two threads, each with a
batch of its own and half of the cores, wait less: two cores were a tenth to a fifth faster with the flip test, and a
quarter where another program took some of their time (docs/streaming.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

import torch


class OnDevice(Protocol):
    """A tensor, or several on one device."""

    @property
    def device(self) -> torch.device: ...


Batch = TypeVar("Batch", bound=OnDevice)
Answer = TypeVar("Answer")


def both(network: Callable[[Batch], Answer], first: Batch, second: Batch) -> tuple[Answer, Answer]:
    """network(first) and network(second): at once on a CPU of several cores, one after the other elsewhere.

    With gradients they are one after the other as well: autograd has threads of its own.
    """
    threads = torch.get_num_threads()
    if first.device.type != "cpu" or threads == 1 or torch.is_grad_enabled():
        return network(first), network(second)
    modes = _Modes()
    with _num_threads(threads - threads // 2), ThreadPoolExecutor(1, "posecli-second") as helper:
        other = helper.submit(modes.run, threads // 2, network, second)
        return network(first), other.result()


class _Modes:
    """What PyTorch keeps for each thread, as it is in the one that makes this."""

    def __init__(self) -> None:
        self._inference = torch.is_inference_mode_enabled()
        self._autocast = torch.is_autocast_enabled("cpu")
        self._dtype = torch.get_autocast_dtype("cpu")

    def run(self, threads: int, network: Callable[[Batch], Answer], batch: Batch) -> Answer:
        """network(batch) in another thread, on so many cores."""
        with (
            torch.no_grad(),
            torch.inference_mode(self._inference),
            torch.autocast("cpu", self._dtype, enabled=self._autocast),
            _num_threads(threads),
        ):
            return network(batch)


@contextmanager
def _num_threads(count: int) -> Iterator[None]:
    """The calling thread's share of the cores; another thread keeps its own."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
