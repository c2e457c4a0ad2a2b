"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch

from posecli.bf16 import processor_name
from posecli.device import prefers_bf16


def machine() -> dict[str, Any]:
    """Processor, cores, threads, versions, and how busy the machine is."""
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "bf16": prefers_bf16(torch.device("cpu")),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,  # processes that run or wait
    }
