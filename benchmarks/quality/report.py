"""The document: its tables between markers, from one JSON of figures.

A block of docs/quality.md that is written by this script stands between `<!-- NAME -->` and `<!-- /NAME -->`; all else
is written by hand and left alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.quality.tables import blocks
from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile

DIGITS = 4


def read_figures(path: Path) -> dict[str, Any]:
    """What was measured before; nothing where there is no file."""
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except ValueError as error:
        raise PosecliError(f"{path}: can't be read as JSON ({error}); remove it to measure anew") from None


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    with ReplacingFile(path) as file:
        json.dump(rounded(figures), file, indent=1, allow_nan=False)
        file.write("\n")


def rounded(value: Any) -> Any:
    """Numbers to DIGITS digits after the point; what could not be measured (NaN) is null."""
    if isinstance(value, Mapping):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    return value


def write_report(docs: Path, figures: dict[str, Any]) -> None:
    """The tables of docs/quality.md and the figures in docs/images.

    Raises:
        PosecliError: the document is not there, or lacks a marker.
    """
    from benchmarks.quality.plots import draw_all

    figures = rounded(figures)
    document = docs / "quality.md"
    if not document.is_file():
        raise PosecliError(f"{document}: there is no such document to write the tables into")
    text = fill(document.read_text("utf-8"), blocks(figures), document)
    with ReplacingFile(document) as file:
        file.write(text)
    draw_all(figures, docs / "images")


def fill(text: str, contents: Mapping[str, str], document: Path) -> str:
    """The text with new contents between the markers of each block.

    Raises:
        PosecliError: a block's markers are missing.
    """
    for name, content in contents.items():
        before, after = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if text.count(before) != 1 or text.count(after) != 1:
            raise PosecliError(
                f"{document}: needs one line <!-- {name} --> and one <!-- /{name} --> after it"
            )
        start, end = text.index(before) + len(before), text.index(after)
        text = f"{text[:start]}{content}\n{text[end:]}"
    return text
