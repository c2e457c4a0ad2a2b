"""Reading JSON that others wrote: every value knows its place, so that a wrong one is reported with it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError

INTEGER_LIMIT = 2**53  # what JSON's readers agree on
MOST_BYTES = 1 << 30  # of a file that is read as a whole: COCO's largest have a quarter
FLOAT32_LIMIT = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a JSON file and where it stands ("annotations[3].bbox").

    Every method raises PosecliError, one line with file and place, when the value is not what was asked for.
    """

    value: Any
    file: Path
    place: str = ""

    def fail(self, message: str) -> NoReturn:
        place = f" {self.place}:" if self.place else ""
        raise PosecliError(f"{self.file}:{place} {message}")

    def has(self, key: str) -> bool:
        """Whether this is an object that has the key, with a value that is not null."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def __getitem__(self, key: str) -> Node:
        if not isinstance(self.value, dict):
            self.fail(f"an object expected, found {_kind(self.value)}")
        if key not in self.value:
            self.fail(f'"{key}" is missing')
        return Node(self.value[key], self.file, f"{self.place}.{key}" if self.place else key)

    def items(self) -> Iterator[Node]:
        """The elements of a list, be it in memory or in the file (posecli.formats.json_stream)."""
        if isinstance(self.value, str | dict) or not isinstance(self.value, Iterable):
            self.fail(f"a list expected, found {_kind(self.value)}")
        for i, value in enumerate(self.value):
            yield Node(value, self.file, f"{self.place}[{i}]")

    def single(self) -> Node:
        """The element of a one-element list, as PoseTrack 2017 wraps its values."""
        elements = list(self.items())
        if len(elements) != 1:
            self.fail(f"a list of one element expected, found {len(elements)}")
        return elements[0]

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail(f"a number expected, found {_kind(self.value)}")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or abs(number) > FLOAT32_LIMIT:
            self.fail("the number is too large")
        return number

    def integer(self) -> int:
        number = self.number()
        if number != int(number) or abs(number) > INTEGER_LIMIT:
            self.fail(f"a whole number expected, found {self.value}")
        return int(number)

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.fail(f"a text expected, found {_kind(self.value)}")
        return self.value

    def numbers(self, count: int, *, nulls: bool = False) -> NDArray[np.float64]:
        """A list of count finite numbers; with nulls, null is read as NaN."""
        values = self.value
        if not isinstance(values, list):
            self.fail(f"a list expected, found {_kind(values)}")
        if len(values) != count:
            self.fail(f"{count} numbers expected, found {len(values)}")
        if set(map(type, values)) == {
            float
        }:  # there are millions: a Node only for what is out of the ordinary
            array = np.array(values, np.float64)
            if (np.abs(array) <= FLOAT32_LIMIT).all():
                return array
        return np.array(
            [math.nan if nulls and e.value is None else e.number() for e in self.items()], np.float64
        )


def read_document(path: Path) -> Node:
    """Reads a JSON file.

    Raises:
        PosecliError: there is no such file, or it is not JSON (NaN and Infinity are no JSON either).
    """
    with json_errors(path):
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise PosecliError(f"{path}: more than {MOST_BYTES >> 20} MiB of JSON")
        return Node(json.loads(data, parse_constant=refuse_constant), path)


@contextmanager
def json_errors(path: Path) -> Iterator[None]:
    """What can go wrong in reading a JSON file, as one line.

    Raises:
        PosecliError: it did.
    """
    try:
        yield
    except OSError as error:
        raise PosecliError(f"{path} cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PosecliError(f"{path}: not JSON ({place}: {error.msg})") from error
    except UnicodeDecodeError as error:
        raise PosecliError(f"{path}: not a text file") from error
    except ValueError as error:
        raise PosecliError(f"{path}: not JSON ({error})") from error
    except RecursionError as error:
        raise PosecliError(f"{path}: nested too deeply") from error


def refuse_constant(token: str) -> NoReturn:
    """For json's parse_constant: NaN and Infinity are no JSON."""
    raise ValueError(f"{token} is not a number that JSON knows")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
