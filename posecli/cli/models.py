"""`posecli models`: what models there are, how large they are and what they cost."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

models = typer.Typer(help="The models: their sizes and costs.", no_args_is_help=True)

COLUMNS = {
    "name": "model",
    "encoder": "encoder",
    "trainable": "trainable",
    "frozen": "frozen",
    "tokens": "tokens",
    "gmacs_modules": "GMACs (paper)",
    "gmacs": "GMACs (all)",
    "gflops": "GFLOPs (all)",
    "weights": "weights",
}
NOTE = (
    "Parameters, and the cost of one window of frames. (paper): as the paper counts, convolutions and linear "
    "layers only. (all): with attention products, S6 projections and scans, and the deformable convolution; "
    "FLOPs are twice the multiply-accumulates."
)


@models.callback()
def root() -> None:
    """The models: their sizes and costs."""


@models.command("list")
def list_models(
    names: list[str] = typer.Argument(
        None, metavar="MODEL", help="Names or .toml files; all that there are unless given."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON, with exact counts."),
) -> None:
    """List the models: parameters, tokens, multiply-accumulates, and whether weights are inside.

    When piped, the output is plain tab-separated text.
    """
    from posecli.weights.presets import preset_names

    rows = [_row(name) for name in names or preset_names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif sys.stdout.isatty():
        _print_pretty(rows)
    else:
        typer.echo("\t".join(COLUMNS.values()))
        for row in rows:
            typer.echo("\t".join(_cells(row)))


def _row(name: str) -> dict[str, Any]:
    from posecli.nn.count import count_model
    from posecli.weights.locate import embedded_weights
    from posecli.weights.presets import load_preset

    config = load_preset(name)
    count = count_model(config)
    return {
        "name": config.name,
        "encoder": config.encoder.title,
        "skeleton": config.skeleton,
        "frames": config.input.frames,
        "input": [config.input.height, config.input.width],
        "tokens": count.tokens,
        "trainable": count.trainable,
        "frozen": count.frozen,
        "dropped": count.dropped_parameters,
        "upsampler": count.upsampler_parameters,
        "macs_modules": count.macs.modules,
        "macs": count.macs.everything,
        "flops": 2 * count.macs.everything,
        "state_updates": config.temporal.state_updates,
        "weights": "embedded" if embedded_weights(config.name) else "none",
    }


def _cells(row: dict[str, Any]) -> list[str]:
    """One text a column."""
    texts = {name: f"{row[name]:,}" for name in ("trainable", "frozen", "tokens")}
    texts |= {f"g{name}": f"{row[name] / 1e9:.1f}" for name in ("macs_modules", "macs", "flops")}
    return [texts.get(name) or str(row[name]) for name in COLUMNS]


def _print_pretty(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_table(rows))
    console.print(NOTE, style="dim")
    embedded = [row["name"] for row in rows if row["weights"] == "embedded"]
    console.print(f"Weights come with posecli for: {', '.join(embedded) or 'none of these'}.", style="dim")
    for row in rows:
        if row["upsampler"]:
            without = row["trainable"] - row["upsampler"]
            console.print(
                f"{row['name']}: {without:,} trainable without its enlarging of heatmaps, which is ours.",
                style="dim",
            )


def _table(rows: list[dict[str, Any]]) -> Table:
    """Fits 80 columns, with the encoder's name folded; weights are told below it."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    titles = [title.replace(" (", "\n(") for name, title in COLUMNS.items() if name != "weights"]
    table.add_column(titles[0], no_wrap=True)
    table.add_column(titles[1], overflow="fold", min_width=9)
    for title in titles[2:]:
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row)[: len(titles)])
    return table
