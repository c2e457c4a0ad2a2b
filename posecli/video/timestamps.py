"""Presentation timestamps that can be relied on: one for every frame, strictly increasing."""

from __future__ import annotations

from fractions import Fraction

FALLBACK_RATE = Fraction(25)  # frames a second where nothing says how fast they follow each other


class PresentationClock:
    """Passes good timestamps through untouched and mends missing or repeated ones.

    Args:
        time_base: seconds a tick.
        rate: frames a second, for timestamps that are missing.
        start: the stream's first timestamp by the container's word, in ticks.
    """

    def __init__(self, time_base: Fraction, rate: Fraction | None, start: int | None) -> None:
        self.time_base = time_base
        self.step = max(1, round(1 / ((rate or FALLBACK_RATE) * time_base)))
        self.mended = 0
        self.last: int | None = None
        self._start = start
        self._shift = 0  # ticks, added after the stream's own clock has jumped back

    def stamp(self, pts: int | None) -> int:
        """The frame's timestamp in ticks: its own, or the nearest that keeps the order."""
        stamped = self._stamp(pts)
        if stamped != pts:
            self.mended += 1
        if self.last is None:
            # Leading frames may come before the start that the container states.
            self._start = stamped if self._start is None else min(self._start, stamped)
        self.last = stamped
        return stamped

    def _stamp(self, pts: int | None) -> int:
        if self.last is None:
            return pts if pts is not None else self._start or 0
        if pts is None:
            return self.last + self.step
        pts += self._shift
        if pts > self.last:
            return pts
        one_second = 1 / self.time_base
        if self.last - pts < one_second:
            return self.last + 1
        # The clock started anew (recordings joined end to end): go on from where it was.
        self._shift += self.last + self.step - pts
        return self.last + self.step

    def seconds(self, pts: int) -> float:
        """Seconds from the start of the stream; call after stamp()."""
        return float((pts - (self._start or 0)) * self.time_base)
