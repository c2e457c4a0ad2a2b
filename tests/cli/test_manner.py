"""--progress, --log-json and --dry-run as a whole command speaks."""

import json
import sys

import pytest

from posecli.cli import main

SMALL = ("--device", "cpu", "--threads", "1", "--tracker", "none")


def test_estimate_in_json(command, network, clip, tmp_path):
    out = tmp_path / "poses.json"
    code, lines = command(
        "estimate", clip, "-o", out, "--model", network.file, *SMALL, "--progress", "json", "--log-json"
    )
    told = [json.loads(line) for line in lines]
    assert code == 0
    assert (told[-2]["event"], told[-2]["done"], told[-2]["ended"]) == ("progress", 8, True)
    assert told[-1]["level"] == "info"
    assert told[-1]["message"].startswith(f"{out}: 8 frames, 8 poses")


def test_an_error_in_json_and_the_next_command_in_text_again(command, tmp_path):
    missing = tmp_path / "none.json"
    code, (line,) = command("convert", missing, tmp_path / "b.csv", "--log-json")
    assert json.loads(line)["level"] == "error"
    assert json.loads(line)["code"] == code == 1
    assert command("convert", missing, tmp_path / "b.csv")[1][0].startswith("posecli: ")


def test_wrong_usage_in_json(command):
    code, (line,) = command("estimate", "--log-json", "--batch", "none")
    assert (code, json.loads(line)["code"]) == (2, 2)


@pytest.fixture
def dry(monkeypatch, capsys, network):
    def call(*arguments):
        words = ["posecli", "estimate", *map(str, arguments), "--model", str(network.file), "--dry-run"]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code, captured.out.splitlines(), captured.err.splitlines()

    return call


def test_a_dry_run_tells_and_writes_nothing(dry, clip, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert dry(clip, "-o", tmp_path / "poses.json") == (
        0,
        [f"{clip} -> {tmp_path / 'poses.json'}: 96 x 64, 8 frames, 25 frames/s"],
        [],
    )
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_over_a_folder_says_what_would_fail(dry, clip, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    (tmp_path / "poses").mkdir()
    code, out, err = dry(tmp_path, "-o", tmp_path / "poses")
    assert code == 1
    assert out == [f"{clip} -> {tmp_path / 'poses/clip.json'}: 96 x 64, 8 frames, 25 frames/s"]
    assert "bad.mp4 is not a video" in err[0]
    assert err[1] == "posecli: 1 of 2 videos would fail"
    assert list((tmp_path / "poses").iterdir()) == []


def test_a_dry_run_says_what_the_model_cannot(dry, clip, tmp_path):
    code, out, (line,) = dry(clip, "-o", tmp_path / "poses.json", "--windows", "tubelet")
    assert (code, out) == (2, [])
    assert "choose reuse or exact" in line


def test_a_dry_run_does_not_promise_to_overwrite(dry, clip, tmp_path):
    (tmp_path / "poses.json").write_text("{}")
    assert dry(clip, "-o", tmp_path / "poses.json")[0] == 1
    code, (line,), _ = dry(clip, "-o", tmp_path / "poses.json", "--force")
    assert (code, "there already" in line) == (0, True)
    assert (tmp_path / "poses.json").read_text() == "{}"
