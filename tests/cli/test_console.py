"""What a terminal sees, and what a pipe does not."""

import json
import re
import warnings

import pytest

from posecli.cli import console
from posecli.cli.console import (
    MANNER,
    be_plain,
    count,
    one_line,
    pace,
    progress,
    say,
    seconds_left,
    summary,
    warnings_in_one_line,
)


def test_a_warning_is_one_line_and_said_once(capsys):
    with warnings_in_one_line(quiet=False):
        for _ in range(2):
            warnings.warn("broke off\n    after frame 3", stacklevel=1)
    assert capsys.readouterr().err == "posecli: warning: broke off after frame 3\n"
    with warnings_in_one_line(quiet=True):
        warnings.warn("broke off", stacklevel=1)
    assert capsys.readouterr().err == ""


def test_warnings_are_as_before_afterwards():
    show = warnings.showwarning
    with warnings_in_one_line(quiet=False):
        assert warnings.showwarning is not show
    assert warnings.showwarning is show


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (20, 120, 10.0, "2.0 frames/s, 0:00:50 left"),
        (20, 20, 10.0, "2.0 frames/s, 0:00:00 left"),
        (30, 20, 10.0, "3.0 frames/s, 0:00:00 left"),  # the container told too few
        (1, 36001, 0.1, "10.0 frames/s, 1:00:00 left"),
        (20, None, 10.0, "2.0 frames/s"),  # a stream that nobody knows the length of
        (1, None, 0.0, "1000000.0 frames/s"),
    ],
)
def test_pace(done, total, seconds, text):
    assert pace(done, seconds, seconds_left(done, total, seconds)) == text


@pytest.mark.parametrize("total", [3, None])
def test_a_terminal_sees_how_far_it_is(monkeypatch, capsys, total):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with progress("estimate", total, quiet=False) as advance:
        for _ in range(3):
            advance("2 people")
    said = capsys.readouterr()
    assert said.out == ""
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.err)
    last = [line for line in re.split(r"[\r\n]+", shown) if line.strip()][-1]
    assert "estimate" in last
    assert f"3/{total or '?'}" in last
    assert "2 people" in last


@pytest.mark.parametrize(("terminal", "quiet"), [("0", False), ("1", True)])
def test_a_pipe_sees_nothing_nor_does_who_asked_for_quiet(monkeypatch, capsys, terminal, quiet):
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    with progress("estimate", 3, quiet=quiet) as advance:
        advance()
    assert capsys.readouterr() == ("", "")


def test_texts():
    assert count(1, "box", "boxes") == "1 box"
    assert count(0, "box", "boxes") == "0 boxes"
    assert one_line(" a\n\n  b ") == "a b"


@pytest.fixture
def manner():
    yield MANNER
    be_plain()


def test_progress_as_json_ends_with_all_that_was_done(capsys, manner, monkeypatch):
    manner.progress = "json"
    monkeypatch.setattr(console, "JSON_PAUSE_S", 0.0)
    with progress("estimate", 3, quiet=False) as advance:
        for note in ("1 person", "2 people"):
            advance(note)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["done"], line["total"], line["note"], line["ended"]) for line in told] == [
        (1, 3, "1 person", False),
        (2, 3, "2 people", False),
        (2, 3, "", True),
    ]
    assert all(line["event"] == "progress" and line["task"] == "estimate" for line in told)
    assert told[-1]["seconds_left"] == pytest.approx(1 / told[-1]["frames_per_s"], abs=0.06)


def test_progress_as_json_is_told_twice_a_second_at_most(capsys, manner, monkeypatch):
    manner.progress = "json"
    times = iter([0.0, 0.1, 0.4, 0.6, 0.7, 1.2])
    monkeypatch.setattr(console.time, "perf_counter", lambda: next(times))
    with progress("estimate", None, quiet=False) as advance:
        for _ in range(4):
            advance()
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["done"], line["seconds_left"]) for line in told] == [(3, None), (4, None)]


def test_progress_as_json_ends_with_an_error_too(capsys, manner):
    manner.progress = "json"
    with pytest.raises(ValueError, match="broken"), progress("estimate", 3, quiet=False):
        raise ValueError("broken")
    assert json.loads(capsys.readouterr().err)["ended"] is True


@pytest.mark.parametrize(("progress_name", "quiet"), [("json", True), ("none", False)])
def test_progress_can_be_switched_off(capsys, manner, monkeypatch, progress_name, quiet):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    manner.progress = progress_name
    with progress("estimate", 3, quiet=quiet) as advance:
        advance()
    assert capsys.readouterr().err == ""


def test_messages_as_json(capsys, manner):
    manner.log_json = True
    with warnings_in_one_line(quiet=False):
        warnings.warn("broke off", stacklevel=1)
    summary("a.json: 3 frames", quiet=False)
    summary("never seen", quiet=True)
    say("error", "no", code=1)
    assert [json.loads(line) for line in capsys.readouterr().err.splitlines()] == [
        {"level": "warning", "message": "broke off"},
        {"level": "info", "message": "a.json: 3 frames"},
        {"level": "error", "message": "no", "code": 1},
    ]
