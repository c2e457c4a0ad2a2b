"""docs/cli.md against the command line itself."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from posecli.cli import app

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
TEXT = DOCUMENT.read_text("utf-8")
EXAMPLES = re.findall(r"^(?:\w+=\S+ )?posecli (.+)$", TEXT, re.M)
SECTIONS = dict(re.findall(r"^## ([a-z ]+)\n(.*?)(?=^## )", TEXT, re.M | re.S))


def find(name):
    """A command by its name, "models list" for instance, and its context."""
    command, context = typer.main.get_command(app), None
    for part in name.split():
        context = command.make_context(part, ["--"], parent=context, resilient_parsing=True)
        command = command.get_command(context, part)
    return command


def option_names(command):
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_parse(line):
    """Every example, up to the point where its command would start to work."""
    words = shlex.split(line)
    name = " ".join(words[:2]) if words[0] in ("models", "config") else words[0]
    arguments = words[len(name.split()) :]
    find(name).make_context(name, arguments)


def test_there_are_examples_of_every_command():
    shown = {line.split()[0] for line in EXAMPLES}
    assert shown == {command.name for command in typer.main.get_command(app).commands.values()}


@pytest.mark.parametrize(
    "name",
    [
        "estimate",
        "detect",
        "smooth",
        "render",
        "view",
        "train",
        "eval",
        "convert",
        "validate",
        "models list",
        "models info",
        "models verify",
        "models pull",
        "models import",
        "doctor",
        "config show",
        "config init",
        "config path",
    ],
)
def test_every_option_is_documented_and_every_documented_one_is_there(name):
    options = {option for option in option_names(find(name)) if option.startswith("-")}
    long = {option for option in options if option.startswith("--")} - {"--help"}
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", SECTIONS[name]))
    if name == "detect":
        named -= {"--boxes"}  # of estimate, which its section points to
    assert long <= named
    assert named <= options


@pytest.mark.parametrize("name", ["estimate", "smooth", "render", "train", "eval", "validate"])
def test_documented_defaults_are_the_real_ones(name):
    rows = re.findall(r"^\| `(--[a-z-]+)`.*? \| `?([\w.-]+)`? \|", SECTIONS[name], re.M)
    defaults = {option: p.default for p in find(name).params for option in p.opts}
    told = {option: value for option, value in rows if value not in ("on", "by")}
    assert told
    for option, value in told.items():
        assert str(defaults[option]) == value, option
