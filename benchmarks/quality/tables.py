"""The tables of docs/quality.md, as Markdown, from the figures of the JSON.

Shares are told in per cent, differences in points of a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.quality.bars import bars
from benchmarks.quality.detection import NANODET, OURS
from benchmarks.quality.networks import ENCODER, FLIPPED, GSM, THUNDER, WHOLE
from posecli.metrics.pck import THRESHOLDS

Row = dict[str, Any]
METHODS = {
    ENCODER: "encoder alone",
    GSM: "+ GSM",
    WHOLE: "+ LRM (whole)",
    FLIPPED: "+ flip test",
    THUNDER: "Thunder",
}
MINUENDS = {
    "difference": "whole model",
    "flipped_difference": "with the flip test",
}  # what others are taken from
DETECTORS = {OURS: "embedded", NANODET: "NanoDet"}
DATA = {"pictures": "validation pictures", "rendered": "rendered scenes"}
NONE = "-"


def blocks(figures: Row) -> dict[str, str]:
    """The content of each marked block whose figures are there."""
    made = {"model": _model(figures), "bars": bars_table(figures)}
    if "detection" in figures:
        made["detector"] = detector_table(figures["detection"])
    if "sources" in figures:
        made["sources"] = pck_table(
            figures["sources"], {"source": "source", "labels": "labels", "people": "people"}
        )
        made["joints-human"] = pck_table(_with_all(figures["human"]), {"joint": "joint"})
        made["joints-teacher"] = pck_table(_with_all(figures["agreement"]), {"joint": "joint"})
        made["human"] = difference_table({"human-labelled people": figures["human"]})
    kinds = _kinds(figures)
    if kinds:
        made["degraded"] = pck_table(_subsets(kinds), {"kind": "frames", "part": "which"})
        made["differences"] = difference_table(_with_harmed(kinds))
        made["degraded-clips"] = clips_table(kinds)
        made["jitter"] = jitter_table(kinds)
    if "switches" in figures:
        made["switches"] = switches_table(figures["switches"])
    return made


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"


def points(share: float | None) -> str:
    """A difference, with its sign."""
    return NONE if share is None else f"{100 * share:+.1f}"


def _model(figures: Row) -> str:
    model = figures.get("model")
    if model is None:
        return "Nothing was measured yet."
    frames = "all frames" if figures["every"] == 1 else f"ten frames of every {10 * figures['every']}"
    gsm = "a model trained without LRM" if model["gsm_only"] else "the same model, its LRM blocks left out"
    text = f'{model["name"]}, sha256 {model["sha256"][:12]}; {frames} of each clip; "+ GSM" is {gsm}.'
    other = figures.get("degraded_model")
    return (
        text if other is None or other == model else f"{text} Degraded clips: sha256 {other['sha256'][:12]}."
    )


def bars_table(figures: Row) -> str:
    rows = [
        [bar.what, bar.asked, bar.measured, bar.interval or NONE, "yes" if bar.met else "**no**"]
        for bar in bars(figures)
    ]
    return table(["what", "asked for", "measured", "95 % interval", "met"], rows)


def detector_table(rows: Sequence[Row]) -> str:
    names = ["ap50", "recall", "recall_small", "recall_medium", "recall_large", "recall_tall"]
    cells = [
        [
            DETECTORS[row["detector"]],
            f"{row['pictures']} {DATA[row['data']]}",
            f"{row['threshold']:.2f}",
            f"{row['boxes_per_picture']:.2f}",
            *(percent(row[name]) for name in names),
        ]
        for row in rows
    ]
    header = [
        "detector",
        "data",
        "threshold",
        "boxes a picture",
        "AP50",
        "recall",
        "small",
        "medium",
        "large",
    ]
    return table([*header, "taller than a quarter"], cells)


def pck_table(rows: Sequence[Row], labels: Mapping[str, str]) -> str:
    """labels: the rows' own columns, key and title."""
    methods = [method for method in METHODS if method in rows[0]["pck"]]
    header = [*labels.values(), "keypoints"]
    header += [f"{METHODS[method]} @{limit}" for limit in THRESHOLDS for method in methods]
    cells = [
        [
            *(str(row[name]) for name in labels),
            f"{row['keypoints']:,}",
            *(percent(row["pck"][method][i]) for i in range(len(THRESHOLDS)) for method in methods),
        ]
        for row in rows
    ]
    return table(header, cells)


def _with_all(figure: Row) -> list[Row]:
    return [*figure["joints"], {"joint": "**all**", "keypoints": figure["keypoints"], "pck": figure["pck"]}]


def _kinds(figures: Row) -> dict[str, Row]:
    clean = {"clean": figures["clean"]} if "clean" in figures else {}
    return clean | dict(figures.get("degraded", {}))


def _subsets(kinds: Mapping[str, Row]) -> list[Row]:
    """All frames of each kind; then the blurred ones, and the joints behind something."""
    rows: list[Row] = []
    for kind, figure in kinds.items():
        rows.append({"kind": kind, "part": "all"} | figure)
        if 0 < figure["harmed"]["keypoints"] < figure["keypoints"]:
            rows.append({"kind": kind, "part": "harmed frames"} | figure["harmed"])
        if figure["hidden"]["keypoints"]:
            rows.append({"kind": kind, "part": "joints behind something"} | figure["hidden"])
    return rows


def _with_harmed(kinds: Mapping[str, Row]) -> dict[str, Row]:
    """The kinds, and after each that harms but some of its frames, those frames."""
    rows: dict[str, Row] = {}
    for kind, figure in kinds.items():
        rows[kind] = figure
        if figure["harmed"]["keypoints"] < figure["keypoints"]:
            rows[f"{kind}, harmed frames"] = figure["harmed"]
    return rows


def difference_table(kinds: Mapping[str, Row]) -> str:
    rows = []
    for kind, figure in kinds.items():
        for name, minuend in MINUENDS.items():
            for other, gap in figure.get(name, {}).items():
                interval = f"{points(gap['low'])} to {points(gap['high'])}"
                rows.append(
                    [kind, minuend, METHODS[other], points(gap["value"]), interval, str(gap["units"])]
                )
    return table(["what", "PCK@0.1 of", "minus", "points", "95 % interval", "resampled units"], rows)


def clips_table(kinds: Mapping[str, Row]) -> str:
    """PCK@0.1 of every method, clip by clip and kind by kind."""
    methods = [method for method in METHODS if method in next(iter(kinds.values()))["pck"]]
    rows = [
        [clip["source"], kind, f"{clip['keypoints']:,}", *(percent(clip["pck"][m][0]) for m in methods)]
        for number in range(len(next(iter(kinds.values()))["clips"]))
        for kind, figure in kinds.items()
        for clip in [figure["clips"][number]]
    ]
    return table(["clip", "kind", "keypoints", *(METHODS[m] for m in methods)], rows)


def jitter_table(kinds: Mapping[str, Row]) -> str:
    methods = [method for method in METHODS if method in next(iter(kinds.values()))["jitter"]]
    rows = [
        [kind, *(_thousandths(figure["jitter"][method]) for method in [*methods, "labels"])]
        for kind, figure in kinds.items()
    ]
    return table(["frames", *(METHODS[method] for method in methods), "the labels"], rows)


def _thousandths(value: float | None) -> str:
    return NONE if value is None else f"{1000 * value:.1f}"


def switches_table(rows: Sequence[Row]) -> str:
    cells = [
        [
            row["clip"],
            f"{row['seconds']:.1f}",
            str(row["switches"]),
            f"{row['switches_per_minute']:.0f}",
            str(row["fragments"]),
            percent(row["idf1"]),
            percent(row["mota"]),
        ]
        for row in rows
    ]
    header = ["clip", "seconds", "switches", "a minute", "fragments", "IDF1", "MOTA"]
    return f"{table(header, cells)}\n\n![identity switches](images/quality_switches.svg)"
