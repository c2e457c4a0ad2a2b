"""Damage to the bytes of a file, of whatever kind it is."""

from __future__ import annotations

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 4, 30, 300))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def flip_early_bits(data: bytes, rng: random.Random) -> bytes:
    """Headers mostly stand at the start."""
    start = min(len(data), 256)
    return flip_bits(data[:start], rng) + data[start:]


def cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def remove_part(data: bytes, rng: random.Random) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + data[end:]


def splice(data: bytes, rng: random.Random) -> bytes:
    """A part of the file once more in another place."""
    start, end = _part(data, rng)
    at = rng.randrange(len(data))
    return data[:at] + data[start:end] + data[at:]


def zero_part(data: bytes, rng: random.Random) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def noise_part(data: bytes, rng: random.Random) -> bytes:
    start, end = _part(data, rng)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def extreme_number(data: bytes, rng: random.Random) -> bytes:
    """Sizes, counts and offsets are integers of two or four bytes: some become the smallest or largest."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 2, 8))):
        width = rng.choice((2, 4))
        at = rng.randrange(max(1, min(len(data), 2048) - width))
        value = rng.choice(EXTREMES) & ((1 << 8 * width) - 1)
        damaged[at : at + width] = value.to_bytes(width, rng.choice(("big", "little")))
    return bytes(damaged)


DAMAGES: dict[str, Damage] = {
    "bits flipped": flip_bits,
    "bits of the header flipped": flip_early_bits,
    "cut off": cut_off,
    "a part removed": remove_part,
    "a part spliced in elsewhere": splice,
    "a part zeroed": zero_part,
    "a part noise": noise_part,
    "extreme numbers in the header": extreme_number,
}


def _part(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, min(len(data), start + rng.choice((1, 16, 200, 4000)))
