"""posecli models list."""

import json
import subprocess
import sys

from typer.testing import CliRunner

from posecli.cli import app
from posecli.cli.models import COLUMNS, _table

runner = CliRunner()


def test_piped_output_is_plain_columns():
    result = runner.invoke(app, ["models", "list"])
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[0] == list(COLUMNS.values())
    rows = {line[0]: line for line in lines[1:]}
    assert rows["glsmamba-b"][:7] == [
        "glsmamba-b",
        "ViTPose-B",
        "9,759,527",
        "89,990,144",
        "15,360",
        "140.5",
        "165.4",
    ]


def test_json_holds_exact_counts_and_flops_are_twice_the_multiply_accumulates():
    result = runner.invoke(app, ["models", "list", "--json", "glsmamba-t", "glsmamba-lr"])
    rows = json.loads(result.stdout)
    assert [row["name"] for row in rows] == ["glsmamba-t", "glsmamba-lr"]
    assert all(row["flops"] == 2 * row["macs"] > 2 * row["macs_modules"] for row in rows)
    assert rows[1]["trainable"] - rows[1]["upsampler"] == 9_890_599


def test_the_table_fits_80_columns():
    from rich.console import Console

    rows = json.loads(runner.invoke(app, ["models", "list", "--json", "glsmamba-h", "glsmamba-lr"]).stdout)
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(_table(rows))
    assert "637,204,480" in capture.get()
    assert "1403.9" in capture.get()
    assert "…" not in capture.get()


def test_help_needs_no_torch():
    code = "import sys, posecli.cli.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
