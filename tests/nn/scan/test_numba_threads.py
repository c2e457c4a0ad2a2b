"""The guard around numba's parallel kernels."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import pytest
import torch

from posecli.errors import PosecliError
from posecli.nn.scan import numba_threads
from posecli.nn.scan.numba_threads import parallel_region


def test_kernels_run_on_as_many_threads_as_torch_and_numba_gets_its_own_number_back() -> None:
    before, torch_threads = numba.get_num_threads(), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with parallel_region():
            assert numba.get_num_threads() == 1
        torch.set_num_threads(10_000)  # more than numba can start
        with parallel_region():
            assert numba.get_num_threads() == numba_threads._most_threads
    finally:
        torch.set_num_threads(torch_threads)
    assert numba.get_num_threads() == before


@pytest.mark.parametrize(("layer", "locked"), [("workqueue", True), ("omp", False), ("tbb", False)])
def test_only_the_layer_that_cannot_stand_it_is_serialised(
    layer: str, locked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba, "threading_layer", lambda: layer)
    with parallel_region():
        assert numba_threads._workqueue_lock.locked() == locked
    assert not numba_threads._workqueue_lock.locked()


def test_a_forked_child_is_told_instead_of_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba, "threading_layer", lambda: "omp")
    monkeypatch.setattr(numba_threads, "_process", -1)  # another process's number
    with pytest.raises(PosecliError, match="spawn"), parallel_region():
        pass


def test_torch_keeps_its_number_of_threads_when_numba_starts_its_own() -> None:
    """In a process of its own: OpenMP, which both use, is told a number when numba's threads start."""
    code = (
        "import torch\n"
        "from posecli.nn.scan.numba_threads import parallel_region\n"
        "torch.set_num_threads(1)\n"
        "torch.get_num_threads()\n"  # torch takes the number over when it first needs it
        "with parallel_region():\n"
        "    pass\n"
        "print(torch.get_num_threads())\n"
    )
    # Numba starts as many threads as there are cores: two at least, so that there is a number to go wrong.
    environment = os.environ | {"NUMBA_NUM_THREADS": "2"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert run.stdout.strip() == "1"
