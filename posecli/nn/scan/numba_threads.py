"""Running numba's parallel kernels inside a PyTorch program. Every parallel kernel of the package goes
through here."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import numba
import torch

from posecli.errors import PosecliError

_most_threads: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_workqueue_lock = threading.Lock()
_process: int | None = None  # the one whose threads run the kernels


@contextlib.contextmanager
def parallel_region() -> Iterator[None]:
    """Run the body's parallel kernels on as many threads as torch uses, from any thread.

    Of numba's threading layers, tbb and omp allow calls from several threads at once, but workqueue, which is
    left where neither is installed, aborts the process: there the body is serialised. GNU's OpenMP aborts in
    a forked child of a process that has used it: PosecliError instead.
    """
    global _process
    threads = torch.get_num_threads()
    previous = numba.get_num_threads()  # starts the threads at the first call, which settles the layer
    if torch.get_num_threads() != threads:  # and tells OpenMP, which torch shares, to use all cores
        torch.set_num_threads(threads)
    layer = numba.threading_layer()
    if _process is None:
        _process = os.getpid()
    elif layer == "omp" and _process != os.getpid():
        raise PosecliError(
            "numba's kernels cannot run in a forked process: start it with the method 'spawn', or set"
            " NUMBA_THREADING_LAYER=workqueue"
        )
    numba.set_num_threads(min(threads, _most_threads))
    try:
        with _workqueue_lock if layer == "workqueue" else contextlib.nullcontext():
            yield
    finally:
        numba.set_num_threads(previous)
