"""Ctrl-C on what has no end by itself: it ends then, and what was made of it is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posecli.video import Source


@contextmanager
def ended_by_interrupt(video: Source) -> Iterator[None]:
    """Within this block the first Ctrl-C stops a stream or camera; the second interrupts, as ever."""
    if video.files or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        video.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
