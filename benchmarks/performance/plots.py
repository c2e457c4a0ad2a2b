"""The figures of docs/performance.md, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.performance.stages import REST, STAGES
from benchmarks.performance.tables import DRAWN
from benchmarks.performance.tokens import NETWORKS
from benchmarks.quality.plots import SETTINGS, plt, save

Row = dict[str, Any]
# Okabe and Ito's colours (Color Universal Design).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", "#BBBBBB")
MARKERS = ("s", "D", "^")


def draw_all(results: Mapping[str, Any], folder: Path) -> None:
    """Every figure whose numbers are there, as folder/performance_NAME.svg."""
    folder.mkdir(exist_ok=True)
    drawings: tuple[Callable[[list[Row]], Figure], ...] = (scan, windows, tokens, stages)
    with plt.rc_context(SETTINGS):
        for part, draw in zip(DRAWN, drawings, strict=True):
            if part in results:
                save(draw(results[part]["rows"]), folder / f"performance_{part}.svg")


def scan(rows: list[Row]) -> Figure:
    """State updates a second of each scan, forward and backward."""
    names = list(dict.fromkeys(row["backend"] for row in rows))
    figure, axes = plt.subplots(figsize=(6, 0.5 * len(names) + 1))
    for number, direction in enumerate(("forward", "backward")):
        rates = {row["backend"]: row["updates_per_s"] for row in rows if row["direction"] == direction}
        places = [i + 0.4 * (number - 0.5) for i in range(len(names))]
        axes.barh(places, [rates[name] for name in names], 0.38, color=COLOURS[number], label=direction)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("state updates a second")
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False)
    return figure


def windows(rows: list[Row]) -> Figure:
    """Milliseconds an answered frame, of each way to run a window."""
    names = [f"{row['network']}, {row['mode']}, {row['scan']}, {row['precision']}" for row in rows]
    figure, axes = plt.subplots(figsize=(6, 0.3 * len(rows) + 0.8))
    bars = axes.barh(names, [row["ms_per_frame"] for row in rows], color=COLOURS[0])
    axes.bar_label(bars, fmt="%.3g", fontsize=8, padding=2)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("ms an answered frame of one person")
    axes.grid(axis="y", visible=False)
    return figure


def tokens(rows: list[Row]) -> Figure:
    """Time and memory over the tokens, both axes logarithmic: a slope of 1 is linear, one of 2 quadratic."""
    figure, panels = plt.subplots(1, 2, figsize=(8, 3.4))
    for axes, what, title in zip(panels, ("ms", "work_mb"), ("ms a window", "MB for the pass"), strict=True):
        for network, colour, marker in zip(NETWORKS, COLOURS, MARKERS, strict=False):
            known = [row for row in rows if row["network"] == network and what in row]
            axes.plot(
                [row["tokens"] for row in known], [row[what] for row in known],
                marker=marker, color=colour, markersize=5, label=network,
            )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        counts = sorted({row["tokens"] for row in rows})
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.set_xlabel("tokens")
        axes.set_ylabel(title)
    panels[1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.tight_layout()
    return figure


def stages(rows: list[Row]) -> Figure:
    """Milliseconds a frame by stage."""
    names = [f"people: {row['people']}, {'flip test' if row['flip'] else 'no flip test'}" for row in rows]
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(rows) + 1))
    left = [0.0] * len(rows)
    for stage, colour in zip((*STAGES, REST), COLOURS, strict=True):
        widths = [row["stages"][stage] for row in rows]
        axes.barh(names, widths, left=left, color=colour, label=stage)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("ms a frame")
    axes.grid(axis="y", visible=False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure
