"""What a worker of Ray loads in place of the networks; it may be told to die. Ray calls set_up() in each process."""

import functools
import os
import signal
from pathlib import Path

import posecli.detect
import posecli.pipeline.options
import posecli.weights.models
from posecli.pipeline.options import Options
from posecli.weights.models import LoadedModel

from .conftest import MiddleModel, OneBox

DEADLY = Path("deadly")  # where it lies, the first worker that gets that far dies, and takes it along
DEADLY_CALL = 5
SECTION = 5


def set_up():
    model, calls = MiddleModel(), 0

    def die():
        nonlocal calls
        calls += 1
        if calls == DEADLY_CALL and DEADLY.exists():
            DEADLY.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    model.on_forward = die
    posecli.weights.models.load_model = lambda name: LoadedModel(model, name, "0")
    posecli.detect.make_detector = lambda *_, **__: OneBox()
    posecli.pipeline.options.Options = functools.partial(Options, section=SECTION)
