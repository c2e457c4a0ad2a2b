"""Tables of text (CSV, TRC) with cells and lines that cannot be."""

from __future__ import annotations

import random

from benchmarks.fuzz.damage import Damage
from benchmarks.fuzz.hostile import BAD_NUMBERS, BAD_TEXTS, encoded


def _bad_cells(data: bytes, rng: random.Random) -> bytes:
    lines = data.decode().split("\n")
    separator = "\t" if "\t" in lines[0] else ","
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.randrange(len(lines))
        cells = lines[at].split(separator)
        cells[rng.randrange(len(cells))] = rng.choice((*BAD_NUMBERS, *BAD_TEXTS, '"', '"a\nb"', str(10**9)))
        lines[at] = separator.join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _bad_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    line = rng.choice((b"", b"," * 500_000, b'"', lines[0], lines[at] * 3, b"\0" * 100, b"x" * 3_000_000))
    return b"\n".join([*lines[:at], line, *lines[at + rng.randrange(2) :]])


TABLE_HARMS: dict[str, Damage] = {
    "cells that cannot be": _bad_cells,
    "lines that cannot be": _bad_lines,
    "another encoding": encoded,
}
