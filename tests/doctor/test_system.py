"""What is installed and where: against importlib and the files themselves."""

from importlib.metadata import PackageNotFoundError, version

import pytest

from posecli.doctor import system
from posecli.doctor.finding import examine


def findings(examination):
    return {finding.name: finding for finding in examination()}


def test_every_needed_package_has_the_installed_version():
    found = findings(system.packages)
    for name in ("numpy", "torch", "av", "typer"):
        assert found[name].detail == version(name)
        assert found[name].status == "ok"
    assert "pytest" not in found  # developers' packages are not for users


def test_a_package_that_is_missing_fails_and_an_extra_does_not(monkeypatch):
    def missing(name):
        if name in ("numpy", "ultralytics", "mamba-ssm"):
            raise PackageNotFoundError
        return "1.0"

    monkeypatch.setattr(system, "version", missing)
    found = findings(system.packages)
    assert (found["numpy"].status, found["numpy"].advice) == ("failed", "pip install numpy")
    assert found["ultralytics"].status == "missing"
    assert "extra yolo" in found["ultralytics"].detail
    assert found["mamba-ssm"].advice == "pip install --no-build-isolation mamba-ssm"
    assert found["torch"].status == "ok"


@pytest.mark.parametrize(("free", "status"), [(2**30 - 1, "missing"), (2**30, "ok")])
def test_little_room_is_said(monkeypatch, free, status):
    monkeypatch.setattr(system.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    found = findings(system.room)
    assert found["disk"].status == status
    assert bool(found["disk"].advice) == (status == "missing")


def test_weights_that_are_not_there_fail(monkeypatch):
    monkeypatch.setattr(system, "embedded_weights", lambda name: None)
    found = findings(system.models)
    assert found["weights of glsmamba-t"].status == found["weights of detector"].status == "failed"


def test_a_broken_config_file_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setenv("POSECLI_CONFIG", str(tmp_path / "mine.toml"))
    (tmp_path / "mine.toml").write_text("[dta]")
    (finding,) = examine("This installation", system.configuration).findings
    assert finding.status == "failed"
    assert finding.name == "configuration"
    assert finding.detail.startswith(f"{tmp_path / 'mine.toml'}: unknown table 'dta'")


def test_an_examination_that_breaks_says_what_it_had_no_word_for():
    def strange_thing():
        yield from ()
        raise ValueError("two\nlines")

    (finding,) = examine("Title", strange_thing).findings
    assert (finding.name, finding.detail, finding.status) == (
        "strange thing",
        "ValueError: two lines",
        "failed",
    )
