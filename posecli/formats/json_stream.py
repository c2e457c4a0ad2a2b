"""Reading large JSON files: the lists at the top are never in memory, only one of their entries at a time.

A file of poses is an object with a few long lists, or one long list. `open_document` goes through it once, which
checks the syntax, and remembers where the lists begin; each is read anew from there whenever it is asked for.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from posecli.formats.document import Node, json_errors, refuse_constant

CHUNK_BYTES = 1 << 16
MOST_CHARACTERS = 1 << 26  # of one entry: a sequence's frame has thousands
MOST_MEMBERS = 10_000  # of the object at the top
NUMBER_TAIL = 3  # characters after which a number that seemed to end may have gone on

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_constant=refuse_constant)


class StreamedList:
    """A list in a file, parsed entry by entry each time that it is gone through."""

    def __init__(self, path: Path, offset: int) -> None:
        self.path = path
        self.offset = offset  # bytes before its bracket

    def __iter__(self) -> Iterator[Any]:
        with json_errors(self.path), self.path.open("rb") as file:
            file.seek(self.offset)
            yield from _Parser(file, self.path).elements()


def open_document(path: Path) -> Node:
    """Like read_document, except that lists at the top (of the object, or the whole) stay in the file.

    Raises:
        PosecliError: there is no such file, or it is not JSON (NaN and Infinity are no JSON either).
    """
    with json_errors(path), path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        parser = _Parser(file, path)
        value = parser.document()
        if parser.peek():
            parser.fail("nothing more expected")
        return Node(value, path)


class _Parser:
    """A window of text that moves over the file; the values in it are parsed by the standard library."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text, self._at = "", 0
        self._offset = file.tell()  # bytes before the window
        self._line, self._column = 0, 0  # of its first character
        self._is_at_end = False

    def document(self) -> Any:
        first = self.peek()
        if first == "{":
            return self._object()
        return self._skipped_list() if first == "[" else self._value()

    def _object(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self._expect("{")
        if self.peek() == "}":
            self._at += 1
            return members
        while True:
            if len(members) == MOST_MEMBERS:
                self.fail(f"more than {MOST_MEMBERS} members at the top")
            if self.peek() != '"':
                self.fail("a name in quotes expected")
            name = self._value()
            self._expect(":")
            members[name] = self._skipped_list() if self.peek() == "[" else self._value()
            if self._expect(",}") == "}":
                return members

    def _skipped_list(self) -> StreamedList:
        offset = self._offset + len(self._text[: self._at].encode())
        for _ in self.elements():
            pass
        return StreamedList(self._path, offset)

    def elements(self) -> Iterator[Any]:
        """The values of a list, and past its end."""
        self._expect("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._expect(",]") == "]":
                return

    def peek(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            if match := _SPACE.match(self._text, self._at):
                self._at = match.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_at_end:
                return ""
            self._read(CHUNK_BYTES)

    def _expect(self, characters: str) -> str:
        found = self.peek()
        if not found or found not in characters:
            self.fail(f"{' or '.join(characters)} expected")
        self._at += 1
        return found

    def _value(self) -> Any:
        size = CHUNK_BYTES
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                if end <= len(self._text) - NUMBER_TAIL or self._is_at_end:  # else it may go on: 12 of 12e+3
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                if self._is_at_end or len(self._text) - self._at > MOST_CHARACTERS:
                    self.fail(error.msg, error.pos)
            except ValueError as error:  # NaN, or a number of thousands of digits
                self.fail(str(error))
            if len(self._text) - self._at > MOST_CHARACTERS:
                self.fail(f"an entry of more than {MOST_CHARACTERS} characters")
            self._read(size)
            size *= 2  # an entry is parsed again from its start: so that is not done often

    def _read(self, size: int) -> None:
        data = self._file.read(size)
        self._is_at_end = not data
        past, rest = self._text[: self._at], self._text[self._at :]
        self._offset += len(past.encode())
        self._line, self._column = self._place(self._at)
        self._text, self._at = rest + self._decode(data, self._is_at_end), 0

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column of a character of the window, from 0."""
        lines = self._text.count("\n", 0, at)
        if lines:
            return self._line + lines, at - self._text.rfind("\n", 0, at) - 1
        return self._line, self._column + at

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        line, column = self._place(self._at if at is None else at)
        raise ValueError(f"line {line + 1}, column {column + 1}: {message}")
