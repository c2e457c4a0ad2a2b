"""Defaults of options: flag over environment over project over user, what is refused, and `posecli config`."""

import json
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

from posecli.cli import app, main
from posecli.config import COMMANDS


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    """A user and a folder without any config file."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("POSECLI_CONFIG", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        """Exit code, standard output, standard error."""
        monkeypatch.setattr(sys, "argv", ["posecli", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code, captured.out, captured.err

    return call


@pytest.fixture
def seen(monkeypatch):
    """What the handler of `posecli smooth` gets, in place of doing its work."""
    values = {}
    command = typer.main.get_command(app).commands["smooth"]
    monkeypatch.setattr(command, "callback", lambda **given: values.update(given))
    monkeypatch.setattr(typer.main, "get_command", lambda _: group)
    group = typer.main.get_group(app)
    group.commands["smooth"] = command
    return values


def user(tmp_path, text):
    path = tmp_path / "home/posecli/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def project(text):
    Path("posecli.toml").write_text(text)


def settings(run, *arguments):
    code, out, err = run("config", "show", "--json", *arguments)
    assert (code, err) == (0, "")
    return {(entry["command"], entry["option"]): entry for entry in json.loads(out)["options"]}


def test_each_layer_wins_over_the_one_below(run, tmp_path, monkeypatch):
    user(tmp_path, "[render]\nmin-score = 0.1\nids = false\nrotate = 90\n")
    project("[render]\nmin-score = 0.3\nids = true\n")
    monkeypatch.setenv("POSECLI_RENDER_MIN_SCORE", "0.4")
    found = settings(run, "render")
    sources = {
        option: (found["render", option]["value"], found["render", option]["source"])
        for option in ("min-score", "ids", "rotate", "quiet")
    }
    assert sources == {
        "min-score": ("0.4", "$POSECLI_RENDER_MIN_SCORE"),
        "ids": (True, "posecli.toml"),
        "rotate": (90, str(tmp_path / "home/posecli/config.toml")),
        "quiet": (False, "default"),
    }


def test_handlers_get_them_and_flags_win(seen, run, monkeypatch):
    project('[smooth]\nmin-score = 0.25\nfilter = ["median", "one-euro"]\nunit = "height"\nangles = true\n')
    monkeypatch.setenv("POSECLI_SMOOTH_UNIT", "px")
    monkeypatch.setenv("POSECLI_SMOOTH_QUIET", "yes")
    assert run("smooth", "a.json", "-o", "b.json", "--min-score", "0.5") == (0, "", "")
    assert seen["min_score"] == 0.5
    assert list(seen["filters"]) == ["median", "one-euro"]
    assert (seen["unit"], seen["angles"], seen["quiet"], seen["kinematics"]) == ("px", True, True, False)


def test_a_list_in_the_environment_is_separated_by_spaces(seen, run, monkeypatch):
    monkeypatch.setenv("POSECLI_SMOOTH_FILTER", "hampel butterworth:cutoff=4")
    assert run("smooth", "a.json", "-o", "b.json")[0] == 0
    assert list(seen["filters"]) == ["hampel", "butterworth:cutoff=4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[estimate]\nbatches = 3",
            "posecli.toml: [estimate] has no option 'batches'; known: output, model, ",
        ),
        ("[estimate]\nbatch = 0", "posecli.toml: estimate.batch = 0: "),
        ("[estimate]\nbatch = 'many'", "posecli.toml: estimate.batch = 'many': "),
        ("[estimate]\nquiet = 1", "posecli.toml: estimate.quiet: must be true or false, found 1"),
        ("[estimate]\nbatch = true", "posecli.toml: estimate.batch: must be a text or number, found True"),
        ("[estimate]\nsmooth = 'hampel'", "posecli.toml: estimate.smooth: must be a list, found 'hampel'"),
        ("[estimate]\nmodel = ['a']", "posecli.toml: estimate.model: must be one value, found ['a']"),
        ("[estimate.model]\na = 1", "posecli.toml: estimate.model: must be a text or number, found {'a': 1}"),
        ("[estimate]\ntracker = 'best'", "posecli.toml: estimate.tracker = 'best': "),
        (
            "[estimate]\ndetector = 'x.pt'",
            "posecli.toml: estimate.detector is not for a project's file to set",
        ),
        ("[view]\nforce = true", "posecli.toml: view.force is not for a project's file to set"),
        ("[[estimate]]\na = 1", "posecli.toml: estimate must be a table of options"),
    ],
)
def test_what_cannot_be_is_one_line(run, text, message):
    project(text)
    code, out, err = run("convert", "a.json", "b.csv")
    assert (code, out) == (1, "")
    assert err.startswith(f"posecli: {message}")
    assert err.count("\n") == 1


def test_variables_are_checked_alike(run, monkeypatch):
    monkeypatch.setenv("POSECLI_RENDER_BOXES", "maybe")
    assert run("config", "show")[2] == "posecli: $POSECLI_RENDER_BOXES: 'maybe' is neither true nor false\n"
    monkeypatch.setenv("POSECLI_RENDER_BOXES", "no")
    monkeypatch.setenv("POSECLI_RENDER_MIN_SCORE", "2")
    assert run("config", "show")[2].startswith("posecli: $POSECLI_RENDER_MIN_SCORE = '2': ")


def test_a_users_own_file_may_name_a_detector(run, tmp_path):
    user(tmp_path, '[estimate]\ndetector = "yolo11n.pt"\n')
    assert settings(run)["estimate", "detector"]["value"] == "yolo11n.pt"


def test_show_in_plain_text(run, tmp_path):
    project('[estimate]\nbatch = 16\n[data]\ncoco = "/data/coco"\n')
    assert run("config", "show", "--changed")[1].splitlines() == [
        "estimate.batch = 16\tposecli.toml",
        'data.coco = "/data/coco"\tconfig file',
    ]
    assert run("config", "show", "nothing")[2].startswith("posecli: config show nothing: no such command")


@pytest.mark.parametrize("flags", [(), ("--project",)])
def test_init_writes_where_path_says_and_changes_nothing(run, flags):
    before = settings(run)
    place = run("config", "path", *flags)[1].strip()
    assert run("config", "init", *flags) == (0, place + "\n", "")
    assert settings(run) == before
    assert set(tomllib.loads(Path(place).read_text())) == {"data", *COMMANDS}
    code, _, err = run("config", "init", *flags)
    assert (code, "exists: give --force" in err) == (1, True)


def test_what_init_shows_can_be_set(run, tmp_path):
    run("config", "init")
    file = tmp_path / "home/posecli/config.toml"
    lines = [line.removeprefix("# ") for line in file.read_text().splitlines()[2:]]
    shown = [line for line in lines if " =   #" not in line]  # options without a default have no example
    file.write_text("\n".join(shown))
    found = settings(run)
    assert found["estimate", "tracker"] == {
        "command": "estimate",
        "option": "tracker",
        "value": "botsort",
        "source": str(file),
    }


def test_path_tells_which_files_are_read(run, tmp_path):
    project("")
    places = json.loads(run("config", "path", "--json")[1])
    assert places == [
        {"path": str(tmp_path / "home/posecli/config.toml"), "read": False},
        {"path": "posecli.toml", "read": True},
    ]


def test_files_may_set_every_command_that_works_on_something():
    commands = set(typer.main.get_command(app).commands)
    assert set(COMMANDS) == commands - {"models", "config", "doctor"}
