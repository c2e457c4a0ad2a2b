"""The document: docs/performance.md's tables and figures, from the JSON files of the parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.quality.report import fill, read_figures
from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile

PARTS = ("scan", "encoder", "windows", "table7", "stages", "startup", "memory")


def read_results(folder: Path) -> dict[str, Any]:
    """The figures of each part that was measured."""
    results = {part: read_figures(folder / f"{part}.json") for part in PARTS}
    return {part: figures for part, figures in results.items() if figures}


def write_report(docs: Path, results: dict[str, Any]) -> None:
    """The tables of docs/performance.md and the figures in docs/images.

    Raises:
        PosecliError: the document is not there, or lacks a marker.
    """
    from benchmarks.performance.plots import draw_all
    from benchmarks.performance.tables import blocks

    document = docs / "performance.md"
    if not document.is_file():
        raise PosecliError(f"{document}: there is no such document to write the tables into")
    text = fill(document.read_text("utf-8"), blocks(results), document)
    with ReplacingFile(document) as file:
        file.write(text)
    draw_all(results, docs / "images")
