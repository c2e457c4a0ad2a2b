"""Which sample of which dataset goes into which training step.

The order is a function of the seed alone, and every sample's random numbers are a function of the seed, the step and
the place in the batch: so a resumed run sees what an unbroken one would have seen, whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator


@dataclass(frozen=True, slots=True)
class Key:
    """Names one sample of one step; a dataset's __getitem__ takes it."""

    dataset: int
    index: int
    step: int
    slot: int  # place in the batch


class Mixture:
    """An endless sequence of batches over several datasets (a PyTorch batch sampler).

    Args:
        lengths: size of each dataset.
        shares: share of each dataset in the samples, summing to one.
        batch: samples a step.
        seed: fixes the whole sequence.
        first_step: where to begin; the steps before it are passed over.
        last_step: where to stop (not included).
    """

    def __init__(
        self,
        lengths: Sequence[int],
        shares: Sequence[float],
        batch: int,
        seed: int,
        first_step: int,
        last_step: int,
    ) -> None:
        self._lengths, self._batch, self._seed = lengths, batch, seed
        self._shares = np.asarray(shares, np.float64) / np.sum(shares)
        self._first_step, self._last_step = first_step, last_step

    def __len__(self) -> int:
        return self._last_step - self._first_step

    def __iter__(self) -> Iterator[list[Key]]:
        streams = [_shuffled(length, (self._seed, i)) for i, length in enumerate(self._lengths)]
        chooser = np.random.default_rng((self._seed, len(streams)))
        for step in range(self._last_step):
            chosen = chooser.choice(len(streams), self._batch, p=self._shares)
            keys = [Key(int(d), next(streams[d]), step, slot) for slot, d in enumerate(chosen)]
            if step >= self._first_step:
                yield keys


def sample_rng(seed: int, key: Key) -> Generator:
    """The random numbers of one sample."""
    return np.random.default_rng((seed, key.step, key.slot))


def _shuffled(length: int, seed: tuple[int, int]) -> Iterator[int]:
    rng = np.random.default_rng(seed)
    while True:
        yield from rng.permutation(length).tolist()
