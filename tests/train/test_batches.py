"""How a step's batch is divided."""

import pytest
import torch

from posecli.data.mixture import Mixture
from posecli.errors import UsageError
from posecli.train.batches import BatchParts, to_device
from posecli.train.distributed import Processes

CPU = torch.device("cpu")


def parts(batch, accumulate, rank=0, count=1):
    mixture = Mixture([9, 5], [0.7, 0.3], batch, 3, 0, 4)
    return list(BatchParts(mixture, batch, accumulate, Processes(CPU, rank, count)))


@pytest.mark.parametrize(("accumulate", "count"), [(1, 1), (2, 1), (1, 3), (2, 3), (7, 1)])
def test_parts_of_all_processes_are_the_batch(accumulate, count):
    """Every sample once, with the place in the batch that it has where nothing is divided."""
    whole = parts(7, 1)
    divided = [parts(7, accumulate, rank, count) for rank in range(count)]
    for step, keys in enumerate(whole):
        mine = slice(step * accumulate, (step + 1) * accumulate)
        together = [key for process in divided for part in process[mine] for key in part]
        assert sorted(together, key=lambda key: key.slot) == keys
        sizes = {len(part) for process in divided for part in process[mine]}
        assert max(sizes) - min(sizes) <= 1


def test_too_many_parts_are_refused():
    with pytest.raises(UsageError, match="a batch of 5 can't be divided into 6 parts"):
        parts(5, 2, 0, 3)


def test_what_is_no_tensor_goes_along():
    batch = {"x": torch.ones(2), "names": ["a"], "inner": {"y": torch.zeros(1)}}
    moved = to_device(batch, torch.device("meta"))
    assert moved["x"].is_meta
    assert moved["inner"]["y"].is_meta
    assert moved["names"] == ["a"]
