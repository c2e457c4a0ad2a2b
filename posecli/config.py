"""The config files: what a user sets once instead of on every command line. This is the only place that reads them.

They are TOML. Read are
    posecli/config.toml               in the user's own folder: ~/.config ($XDG_CONFIG_HOME) on Linux,
                                      ~/Library/Application Support on macOS, %APPDATA% on Windows
    ./posecli.toml                    of the folder where the command runs: it wins, value by value
or, in place of both,
    $POSECLI_CONFIG                   a file of any name; an error if it is not there

    [data]                            where datasets lie; a relative path begins at the config file's folder
    posetrack17 = "/data/posetrack17"

    [estimate]                        defaults of a command's options, by their names without dashes
    tracker = "bytetrack"
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from posecli.errors import PosecliError

DatasetName = Literal["posetrack17", "posetrack18", "posetrack21", "sub-jhmdb", "coco", "clips"]
DATASET_NAMES: tuple[DatasetName, ...] = get_args(DatasetName)

ENVIRONMENT_VARIABLE = "POSECLI_CONFIG"
PROJECT_FILE = Path("posecli.toml")
# Whose options a file may set; posecli.cli.defaults knows the options.
COMMANDS = ("estimate", "detect", "smooth", "render", "view", "convert", "validate", "train", "eval")


@dataclass(frozen=True, slots=True)
class Config:
    """What one config file says, or several together; everything is empty where there is none."""

    path: Path | None = None
    data: dict[str, Path] = field(default_factory=dict)  # folders of datasets, by DatasetName
    options: dict[str, dict[str, Any]] = field(default_factory=dict)  # command: option: value, as TOML has it


def load_config() -> Config:
    """What the config files say of datasets and options, together; its path is that of the one that counts most.

    Raises:
        PosecliError: as read_configs.
    """
    merged = Config()
    for config in read_configs():
        options = merged.options | {
            command: merged.options.get(command, {}) | values for command, values in config.options.items()
        }
        merged = Config(config.path, merged.data | config.data, options)
    return merged


def read_configs() -> list[Config]:
    """The content of each config file, the one that counts least first.

    Raises:
        PosecliError: $POSECLI_CONFIG names no file, or a file is not TOML, has a table or dataset that is not known, or
            a value of the wrong kind.
    """
    return [_read(path) for path in config_paths()]


def config_paths() -> list[Path]:
    """The config files that are read, the one that counts least first.

    Raises:
        PosecliError: $POSECLI_CONFIG names no file.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if not named:
        return [path for path in default_paths() if path.is_file()]
    if not Path(named).is_file():
        raise PosecliError(f"{ENVIRONMENT_VARIABLE}={named}: there is no such file")
    return [Path(named)]


def default_paths() -> list[Path]:
    """Where config files are looked for unless $POSECLI_CONFIG names one, the one that counts least first."""
    return [user_file(), PROJECT_FILE]


def user_file() -> Path:
    """The user's own config file, there or not."""
    return user_folder("config") / "config.toml"


def user_folder(kind: Literal["config", "cache"]) -> Path:
    """posecli's folder for this user's settings or for files that can be made again, by the platform's convention."""
    home = Path.home()
    if sys.platform == "darwin":
        base = home / "Library" / ("Caches" if kind == "cache" else "Application Support")
    elif sys.platform == "win32":
        variable = "LOCALAPPDATA" if kind == "cache" else "APPDATA"
        base = Path(
            os.environ.get(variable) or home / "AppData" / ("Local" if kind == "cache" else "Roaming")
        )
    else:
        base = Path(os.environ.get(f"XDG_{kind.upper()}_HOME") or home / f".{kind}")
    return base / "posecli"


def _read(path: Path) -> Config:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PosecliError(f"{path}: can't be read as TOML ({error})") from None
    _check_keys(path, "table", tables, ("data", *COMMANDS))
    data = _read_data(path, tables.pop("data", {}))
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise PosecliError(f"{path}: {name} must be a table of options, [{name}] and OPTION = VALUE")
    return Config(path, data, tables)


def _read_data(path: Path, table: Any) -> dict[str, Path]:
    if not isinstance(table, dict):
        raise PosecliError(f'{path}: data must be a table of folders, [data] and NAME = "FOLDER"')
    _check_keys(path, "dataset in [data]", table, DATASET_NAMES)
    folders = {}
    for name, folder in table.items():
        if not isinstance(folder, str) or not folder:
            raise PosecliError(f"{path}: data.{name} must be a folder in quotes, found {folder!r}")
        folders[name] = path.parent / Path(folder).expanduser()
    return folders


def _check_keys(path: Path, what: str, found: Iterable[str], known: Iterable[str]) -> None:
    unknown = [key for key in found if key not in known]
    if unknown:
        raise PosecliError(f"{path}: unknown {what} '{unknown[0]}'; known: {', '.join(known)}")
