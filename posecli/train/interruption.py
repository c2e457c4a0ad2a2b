"""Being told to end (Ctrl-C, a cluster's SIGTERM, a closed terminal) without leaving a step half done."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeVar

from posecli.errors import PosecliError

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
# A terminal and torchrun, or a scheduler and torchrun, may both pass the same wish on: only one that comes later than
# this is a second one.
SAME_WISH_SECONDS = 3.0

Result = TypeVar("Result")


class RunStoppedError(PosecliError):
    """The run was told to end and did, its state safe on disk; the exit code is 128 + the signal's number."""

    def __init__(self, folder: Path, step: int, number: int) -> None:
        super().__init__(f"stopped after step {step}, which {folder} keeps: go on with --resume")
        self.exit_code = 128 + number


class Interruption:
    """Within this block signals to end are noted in `number` (0: none came) for the loop to look at.

    A second one, later, does what it would have done without this. Signals that are ignored stay ignored (nohup);
    outside of the main thread, where Python handles no signals, nothing is changed.
    """

    def __init__(self) -> None:
        self.number = 0
        self._noted_at = 0.0
        self._is_breaking = False
        self._earlier: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for name in SIGNALS:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._earlier[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def attempt(self, work: Callable[[], Result]) -> Result | None:
        """What the work returns, or None if a signal came: work that may be left at any point ends at once."""
        if self.number:
            return None
        self._is_breaking = True
        try:
            return work()
        except KeyboardInterrupt:
            if not self.number:
                raise
            return None
        finally:
            self._is_breaking = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number and time.monotonic() - self._noted_at > SAME_WISH_SECONDS:
            earlier = self._earlier[number]
            if callable(earlier):
                earlier(number, frame)
            else:  # the system's own: ends the process
                signal.signal(number, earlier)
                signal.raise_signal(number)
            return
        if not self.number:
            self.number, self._noted_at = number, time.monotonic()
        if self._is_breaking:
            raise KeyboardInterrupt
