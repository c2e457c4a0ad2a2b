"""A metric's figures on the screen and in files: a table like the papers', JSON and CSV."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from posecli.metrics.protocol import Figures, Report


def show_report(report: Report, title: str, *, joints: bool = False) -> None:
    """The figures on standard output: a table on a terminal, tab-separated text in a pipe.

    Args:
        joints: also the rows that have joints for columns.
    """
    first = next(iter(report.values()))
    rows = {name: row for name, row in report.items() if row.keys() == first.keys()}
    totals = {name: row for name, row in report.items() if row.keys() < first.keys()}
    by_joint = {name: row for name, row in report.items() if name not in rows and name not in totals}
    if not sys.stdout.isatty():
        _print_plain(rows | totals, list(first))
        if joints and by_joint:
            _print_plain(_transposed(by_joint), list(by_joint))
        return
    _print_table(rows | totals, list(first), title)
    if joints and by_joint:
        _print_table(_transposed(by_joint), list(by_joint), "")


def write_json(path: Path, report: Report, info: dict[str, Any]) -> None:
    """Every figure, with what was compared; NaN is null."""
    from posecli.formats.atomic import ReplacingFile

    figures = {
        name: {column: None if math.isnan(value) else value for column, value in row.items()}
        for name, row in report.items()
    }
    with ReplacingFile(path) as file:
        file.write(json.dumps(info | figures, indent=2, allow_nan=False, default=str) + "\n")


def write_csv(path: Path, report: Report) -> None:
    """One row a figure (AP, joints, ...), columns for all that any of them has; NaN and what is not there are empty."""
    from posecli.formats.atomic import ReplacingFile

    columns = list(dict.fromkeys(column for row in report.values() for column in row))
    with ReplacingFile(path) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["figure", *columns])
        for name, row in report.items():
            values = [row.get(column, math.nan) for column in columns]
            table.writerow([name, *("" if math.isnan(value) else repr(value) for value in values)])


def _transposed(rows: Report) -> Report:
    """Joints down the side: there are too many for the width of a terminal."""
    names = dict.fromkeys(column for row in rows.values() for column in row)
    return {name: {figure: row.get(name, math.nan) for figure, row in rows.items()} for name in names}


def _cells(row: Figures, columns: list[str]) -> list[str]:
    return [f"{row[column]:.2f}" if column in row else "" for column in columns]


def _print_plain(rows: Report, columns: list[str]) -> None:
    typer.echo("\t".join(["figure", *columns]))
    for name, row in rows.items():
        typer.echo("\t".join([name, *_cells(row, columns)]))


def _print_table(rows: Report, columns: list[str], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, title=title or None,
                  title_justify="left")  # fmt: skip
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for name, row in rows.items():
        table.add_row(name, *_cells(row, columns))
    Console(highlight=False).print(table)
