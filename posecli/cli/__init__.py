"""The command line: one thin file a subcommand, heavy imports inside the handlers so that --help is instant."""

from __future__ import annotations

import sys

import typer

from posecli.cli.config import config
from posecli.cli.convert import convert
from posecli.cli.defaults import default_map
from posecli.cli.detect import detect
from posecli.cli.doctor import doctor
from posecli.cli.estimate import estimate
from posecli.cli.eval import eval_
from posecli.cli.exits import run
from posecli.cli.render import render
from posecli.cli.smooth import smooth
from posecli.cli.train import train
from posecli.cli.validate import validate
from posecli.cli.view import view
from posecli.cli.weights import models
from posecli.config import COMMANDS

app = typer.Typer(
    name="posecli",
    help="Human keypoints from video, with GLSMamba.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        from posecli import __version__

        typer.echo(f"posecli {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Human keypoints from video, with GLSMamba.

    Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 interrupted.
    """
    # `config` tells of the files, and `doctor` of everything: a mistake in a file is not to keep them from it.
    if context.invoked_subcommand in COMMANDS:
        context.default_map = default_map(context)


app.add_typer(models, name="models")
app.add_typer(config, name="config")
app.command()(estimate)
app.command()(detect)
app.command()(render)
app.command()(view)
app.command()(smooth)
app.command()(convert)
app.command()(validate)
app.command()(train)
app.command("eval")(eval_)
app.command()(doctor)


def main() -> None:
    """Entry point of the `posecli` command; docs/cli.md lists its exit codes."""
    sys.exit(run(lambda: app(prog_name="posecli", standalone_mode=False)))
