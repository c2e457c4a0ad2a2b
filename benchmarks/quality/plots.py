"""The figures of docs/quality.md, as SVG: colours of Okabe and Ito (Color Universal Design), each with a marker."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.quality.networks import ENCODER, FLIPPED, GSM, THUNDER, WHOLE
from benchmarks.quality.tables import DETECTORS, METHODS

Row = dict[str, Any]
STYLE = {  # colour, marker, its size: they stay visible where they lie on each other
    ENCODER: ("#56B4E9", "o", 9),
    GSM: ("#009E73", "^", 7),
    WHOLE: ("#0072B2", "s", 3.5),
    FLIPPED: ("#CC79A7", "v", 4.5),
    THUNDER: ("#E69F00", "D", 4.5),
    "labels": ("#000000", "x", 5),
}
HOLLOW = (ENCODER, GSM)
NAMES = METHODS | {"labels": "the labels"}
SETTINGS: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "svg.hashsalt": "posecli",  # the same figures make the same files
}


def draw_all(figures: Row, folder: Path) -> None:
    """Every figure whose numbers are there, as folder/quality_NAME.svg."""
    folder.mkdir(exist_ok=True)
    drawings: dict[str, tuple[bool, Callable[[Row], Figure]]] = {
        "detector": ("detection" in figures, detector),
        "sources": ("sources" in figures, sources),
        "joints": ("human" in figures, joints),
        "degraded": ("degraded" in figures, degraded),
        "differences": ("degraded" in figures and "human" in figures, differences),
        "jitter": ("clean" in figures, jitter),
        "switches": ("switches" in figures, switches),
    }
    with plt.rc_context(SETTINGS):
        for name, (is_measured, draw) in drawings.items():
            if is_measured:
                save(draw(figures), folder / f"quality_{name}.svg")


def save(figure: Figure, path: Path) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    figure.savefig(part, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    part.replace(path)


def detector(figures: Row) -> Figure:
    columns = {"ap50": "AP50", "recall_small": "small", "recall_medium": "medium", "recall_large": "large",
               "recall_tall": "taller than\na quarter"}  # fmt: skip
    figure, axes = plt.subplots(figsize=(6, 3))
    rows = [row for row in figures["detection"] if row["data"] == "pictures"]
    width = 0.8 / len(rows)
    for number, (row, method) in enumerate(zip(rows, (WHOLE, THUNDER), strict=False)):
        places = [i + (number - (len(rows) - 1) / 2) * width for i in range(len(columns))]
        bars = axes.bar(
            places, [_percent(row[c]) for c in columns], width * 0.95,
            color=STYLE[method][0], label=DETECTORS[row["detector"]],
        )  # fmt: skip
        axes.bar_label(bars, fmt="%.0f", fontsize=8)
    axes.set_xticks(range(len(columns)), list(columns.values()))
    axes.set_ylabel("AP50, and recall by size, %")
    axes.grid(axis="x", visible=False)
    _legend(axes)
    return figure


def sources(figures: Row) -> Figure:
    rows = figures["sources"]
    figure, axes = plt.subplots(figsize=(6.5, 0.3 * len(rows) + 1))
    _dots(axes, rows, [f"{row['source']} ({row['labels']})" for row in rows])
    _legend(axes)
    return figure


def joints(figures: Row) -> Figure:
    figure, both = plt.subplots(1, 2, figsize=(8, 3.5), sharex=True, sharey=True)
    for axes, name in zip(both, ("human", "agreement"), strict=True):
        rows = figures[name]["joints"]
        _dots(axes, rows, [row["joint"] for row in rows])
    both[0].set_title("labels of people", fontsize=9)
    both[1].set_title("labels of Thunder (agreement)", fontsize=9)
    _legend(both[1])
    return figure


def degraded(figures: Row) -> Figure:
    kinds = figures["degraded"]
    figure, panels = plt.subplots(
        1, len(kinds), figsize=(2.4 * len(kinds) + 2, 3.8), sharex=True, sharey=True
    )
    for axes, (kind, one) in zip(panels, kinds.items(), strict=True):
        _dots(axes, one["clips"], [row["source"] for row in one["clips"]])
        axes.set_title(kind, fontsize=9)
    _legend(panels[-1])
    return figure


def differences(figures: Row) -> Figure:
    """What the whole model has over its encoder and over Thunder, with 95 % intervals."""
    rows = {"human-labelled people": figures["human"], "clips: clean": figures["clean"]}
    rows |= {f"clips: {kind}": one for kind, one in figures["degraded"].items()}
    others = [other for other in (ENCODER, THUNDER) if other in figures["clean"]["difference"]]
    figure, panels = plt.subplots(
        1, len(others), figsize=(3.3 * len(others) + 1.4, 2.8), sharey=True, squeeze=False
    )
    for axes, other in zip(panels[0], others, strict=True):
        for place, row in enumerate(rows.values()):
            gap = {name: 100 * row["difference"][other][name] for name in ("value", "low", "high")}
            spread = [[gap["value"] - gap["low"]], [gap["high"] - gap["value"]]]
            axes.errorbar(
                gap["value"], place, xerr=spread, color=STYLE[WHOLE][0], marker=STYLE[WHOLE][1], capsize=3
            )
        axes.axvline(0, color="#000000", linewidth=0.8)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_xlabel(f"whole model minus {NAMES[other]},\npoints of PCK@0.1")
    panels[0][0].invert_yaxis()
    return figure


def jitter(figures: Row) -> Figure:
    kinds = {"clean": figures["clean"]} | dict(figures.get("degraded", {}))
    methods = [name for name in NAMES if name in figures["clean"]["jitter"]]
    figure, axes = plt.subplots(figsize=(1.1 * len(kinds) + 2, 3))
    width = 0.85 / len(methods)
    for number, method in enumerate(methods):
        places = [i + (number - (len(methods) - 1) / 2) * width for i in range(len(kinds))]
        heights = [1000 * one["jitter"][method] for one in kinds.values()]
        axes.bar(places, heights, width * 0.95, color=STYLE[method][0], label=NAMES[method])
    axes.set_xticks(range(len(kinds)), list(kinds))
    axes.set_ylabel("second difference,\nthousandths of the box height")
    axes.grid(axis="x", visible=False)
    _legend(axes)
    return figure


def switches(figures: Row) -> Figure:
    rows = figures["switches"]
    figure, axes = plt.subplots(figsize=(6, 0.3 * len(rows) + 0.8))
    bars = axes.barh(
        [row["clip"] for row in rows], [row["switches_per_minute"] for row in rows], color=STYLE[WHOLE][0]
    )
    axes.bar_label(bars, fmt="%.0f", fontsize=8, padding=2)
    axes.invert_yaxis()
    axes.set_xlabel("identity switches a minute")
    axes.grid(axis="y", visible=False)
    return figure


def _dots(axes: Axes, rows: Sequence[Row], names: Sequence[str]) -> None:
    """PCK@0.1 of every method, one line a row, the first on top."""
    for method in (name for name in NAMES if name in rows[0]["pck"]):
        colour, marker, size = STYLE[method]
        axes.plot(
            [_percent(row["pck"][method][0]) for row in rows],
            range(len(rows)),
            marker,
            color=colour,
            markersize=size,
            fillstyle="none" if method in HOLLOW else "full",
            label=NAMES[method],
        )
    axes.set_yticks(range(len(rows)), list(names))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("PCK@0.1, %")


def _legend(axes: Axes) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _percent(share: float | None) -> float:
    return float("nan") if share is None else 100 * share
