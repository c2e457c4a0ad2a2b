"""posecli doctor: what it prints, its JSON and its exit code."""

import json
import sys

import pytest

from posecli.cli import main
from posecli.doctor import media, self_test
from posecli.doctor.finding import Finding


@pytest.fixture
def doctor(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["posecli", "doctor", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code, captured.out, captured.err

    return call


def test_a_sound_installation(doctor):
    code, out, err = doctor("--no-self-test")
    assert (code, err) == (0, "")
    titles = [line for line in out.splitlines() if not line.startswith(" ")]
    assert titles == ["This installation", "Packages", "Machine", "Video and pictures", "Scan backends"]
    assert all(line[2:4] in ("ok", "--") for line in out.splitlines() if line.startswith(" "))


def test_json_has_the_same(doctor, monkeypatch):
    monkeypatch.setattr(self_test, "self_test", lambda device: [Finding("result", f"on {device}")])
    code, out, _ = doctor("--json", "--device", "cpu")
    report = json.loads(out)
    assert (code, report["ok"]) == (0, True)
    assert report["topics"][-1]["findings"] == [
        {"name": "result", "detail": "on cpu", "status": "ok", "advice": ""}
    ]


def test_a_library_that_opencv_lacks_is_one_line_and_exit_code_1(doctor, monkeypatch):
    def no_opencv():
        yield Finding("OpenCV", "ImportError: libGL.so.1", "failed", "apt install libgl1")

    monkeypatch.setattr(media, "opencv", no_opencv)
    code, out, err = doctor("--no-self-test")
    assert code == 1
    assert "!! OpenCV" in out
    assert "ImportError: libGL.so.1; apt install libgl1" in out
    assert err == "posecli: 1 thing that posecli needs failed: OpenCV\n"


def test_a_self_test_that_breaks_is_a_finding(doctor, monkeypatch):
    def breaks(device):
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(self_test, "self_test", breaks)
    code, out, _ = doctor("--json")
    assert (code, json.loads(out)["ok"]) == (1, False)
    assert "RuntimeError: no kernel image" in out


def test_a_device_that_cannot_be_is_said_at_once(doctor):
    code, out, err = doctor("--device", "tpu")
    assert (code, out) == (1, "")
    assert err.startswith("posecli: --device tpu: no such device")
