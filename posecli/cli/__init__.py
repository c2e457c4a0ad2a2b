"""The command line: one thin file a subcommand, heavy imports inside the handlers so that --help is instant."""

from __future__ import annotations

import os
import sys

import typer

from posecli import __version__
from posecli.cli.detect import detect
from posecli.cli.estimate import estimate
from posecli.cli.models import models
from posecli.cli.render import render
from posecli.cli.train import train
from posecli.errors import PosecliError

app = typer.Typer(
    name="posecli",
    help="Human keypoints from video, with GLSMamba.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"posecli {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Human keypoints from video, with GLSMamba.

    Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 interrupted.
    """


app.add_typer(models, name="models")
app.command()(estimate)
app.command()(detect)
app.command()(render)
app.command()(train)


def main() -> None:
    """Entry point of the `posecli` command: runs it, and turns a user's errors into one line and an exit code."""
    try:
        app()
    except PosecliError as error:
        print(f"posecli: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("posecli: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our standard output went away (posecli ... | head): not an error, and nothing left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
