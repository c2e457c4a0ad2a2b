"""What was asked of posecli's speed, and whether it is reached."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.quality.bars import Bar

UPDATES_PER_S = 2e9
BACKWARD = 3.0  # times the forward pass
PEERS = 5.0  # times faster than the same network on another scan
FRAMES_PER_S = {1: 25.0, 4: 10.0}
FIRST_FRAME_S = 6.0
MEMORY = 1.1  # times the shortest clip's
OURS = "numba"
Rows = list[dict[str, Any]]


def bars(results: Mapping[str, Any]) -> list[Bar]:
    """Those whose figures are there."""
    demands = {
        "scan": _scan,
        "windows": _windows,
        "stages": _stages,
        "startup": _startup,
        "memory": _memory,
    }
    return [bar for part, told in demands.items() if part in results for bar in told(results[part]["rows"])]


def growth(rows: Rows, what: str) -> dict[str, float]:
    """By network, the power of the tokens by which a figure grows, between its two largest numbers of tokens."""
    powers = {}
    for network in dict.fromkeys(row["network"] for row in rows):
        known = [row for row in rows if row["network"] == network and row.get(what)]
        if len(known) > 1:
            less, more = known[-2:]
            powers[network] = math.log(more[what] / less[what]) / math.log(more["tokens"] / less["tokens"])
    return powers


def _scan(rows: Rows) -> Iterator[Bar]:
    ours = {row["direction"]: row for row in rows if row["backend"] == OURS}
    rate = ours["forward"]["updates_per_s"]
    yield Bar(
        "scan, state updates a second", f"at least {UPDATES_PER_S:.1e}", f"{rate:.1e}", rate >= UPDATES_PER_S
    )
    times = ours["backward"]["ms"] / ours["forward"]["ms"]
    yield Bar("scan, backward over forward", f"at most {BACKWARD:.1f}", f"{times:.1f}", times <= BACKWARD)


def _windows(rows: Rows) -> Iterator[Bar]:
    peers = [row for row in rows if row["scan"] != OURS]
    for peer in peers:
        what = f"{peer['network']}, times faster than on the scan of {peer['scan']}"
        yield Bar(what, f"at least {PEERS:.0f}", f"{peer['ratio']:.1f}", peer["ratio"] >= PEERS)


def _stages(rows: Rows) -> Iterator[Bar]:
    for row in rows:
        if least := FRAMES_PER_S.get(row["people"]):
            what = f"estimate, people: {row['people']}, {'the defaults' if row['flip'] else '--no-flip'}"
            rate = row["frames_per_s"]
            spread = f"{row['low_frames_per_s']:.1f} to {row['high_frames_per_s']:.1f}"
            yield Bar(what, f"at least {least:.0f} frames/s", f"{rate:.1f}", rate >= least, spread)


def _startup(rows: Rows) -> Iterator[Bar]:
    row = next(row for row in rows if row["run"] == "later" and row["flip"])
    seconds = row["ms"] / 1000
    what, spread = "first frame of a later run", f"{row['low_ms'] / 1000:.1f} to {row['high_ms'] / 1000:.1f}"
    yield Bar(what, f"at most {FIRST_FRAME_S:.0f} s", f"{seconds:.1f}", seconds <= FIRST_FRAME_S, spread)


def _memory(rows: Rows) -> Iterator[Bar]:
    last = rows[-1]
    minutes = [row["clip_seconds"] / 60 for row in (rows[0], last)]
    what = f"peak memory of {minutes[1]:.0f} minutes over {minutes[0]:.0f}"
    times = last["ratio_to_first"]
    yield Bar(what, f"at most {MEMORY:.2f}", f"{times:.2f}", times <= MEMORY)
