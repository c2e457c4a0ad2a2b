"""The tables of docs/performance.md, as Markdown, from the figures of the JSON files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.performance.bars import bars, growth
from benchmarks.performance.stages import REST, STAGES
from benchmarks.quality.tables import NONE, table

Row = dict[str, Any]
DRAWN = ("scan", "windows", "table7", "stages")  # parts that have a figure


def blocks(results: Mapping[str, Any]) -> dict[str, str]:
    """The content of each marked block whose figures are there."""
    made = {"machine": machines(results)}
    if results:
        made["bars"] = bars_table(results)
    written: dict[str, Callable[[Row], str]] = {
        "scan": scan_table,
        "encoder": encoder_table,
        "windows": windows_table,
        "table7": tokens_table,
        "stages": stages_table,
        "startup": startup_table,
        "memory": memory_table,
    }
    for part, write in written.items():
        if part in results:
            # A picture's place is beside its table: both are there only when there is something to show.
            picture = f"\n\n![{part}](images/performance_{part}.svg)" if part in DRAWN else ""
            made[part] = write(results[part]) + picture
    return made


def time(row: Row) -> str:
    """Median and quartiles: milliseconds, or seconds where they are many."""
    unit, scale = ("s", 1000) if row["ms"] >= 10_000 else ("ms", 1)
    median, low, high = (figure(row[name] / scale) for name in ("ms", "low_ms", "high_ms"))
    spread = f" ({low} to {high})" if row.get("runs", 1) > 1 else ""
    return f"{median}{spread} {unit}"


def figure(value: float) -> str:
    """Three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(value: float) -> str:
    return f"{figure(value)} x"


def machines(results: Mapping[str, Any]) -> str:
    """Where the parts were measured; one line for all of them where it was the same machine."""
    parts: dict[str, list[str]] = {}
    for part, figures in results.items():
        told = dict(figures["machine"])
        load = told.pop("load")
        parts.setdefault(_machine(told), []).append(f"{part} (load {load:.1f})" if load is not None else part)
    return (
        "\n".join(f"- {text}: {', '.join(names)}." for text, names in parts.items())
        or "Nothing was measured yet."
    )


def _machine(told: Row) -> str:
    bf16 = "bf16 is the faster" if told["bf16"] else "bf16 is the slower"
    gpu = f", {told['gpu']}" if told["gpu"] else ""
    text = f"{told['processor']}, cores: {told['cores']}, threads: {told['threads']}, {bf16}{gpu}"
    return f"{text}; Python {told['python']}, PyTorch {told['torch']}"


def bars_table(results: Mapping[str, Any]) -> str:
    rows = [
        [bar.what, bar.asked, bar.measured, bar.interval or NONE, "yes" if bar.met else "**no**"]
        for bar in bars(results)
    ]
    return table(["what", "asked for", "measured", "quartiles", "met"], rows)


def scan_table(figures: Row) -> str:
    rows = [
        [
            row["backend"],
            row["direction"],
            time(row),
            f"{row['updates_per_s']:.2e}",
            times(row["ratio"]),
            _part(row),
        ]
        for row in figures["rows"]
    ]
    skipped = [[name, NONE, NONE, NONE, NONE, reason] for name, reason in figures["skipped"].items()]
    header = ["scan", "direction", "time", "state updates a second", "over numba", "note"]
    return table(header, [*rows, *skipped])


def _part(row: Row) -> str:
    return NONE if row["share"] == 1 else f"timed on 1/{1 / row['share']:.0f} of the steps"


def encoder_table(figures: Row) -> str:
    rows = [
        [row["encoder"], str(row["crops"]), row["precision"], time(row), figure(row["ms"] / row["crops"]),
         times(row["ratio"])]
        for row in figures["rows"]
    ]  # fmt: skip
    return table(["encoder", "crops at once", "precision", "time", "ms a crop", "over fp32"], rows)


def windows_table(figures: Row) -> str:
    rows = [
        [row["network"], row["mode"], row["scan"], row["precision"], time(row), figure(row["ms_per_frame"]),
         times(row["ratio"])]
        for row in figures["rows"]
    ]  # fmt: skip
    header = ["network", "mode", "scan", "precision", "a window", "ms an answered frame", "over the first"]
    return table(header, rows)


def tokens_table(figures: Row) -> str:
    rows = []
    for row in figures["rows"]:
        done = "ms" in row
        cells = [time(row), figure(row["work_mb"]), figure(row["peak_mb"])] if done else [NONE] * 3
        rows.append([row["network"], f"{row['tokens']:,}", *cells, row.get("skipped", NONE)])
    header = ["network", "tokens", "time", "MB for the pass", "MB at the peak", "why not"]
    powers = growth(figures["rows"], "ms"), growth(figures["rows"], "work_mb")
    grown = [[network, f"{powers[0][network]:.2f}", f"{powers[1][network]:.2f}"] for network in powers[0]]
    exponents = table(["network", "time", "memory of the pass"], grown)
    return (
        f"{table(header, rows)}\n\nThe power of the tokens by which they grow, between the two largest numbers of "
        f"tokens that were measured (1 is linear, 2 quadratic):\n\n{exponents}"
    )


def stages_table(figures: Row) -> str:
    rows = [
        [
            str(row["people"]),
            "yes" if row["flip"] else "no",
            f"{row['frames']} ({row['poses_per_frame']:.1f})",
            f"{row['frames_per_s']:.1f} ({row['low_frames_per_s']:.1f} to {row['high_frames_per_s']:.1f})",
            *(f"{row['stages'][stage]:.1f}" for stage in (*STAGES, REST)),
        ]
        for row in figures["rows"]
    ]
    return table(["people", "flip test", "frames (poses a frame)", "frames/s", *STAGES, REST], rows)


def startup_table(figures: Row) -> str:
    rows = [
        [row["run"], "yes" if row["flip"] else "no", time(row), figure(row["peak_mb"])]
        for row in figures["rows"]
    ]
    return table(["run", "flip test", "first frame done", "MB at the peak"], rows)


def memory_table(figures: Row) -> str:
    rows = [
        [
            f"{row['clip_seconds'] / 60:.0f}",
            f"{row['frames']:,}",
            f"{row['seconds']:.0f}",
            figure(row["peak_megabytes"]),
            f"{row['ratio_to_first']:.3f}",
        ]
        for row in figures["rows"]
    ]
    return table(["minutes", "frames", "seconds it took", "MB at the peak", "over the first"], rows)
