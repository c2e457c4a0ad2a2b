"""How commands end: one line and an exit code for whatever goes wrong."""

import subprocess
import sys

import pytest
import typer

from posecli.cli import main
from posecli.cli.exits import run
from posecli.errors import PosecliError, UsageError


class OutOfMemoryError(RuntimeError):
    """As PyTorch names its own."""


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (PosecliError("a.mp4 is empty"), 1, "a.mp4 is empty"),
        (PosecliError("two\n  lines"), 1, "two lines"),
        (UsageError("no such thing"), 2, "no such thing"),
        (typer.BadParameter("not a number."), 2, "Invalid value: not a number"),
        (OSError(28, "No space left on device", "a.json"), 1, "a.json: No space left on device"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB"), 1, "out of memory: "),
        (MemoryError(), 1, "out of memory: "),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 1, "out of memory: "),
        (ZeroDivisionError("division by zero"), 1, "internal error, please report it: ZeroDivisionError: "),
        (AssertionError(), 1, "internal error, please report it: AssertionError (POSECLI_DEBUG=1"),
    ],
)
def test_errors(error, code, line, capsys, monkeypatch):
    monkeypatch.delenv("POSECLI_DEBUG", raising=False)
    assert run(raising(error)) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"posecli: {line}")


def test_debugging_shows_where(capsys, monkeypatch):
    monkeypatch.setenv("POSECLI_DEBUG", "1")
    assert run(raising(ZeroDivisionError("oh"))) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_command_that_went_well(capsys):
    assert run(lambda: None) == 0
    assert capsys.readouterr().err == ""


def test_ctrl_c_wherever_it_comes(capsys):
    assert run(raising(KeyboardInterrupt())) == 130
    assert run(lambda: 130) == 130  # Typer's word for it
    assert capsys.readouterr().err == "posecli: interrupted\n" * 2


def test_usage_errors_name_the_command_whose_help_explains(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["posecli", "estimate", "clip.mp4"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert capsys.readouterr().err == (
        "posecli: Missing option '--output' / '-o' (see posecli estimate --help)\n"
    )


@pytest.mark.parametrize("arguments", [[], ["models"]])
def test_without_a_command_there_is_help(arguments, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["posecli", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    said = capsys.readouterr()
    assert exit_.value.code == 2
    assert "Commands" in said.out + said.err
    assert "posecli: " not in said.err


def test_a_reader_that_goes_away_is_no_error():
    """posecli models list | true, in the process itself."""
    code = (
        "import os, sys; from posecli.cli import main; read, write = os.pipe(); os.close(read); "
        "os.dup2(write, 1); sys.argv = ['posecli', '--help']; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False)
    assert result.stderr == ""
