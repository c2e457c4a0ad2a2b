"""posecli convert and validate: what they print, their exit codes, and what they leave behind."""

import sys

import pytest

from posecli.cli import main
from posecli.formats import read_poses
from tests.formats.recordings import random_poses, write


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "poses.json", random_poses())
    (tmp_path / "broken.json").write_text('{"images": [{"id": 0}, {"id": 0}], "annotations": [7]}')
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    return tmp_path


def validate(monkeypatch, capsys, *arguments):
    """The exit code, and the lines on standard output."""
    monkeypatch.setattr(sys, "argv", ["posecli", "validate", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    return exit_.value.code, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("target", ["a.csv", "a.parquet", "a.npz", "a.h5", "a.trc", "a.json"])
def test_the_suffix_tells_the_format(command, folder, target):
    assert command("convert", "poses.json", target) == (0, [])
    assert len(read_poses(target).frames) == 5


def test_a_folder_of_openpose(command, folder):
    assert command("convert", "poses.json", "openpose", "--to", "openpose") == (0, [])
    code, lines = command("convert", "poses.json", "openpose", "--to", "openpose")
    assert (code, lines) == (1, ["posecli: openpose exists: give --force to replace it, or another name"])
    assert command("convert", "poses.json", "openpose", "--to", "openpose", "--force") == (0, [])
    assert command("convert", "openpose", "back.csv") == (0, [])
    assert len(read_poses("back.csv").frames) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("convert poses.json there.csv", 1, "there.csv exists: give --force"),
        ("convert poses.json poses.json --force", 2, "over the input"),
        ("convert poses.json a.xyz", 2, "name one with --to"),
        ("convert poses.json a.json --to bvh", 2, "bvh"),
        ("convert poses.json no/a.csv", 1, "create it first"),
        ("convert poses.json mine --to openpose --force", 1, "mine holds letter.txt and is not replaced"),
        ("convert no.json a.csv", 1, "no.json cannot be read"),
        ("convert broken.json there.csv --force", 1, "images[1]: image 0 (frame 1) appears twice"),
        ("convert poses.json a.csv --from mmpose", 1, '"instance_info" is missing'),
        ("convert poses.json", 2, "TARGET"),
    ],
)
def test_one_line_and_nothing_left_behind(command, folder, arguments, code, said):
    before = sorted(folder.rglob("*"))
    found, lines = command(*arguments.split())
    assert (found, len(lines)) == (code, 1), lines
    assert said in lines[0]
    assert sorted(folder.rglob("*")) == before
    assert (folder / "there.csv").read_text() == "mine"


def test_a_loss_is_a_warning(command, folder):
    code, (line,) = command("convert", "poses.json", "p17.json", "--to", "posetrack17")
    assert code == 0
    assert line == (
        "posecli: warning: posetrack17 has no place for left_eye, right_eye, left_ear, right_ear: left out"
    )


def test_a_file_without_problems(folder, monkeypatch, capsys):
    code, lines = validate(monkeypatch, capsys, "poses.json")
    assert (code, lines) == (0, ["poses.json: coco, 5 frames, 6 poses, nothing is wrong"])
    assert validate(monkeypatch, capsys, "poses.json", "--quiet") == (0, [])


def test_every_problem_is_a_line(folder, monkeypatch, capsys):
    code, lines = validate(monkeypatch, capsys, "broken.json")
    assert code == 1
    assert lines == [
        "broken.json: images[1]: image 0 (frame 1) appears twice",
        "broken.json: annotations[0]: an object expected, found a number",
    ]
    assert len(validate(monkeypatch, capsys, "broken.json", "--most", "1")[1]) == 1
    assert validate(monkeypatch, capsys, "there.csv")[0] == 1
    assert validate(monkeypatch, capsys, "no.json")[0] == 1
