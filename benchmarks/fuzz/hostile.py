"""Numbers, texts, encodings and objects that a file should not hold."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

BAD_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e308",
    "-1e308",
    "1e999",
    "9" * 400,
    "9" * 5000,
    "-1",
    "0.5",
    str(2**63),
)
BAD_TEXTS = (
    "../../etc/passwd", "../../secret.txt", "/etc/passwd", "a\0b", "\ud800", "",
    "\N{RIGHT-TO-LEFT OVERRIDE}x", "x" * 100_000,
    "CON", "=1+1", "<script>alert(1)</script></script>", "\x1b[2J",
)  # fmt: skip


def encoded(data: bytes, rng: random.Random) -> bytes:
    """The same text in another encoding, or in none."""
    text = data.decode()
    encodings = ("utf-8-sig", "utf-16", "utf-32", "utf-16-be")
    return rng.choice(
        (text.encode(rng.choice(encodings)), b"\xef\xbb\xbf" * 2 + data, data.replace(b'"', b'"\xff', 3))
    )


class Evil:
    """Its pickle writes a file when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (Path("../secret.txt"), "written by a pickle")
