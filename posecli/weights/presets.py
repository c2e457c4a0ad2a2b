"""Model configurations in TOML: models/NAME.toml and a user's own files."""

from __future__ import annotations

import dataclasses
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from posecli.errors import PosecliError
from posecli.nn.config import EncoderConfig, HeatmapConfig, InputConfig, ModelConfig, temporal_defaults
from posecli.nn.glsmamba import GLSMamba
from posecli.weights.locate import models_dir

Config = TypeVar("Config")
_SECTIONS = ("encoder", "input", "temporal", "heatmap")


def preset_names() -> list[str]:
    """The models that come with posecli, in alphabetical order."""
    return sorted(path.stem for path in models_dir().glob("*.toml"))


def load_preset(name_or_path: str, overrides: Mapping[str, Any] | None = None) -> ModelConfig:
    """A model's configuration by its preset's name, or from a user's .toml file.

    Args:
        overrides: values by dotted name, such as {"temporal.stmm": False}.

    Raises:
        PosecliError: no such preset or file, no TOML, or a field that is unknown, missing or wrong.
    """
    path = _find(name_or_path)
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PosecliError(f"{path}: can't be read as TOML ({error})") from None
    for name, value in (overrides or {}).items():
        _set(table, name, value)
    return config_from_table(path.stem, table, str(path))


def config_from_table(name: str, table: Mapping[str, Any], where: str) -> ModelConfig:
    """A configuration from nested tables of plain values.

    Args:
        where: the file or checkpoint that the table comes from, for messages.

    Raises:
        PosecliError: a field is unknown, missing or of a wrong value; the message lists those that are known.
    """
    try:
        _check_names("", table, ("skeleton", *_SECTIONS), ("skeleton", *_SECTIONS))
        skeleton = _value(str, table["skeleton"], "skeleton")
        encoder = _read(EncoderConfig, table["encoder"], "encoder")
        crop = _read(InputConfig, table["input"], "input")
        derived = temporal_defaults(encoder, crop, skeleton)
        temporal = _read(GLSMamba.Config, table["temporal"], "temporal", derived)
        heatmap = _read(HeatmapConfig, table["heatmap"], "heatmap")
        return ModelConfig(
            name=name, skeleton=skeleton, encoder=encoder, input=crop, temporal=temporal, heatmap=heatmap
        )
    except PosecliError as error:
        raise PosecliError(f"{where}: {error}") from None


def config_to_table(config: ModelConfig) -> dict[str, Any]:
    """The inverse of config_from_table: plain values that TOML and JSON can hold, without what is derived."""
    table = dataclasses.asdict(config)
    del table["name"]
    for name in temporal_defaults(config.encoder, config.input, config.skeleton):
        del table["temporal"][name]
    for section in _SECTIONS:
        table[section] = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in table[section].items()
            if value is not None
        }
    return table


def _find(name_or_path: str) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise PosecliError(f"{path}: there is no such model configuration")
        return path
    if name_or_path not in preset_names():
        names = ", ".join(preset_names())
        raise PosecliError(f"model '{name_or_path}' is unknown; known: {names}; or give a .toml file")
    return models_dir() / f"{name_or_path}.toml"


def _set(table: dict[str, Any], name: str, value: Any) -> None:
    *sections, field = name.split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise PosecliError(f"{name}: {section} is no section")
    table[field] = value


def _read(kind: type[Config], table: Any, section: str, derived: Mapping[str, Any] | None = None) -> Config:
    """A frozen dataclass from a TOML section; derived fields are not for the file to set."""
    if not isinstance(table, dict):
        raise PosecliError(f"{section} must be a section, [{section}]")
    derived = derived or {}
    fields = [f for f in dataclasses.fields(kind) if f.name not in derived]  # type: ignore[arg-type]
    required = [f.name for f in fields if f.default is dataclasses.MISSING]
    _check_names(f"{section}.", table, [f.name for f in fields], required)
    hints = get_type_hints(kind)
    values = {name: _value(hints[name], value, f"{section}.{name}") for name, value in table.items()}
    return kind(**values, **derived)


def _check_names(
    prefix: str,
    table: Mapping[str, Any],
    known: list[str] | tuple[str, ...],
    required: list[str] | tuple[str, ...],
) -> None:
    for name in table:
        if name not in known:
            raise PosecliError(f"{prefix}{name} is unknown; known: {', '.join(known)}")
    for name in required:
        if name not in table:
            raise PosecliError(f"{prefix}{name} is missing")


def _value(hint: Any, value: Any, name: str) -> Any:
    """The value as its type hint has it: lists become tuples, and whole numbers floats where need be."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _value(arguments[0], value, name)  # X | None: TOML has no None, an absent field is None
    if origin is Literal:
        if value not in arguments:
            raise PosecliError(f"{name} = {value!r} is not one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise PosecliError(f"{name} = {value!r} must be a list")
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(kinds) != len(value):
            raise PosecliError(f"{name} = {value!r} must have {len(kinds)} values")
        return tuple(_value(kind, item, name) for kind, item in zip(kinds, value, strict=True))
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise PosecliError(f"{name} = {value!r} must be of type {hint.__name__}")
    return value
