"""The config file: what a user sets once instead of on every command line. This is the only place that reads it.

It is TOML; the first of these that exists is read, and no other:
    $POSECLI_CONFIG                   a file of any name; an error if it is not there
    ./posecli.toml                    of the folder where the command runs
    posecli/config.toml               in the user's own folder: ~/.config ($XDG_CONFIG_HOME) on Linux,
                                      ~/Library/Application Support on macOS, %APPDATA% on Windows

    [data]                            where datasets lie; a relative path begins at the config file's folder
    posetrack17 = "/data/posetrack17"
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from posecli.errors import PosecliError

DatasetName = Literal["posetrack17", "posetrack18", "posetrack21", "sub-jhmdb", "coco", "clips"]
DATASET_NAMES: tuple[DatasetName, ...] = get_args(DatasetName)

ENVIRONMENT_VARIABLE = "POSECLI_CONFIG"


@dataclass(frozen=True, slots=True)
class Config:
    """What the config file says; everything is empty where there is none."""

    path: Path | None = None
    data: dict[str, Path] = field(default_factory=dict)  # folders of datasets, by DatasetName


def load_config() -> Config:
    """The config file's content.

    Raises:
        PosecliError: $POSECLI_CONFIG names no file, or the file is not TOML, has a key that is not known, or a value
            of the wrong kind.
    """
    path = config_path()
    if path is None:
        return Config()
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PosecliError(f"{path}: can't be read as TOML ({error})") from None
    _check_keys(path, "table", tables, _TABLES)
    return Config(path, **{name: _TABLES[name](path, table) for name, table in tables.items()})


def config_path() -> Path | None:
    """The config file that is read; None where there is none."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise PosecliError(f"{ENVIRONMENT_VARIABLE}={named}: there is no such file")
        return Path(named)
    return next((path for path in default_paths() if path.is_file()), None)


def default_paths() -> list[Path]:
    """Where a config file is looked for unless $POSECLI_CONFIG names one."""
    return [Path("posecli.toml"), user_folder("config") / "config.toml"]


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


_TABLES: dict[str, Callable[[Path, Any], Any]] = {"data": _read_data}


def _check_keys(path: Path, what: str, found: Iterable[str], known: Iterable[str]) -> None:
    unknown = [key for key in found if key not in known]
    if unknown:
        raise PosecliError(f"{path}: unknown {what} '{unknown[0]}'; known: {', '.join(known)}")
