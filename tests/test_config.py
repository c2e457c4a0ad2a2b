"""The config file: where it is looked for, what it says, what is refused."""

import sys
from pathlib import Path

import pytest

from posecli.config import Config, config_paths, load_config, user_file, user_folder
from posecli.errors import PosecliError


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    """A user and a folder without any config file."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("POSECLI_CONFIG", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_a_file_everything_is_empty():
    assert load_config() == Config(None, {})


def test_both_files_are_read_unless_one_is_named(tmp_path, monkeypatch):
    user = tmp_path / "home/.config/posecli/config.toml"
    assert user_file() == user
    assert config_paths() == []
    write(user, "")
    assert config_paths() == [user]
    write(tmp_path / "work/posecli.toml", "")
    assert config_paths() == [user, Path("posecli.toml")]
    write(tmp_path / "mine.toml", "")
    monkeypatch.setenv("POSECLI_CONFIG", str(tmp_path / "mine.toml"))
    assert config_paths() == [tmp_path / "mine.toml"]


def test_the_project_wins_value_by_value(tmp_path):
    write(
        tmp_path / "home/.config/posecli/config.toml",
        '[data]\ncoco = "/mine/coco"\nclips = "/mine/clips"\n'
        '[estimate]\nbatch = 2\ntracker = "ocsort"\n[render]\nids = false\n',
    )
    write(tmp_path / "work/posecli.toml", '[data]\ncoco = "/theirs/coco"\n[estimate]\nbatch = 4\n')
    config = load_config()
    assert config.path == Path("posecli.toml")
    assert config.data == {"coco": Path("/theirs/coco"), "clips": Path("/mine/clips")}
    assert config.options == {"estimate": {"batch": 4, "tracker": "ocsort"}, "render": {"ids": False}}


def test_a_named_file_must_be_there(monkeypatch):
    monkeypatch.setenv("POSECLI_CONFIG", "nowhere.toml")
    with pytest.raises(PosecliError, match=r"POSECLI_CONFIG=nowhere\.toml: there is no such file"):
        load_config()


def test_folders_of_datasets(tmp_path, monkeypatch):
    write(
        tmp_path / "set/mine.toml", '[data]\nposetrack17 = "pt17"\nsub-jhmdb = "/big/jhmdb"\nclips = "~/c"\n'
    )
    monkeypatch.setenv("POSECLI_CONFIG", str(tmp_path / "set/mine.toml"))
    assert load_config().data == {
        "posetrack17": tmp_path / "set/pt17",
        "sub-jhmdb": Path("/big/jhmdb"),
        "clips": tmp_path / "home/c",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dta]", r"posecli\.toml: unknown table 'dta'; known: data, estimate, detect"),
        ("estimate = 3", "estimate must be a table of options"),
        ('[data]\nposetrack = "x"', "unknown dataset in .data. 'posetrack'; known: posetrack17, posetrack18"),
        ("[data]\ncoco = 3", "data.coco must be a folder in quotes, found 3"),
        ('[data]\ncoco = ""', "data.coco must be a folder in quotes"),
        ('data = "x"', "data must be a table of folders"),
        ("[data", r"posecli\.toml: can't be read as TOML"),
    ],
)
def test_what_is_not_known_is_refused(text, message):
    Path("posecli.toml").write_text(text)
    with pytest.raises(PosecliError, match=message):
        load_config()


@pytest.mark.parametrize(
    ("platform", "variables", "config", "cache"),
    [
        ("linux", {}, ".config/posecli", ".cache/posecli"),
        ("linux", {"XDG_CONFIG_HOME": "/x", "XDG_CACHE_HOME": "/y"}, "/x/posecli", "/y/posecli"),
        ("darwin", {}, "Library/Application Support/posecli", "Library/Caches/posecli"),
        ("win32", {"APPDATA": "/r", "LOCALAPPDATA": "/l"}, "/r/posecli", "/l/posecli"),
    ],
)
def test_a_users_folders_follow_the_platform(tmp_path, monkeypatch, platform, variables, config, cache):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert user_folder("config") == tmp_path / "home" / config
    assert user_folder("cache") == tmp_path / "home" / cache
