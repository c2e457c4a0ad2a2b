"""Random numbers of a step: a function of the seed, the step and the process, as the data's order is.

So a checkpoint has no generator's state to keep, and a resumed run draws what an unbroken one would have drawn,
whatever was drawn in between by an evaluation, or by a step that a kill cut off.
"""

from __future__ import annotations

import random

import numpy as np
import torch

MODEL_STEP = -1  # stands for the time before the first step, when the model is made


def seed_step(seed: int, step: int, rank: int = 0) -> None:
    """Seed every global generator (Python's, NumPy's, PyTorch's on the CPU and on all GPUs) for a step.

    Args:
        step: from 0, or MODEL_STEP.
        rank: of this process among those that share the step: each draws its own.
    """
    words = np.random.SeedSequence((seed, step - MODEL_STEP, rank)).generate_state(2, np.uint64)
    random.seed(int(words[0]))
    np.random.seed(int(words[0] & np.uint64(0xFFFFFFFF)))
    torch.manual_seed(int(words[1]))
