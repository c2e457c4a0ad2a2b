"""Whether bf16 pays on this CPU: a trial finds out, once a machine, and the user's cache folder keeps the answer.

Kept, because a result tells its precision: what is resumed, or done a second time, has to get the same one.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from posecli.config import user_folder
from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile

FILE = "bf16.json"
TRIALS = 5

# Shapes: B pictures, C channels, H and W height and width.


@cache
def bf16_pays() -> bool:
    """Whether the networks run faster under bf16 autocast on this CPU."""
    path, key = user_folder("cache") / FILE, _machine()
    known = _read(path)
    if key not in known:
        float32_s, bf16_s = trial()
        known[key] = bf16_s < float32_s
        _write(path, known)
    return known[key]


def trial() -> tuple[float, float]:
    """CPU seconds of a block like those of the light encoder, in float32 and under bf16 autocast.

    Best of some turns. CPU time over all threads, as the wall's depends on what else the machine does.
    """
    run = _block()
    taken: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(1 + TRIALS):  # the first of each prepares kernels
        for bf16, seconds in taken.items():
            started = time.process_time()
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                run()
            seconds.append(time.process_time() - started)
    return min(taken[False]), min(taken[True])


def _block() -> Callable[[], Tensor]:
    """1x1 to six times the channels, 5x5 depthwise, 1x1 back: most of an EfficientNet's work is of this kind."""
    channels, hidden = 40, 240
    shapes = ((8, channels, 32, 24), (hidden, channels, 1, 1), (hidden, 1, 5, 5), (channels, hidden, 1, 1))
    x_BCHW, expand, depthwise, project = (
        torch.ones(shape).to(memory_format=torch.channels_last) for shape in shapes
    )

    def run() -> Tensor:
        wide_BCHW = F.relu6(F.conv2d(x_BCHW, expand))
        return F.conv2d(F.relu6(F.conv2d(wide_BCHW, depthwise, padding=2, groups=hidden)), project)

    return run


def processor_name() -> str:
    """The processor's name; Linux tells it only in a file."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _machine() -> str:
    """What the answer depends on: a home folder may be shared by machines."""
    return f"{processor_name()}, {torch.backends.cpu.get_cpu_capability()}, PyTorch {torch.__version__}"


def _read(path: Path) -> dict[str, bool]:
    """Earlier answers; none where the file is missing or damaged."""
    with suppress(OSError, ValueError):
        known = json.loads(path.read_text("utf-8"))
        if isinstance(known, dict):
            return {str(key): answer for key, answer in known.items() if isinstance(answer, bool)}
    return {}


def _write(path: Path, known: dict[str, bool]) -> None:
    """For the next time, if that is possible: without it the trial is made again."""
    with suppress(OSError, PosecliError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with ReplacingFile(path) as file:
            json.dump(known, file, indent=1)
            file.write("\n")
