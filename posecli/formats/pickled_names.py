"""Names in a pickle, read without unpickling: it is taken apart, and nothing in it is executed.

pandas keeps the names of an HDF5 table's columns in one. Only what such a list needs is understood.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from posecli.errors import PosecliError


def pickled_names(data: Any, path: Path) -> Any:
    """The texts, whole numbers, lists and tuples of a pickle.

    Raises:
        PosecliError: it holds anything else.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for opcode, argument, _ in pickletools.genops(bytes(data)):
            if opcode.name == "STOP":
                return stack[-1]
            _PICKLE[opcode.name](stack, memo, argument)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise PosecliError(f"{path}: the columns' names are in a form that is not read") from error
    raise PosecliError(f"{path}: the columns' names are cut off")


_MARK = object()
_Step = Callable[[list[Any], dict[int, Any], Any], object]


def _since_mark(stack: list[Any]) -> list[Any]:
    place = len(stack) - 1 - stack[::-1].index(_MARK)
    items = stack[place + 1 :]
    del stack[place:]
    return items


def _tuple(stack: list[Any], _: dict[int, Any], __: Any) -> None:
    stack.append(tuple(_since_mark(stack)))


def _list(stack: list[Any], _: dict[int, Any], __: Any) -> None:
    stack.append(_since_mark(stack))


def _append(stack: list[Any], _: dict[int, Any], __: Any) -> None:
    item = stack.pop()
    stack[-1].append(item)


def _appends(stack: list[Any], _: dict[int, Any], __: Any) -> None:
    items = _since_mark(stack)
    stack[-1].extend(items)


def _push(stack: list[Any], _: dict[int, Any], argument: Any) -> None:
    stack.append(argument)


def _put(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    memo[len(memo) if argument is None else int(argument)] = stack[-1]


def _get(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    stack.append(memo[int(argument)])


def _short_tuple(count: int) -> _Step:
    def step(stack: list[Any], _: dict[int, Any], __: Any) -> None:
        stack[-count:] = [tuple(stack[-count:])]

    return step


def _steps(names: Sequence[str], step: _Step) -> dict[str, _Step]:
    return dict.fromkeys(names, step)


_PICKLE: dict[str, _Step] = {
    **_steps(("PROTO", "FRAME"), lambda stack, memo, argument: None),
    **_steps(("MARK",), lambda stack, memo, argument: stack.append(_MARK)),
    **_steps(("EMPTY_LIST",), lambda stack, memo, argument: stack.append([])),
    **_steps(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "INT", "BININT", "BININT1", "BININT2"), _push),
    **_steps(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
    **_steps(("GET", "BINGET", "LONG_BINGET"), _get),
    **_steps(("TUPLE",), _tuple),
    **_steps(("LIST",), _list),
    **_steps(("APPEND",), _append),
    **_steps(("APPENDS",), _appends),
    "TUPLE1": _short_tuple(1),
    "TUPLE2": _short_tuple(2),
    "TUPLE3": _short_tuple(3),
}
