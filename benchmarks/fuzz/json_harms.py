"""JSON whose values, keys, nesting or length are wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.fuzz.damage import Damage
from benchmarks.fuzz.hostile import BAD_NUMBERS, BAD_TEXTS, encoded

BAD_VALUES: tuple[Any, ...] = (None, True, {}, [], [[]], [None], {"a": 1}, [[[[[]]]]], *BAD_TEXTS)


class Literal:
    """A number as it shall stand in the file, JSON or not."""

    def __init__(self, text: str) -> None:
        self.text = text


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON value and each of its keys."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _edited(data: bytes, rng: random.Random, edit: Callable[[Any, Any, random.Random], None]) -> bytes:
    document = json.loads(data)
    for _ in range(rng.choice((1, 1, 3))):
        container, key = rng.choice(list(_places(document)))
        edit(container, key, rng)
    return _dumped(document)


def _dumped(document: Any) -> bytes:
    """JSON with the literals as they are, and escapes for what UTF-8 has no bytes for."""
    literals: list[str] = []

    def keep(literal: Literal) -> str:
        literals.append(literal.text)
        return f"literal {len(literals) - 1}"

    text = json.dumps(document, default=keep)
    for i, literal in enumerate(literals):
        text = text.replace(f'"literal {i}"', literal)
    return text.encode()


def _bad_number(container: Any, key: Any, rng: random.Random) -> None:
    numbers = [(c, k) for c, k in _places(container) if type(c[k]) in (int, float)]
    container, key = rng.choice(numbers or [(container, key)])
    container[key] = Literal(rng.choice(BAD_NUMBERS))


def _bad_value(container: Any, key: Any, rng: random.Random) -> None:
    container[key] = rng.choice(BAD_VALUES)


def _bad_text(container: Any, key: Any, rng: random.Random) -> None:
    texts = [(c, k) for c, k in _places(container) if isinstance(c[k], str)]
    container, key = rng.choice(texts or [(container, key)])
    container[key] = rng.choice(BAD_TEXTS)


def _missing(container: Any, key: Any, _: random.Random) -> None:
    del container[key]


def _repeated(container: Any, key: Any, rng: random.Random) -> None:
    if isinstance(container[key], list):
        container[key] = container[key] * rng.choice((2, 100))


def _huge_index(container: Any, key: Any, rng: random.Random) -> None:
    """A frame or person whose number claims billions before it."""
    names = (
        "image_id",
        "id",
        "frame_index",
        "frame_id",
        "imgnum",
        "track_id",
        "idx",
        "width",
        "height",
        "image_name",
    )
    found = [(c, k) for c, k in _places(container) if k in names]
    container, key = rng.choice(found or [(container, key)])
    container[key] = rng.choice((10**9, 2**31, 2**53, -(10**9), "1000000000.jpg"))


def _nested(data: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((500, 5000, 200_000))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    return _replaced(data, rng, opening * depth + "1" + closing * depth)


def _endless(data: bytes, rng: random.Random) -> bytes:
    """Long lists and texts, and ones that never end."""
    return _replaced(
        data, rng, rng.choice(("[" + "1," * 500_000, '"' + "x" * 2_000_000, "[" + "0," * 300_000 + "0]"))
    )


def _replaced(data: bytes, rng: random.Random, text: str) -> bytes:
    document = json.loads(data)
    container, key = rng.choice(list(_places(document)))
    container[key] = Literal(text)
    return _dumped(document)


def _twice(data: bytes, rng: random.Random) -> bytes:
    """Keys twice in one object, with another value."""
    text = data.decode()
    at = rng.choice([i for i, character in enumerate(text) if character == "{"])
    key = rng.choice(
        ("images", "annotations", "id", "image_id", "keypoints", "annolist", "people", "file_name")
    )
    return f'{text[: at + 1]}"{key}":{rng.choice(("null", "[]", "7", "[{}]"))},{text[at + 1 :]}'.encode()


def _editing(edit: Callable[[Any, Any, random.Random], None]) -> Damage:
    return lambda data, rng: _edited(data, rng, edit)


JSON_HARMS: dict[str, Damage] = {
    "numbers that are none": _editing(_bad_number),
    "values of another kind": _editing(_bad_value),
    "names that lead elsewhere": _editing(_bad_text),
    "values missing": _editing(_missing),
    "lists repeated": _editing(_repeated),
    "numbers that claim billions": _editing(_huge_index),
    "deep nesting": _nested,
    "endless values": _endless,
    "keys twice": _twice,
    "another encoding": encoded,
}
