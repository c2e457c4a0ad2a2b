"""Which device a network runs on, in which precision, and with how many threads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from posecli.errors import PosecliError
from posecli.memory import keep_freed_memory

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "fp32", "bf16"]


def pick_device(name: str) -> torch.device:
    """The device that a user asked for: auto, cpu, cuda, cuda:N or mps.

    Raises:
        PosecliError: there is no such device here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise PosecliError(f"--device {name}: no such device; use auto, cpu, cuda:N or mps") from None
    if device.type == "cuda":
        _check_cuda(name, device.index)
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise PosecliError(f"--device {name}: this machine has no MPS; use cpu")
    elif device.type not in ("cpu", "mps"):
        raise PosecliError(f"--device {name}: not supported; use auto, cpu, cuda:N or mps")
    return device


def _check_cuda(name: str, index: int | None) -> None:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise PosecliError(
            f"--device {name}: no CUDA GPU was found; use cpu, or check the driver with nvidia-smi"
        )
    if index is not None and index >= count:
        raise PosecliError(f"--device {name}: there are {count} GPUs here, cuda:0 to cuda:{count - 1}")


def prefers_bf16(device: torch.device) -> bool:
    """Whether networks run faster under bf16 autocast: on a CPU by a trial, on CUDA by what the card can do."""
    if device.type == "cuda":
        import torch

        return torch.cuda.is_bf16_supported()
    if device.type == "cpu":
        from posecli.bf16 import bf16_pays

        return bf16_pays()
    return False


def use_threads(count: int) -> None:
    """Limits the CPU threads of the networks and of OpenCV; 0 leaves it to them. Call it before PyTorch is imported.

    Readies the process for networks on a CPU otherwise too: waiting threads sleep, freed memory is kept.
    """
    keep_freed_memory()
    # OpenMP's threads spin while they wait. Asleep they cost a few per cent on an idle machine, and save more than
    # half of the time on one that does something else too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not count:
        return
    import cv2
    import torch

    torch.set_num_threads(count)  # numba's kernels follow it
    cv2.setNumThreads(count)
