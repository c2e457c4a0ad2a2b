"""The commands of docs/training.md, up to the point where they would start to work."""

import dataclasses
import re
import shlex
from pathlib import Path

import pytest
import typer.main

from posecli.cli import app
from posecli.train.recipe import Recipe, fields_of, parse_override

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
COMMANDS = re.findall(r"^(?:torchrun .*?)?posecli (train .+)$", TEXT, re.M)
LAUNCHES = re.findall(r"^torchrun (.+)$", TEXT, re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_examples_parse(line):
    name, *arguments = shlex.split(line, comments=True)
    context = typer.main.get_command(app).commands[name].make_context(name, arguments)
    changes = dict(map(parse_override, context.params["set_"]))
    assert fields_of(changes) <= {field.name for field in dataclasses.fields(Recipe)}


@pytest.mark.parametrize("line", LAUNCHES)
def test_torchrun_knows_its_options(line):
    from torch.distributed.run import parse_args

    launch = parse_args(shlex.split(line))
    assert launch.training_script == "posecli"
    assert launch.module != launch.no_python
    assert launch.training_script_args[0] == "train"


def test_there_are_examples_of_both():
    assert len(COMMANDS) > len(LAUNCHES) > 0
