"""People's names, as a user gives them."""

from __future__ import annotations

from pathlib import Path

from posecli.errors import PosecliError, UsageError


def read_names(text: str) -> dict[int, str]:
    """Track id -> name.

    Args:
        text: 1=Ann,2=Bob, or the path of a text file with one such pair a line. Blank lines and those that begin
            with # do not count.

    Raises:
        UsageError: it is neither, or an id is named twice.
        PosecliError: the file cannot be read.
    """
    path = Path(text)
    if not path.is_file():
        if "=" not in text:
            raise UsageError(f"--names {text}: no such file, and no names such as 1=Ann,2=Bob")
        return _parse(text.split(","), "--names")
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise PosecliError(f"{path} cannot be read: {reason}") from error
    return _parse([line for line in lines if not line.lstrip().startswith("#")], str(path))


def _parse(pairs: list[str], where: str) -> dict[int, str]:
    names: dict[int, str] = {}
    for pair in filter(str.strip, pairs):
        track_id, _, name = (part.strip() for part in pair.partition("="))
        if not (track_id.isascii() and track_id.isdigit()) or not name.isprintable() or not name:
            raise UsageError(
                f"{where}: {pair.strip()[:60]!r} is no name: write the track's id, = and the name"
            )
        if int(track_id[:18]) in names:
            raise UsageError(f"{where}: track {track_id} has two names")
        names[int(track_id[:18])] = name
    return names
