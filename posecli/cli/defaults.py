"""Defaults of options from the environment and from config files; a flag on the command line counts more than both.

A variable is called POSECLI_COMMAND_OPTION, POSECLI_ESTIMATE_MIN_SCORE for instance. In a file, options stand in the
table of their command by their names without dashes: [estimate] and min-score = 0.3.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from posecli.cli.exits import ClickUsageError, usage_message
from posecli.config import COMMANDS, PROJECT_FILE, Config, read_configs
from posecli.errors import PosecliError

# A project's file comes with a folder, which may come from anybody: what runs code (an ultralytics model is a pickle)
# or deletes files is not for it to say.
PERSONAL = ("detector", "force")
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Setting:
    """The value that an option has without a flag, and who says so."""

    command: str
    option: str  # without dashes
    parameter: str  # its name in Python
    value: Any
    source: str  # "default", a variable, or a file


def default_map(context: Any) -> dict[str, dict[str, Any]]:
    """What Click takes for the defaults of every command: values of the environment and of config files.

    Args:
        context: Click's, of the root command.

    Raises:
        PosecliError: a file or variable has an option that there is not, or a value that cannot be; says which.
    """
    return {
        command: {setting.parameter: setting.value for setting in found if setting.source != "default"}
        for command, found in all_settings(context).items()
    }


def all_settings(context: Any) -> dict[str, list[Setting]]:
    """Every option of every command with its value and where that is from.

    Raises:
        PosecliError: as default_map.
    """
    configs = read_configs()
    return {command: list(_settings(context, command, configs)) for command in COMMANDS}


def _settings(context: Any, command: str, configs: list[Config]) -> Iterator[Setting]:
    parameters = options_of(context, command)
    for config in configs:
        _check_names(command, config, parameters)
    for option, parameter in parameters.items():
        value, source = _lookup(command, option, parameter, configs)
        if source != "default":
            place = source if source.startswith("$") else f"{source}: {command}.{option}"
            _check_value(context, parameter, value, place)
        yield Setting(command, option, parameter.name, value, source)


def options_of(context: Any, command: str) -> dict[str, Any]:
    """Click's parameters of a command's options, by their long names without dashes."""
    found = context.command.get_command(context, command)
    options = {}
    for parameter in found.params:
        names = [name for name in parameter.opts if name.startswith("--")]
        if names:
            options[names[0].removeprefix("--")] = parameter
    return options


def variable_of(command: str, option: str) -> str:
    """The environment variable of an option."""
    return f"POSECLI_{command}_{option}".upper().replace("-", "_")


def _lookup(command: str, option: str, parameter: Any, configs: list[Config]) -> tuple[Any, str]:
    variable = variable_of(command, option)
    if text := os.environ.get(variable):
        return _from_text(text, parameter, variable), f"${variable}"
    for config in reversed(configs):
        if option in config.options.get(command, {}):
            return config.options[command][option], str(config.path)
    return parameter.default, "default"


def _from_text(text: str, parameter: Any, variable: str) -> Any:
    """An environment variable as a value: lists are separated by spaces."""
    if parameter.multiple:
        return text.split()
    if not _is_switch(parameter):
        return text
    if text.lower() not in (*TRUE, *FALSE):
        raise PosecliError(f"${variable}: {text!r} is neither true nor false")
    return text.lower() in TRUE


def _check_names(command: str, config: Config, parameters: dict[str, Any]) -> None:
    for option in config.options.get(command, {}):
        if option not in parameters:
            known = ", ".join(parameters)
            raise PosecliError(f"{config.path}: [{command}] has no option '{option}'; known: {known}")
        if option in PERSONAL and config.path == PROJECT_FILE:
            raise PosecliError(
                f"{config.path}: {command}.{option} is not for a project's file to set: use the flag, "
                "or your own file (posecli config path)"
            )


def _check_value(context: Any, parameter: Any, value: Any, where: str) -> None:
    """Whether the option takes the value: kinds as in TOML, and what Click would say, with the place."""
    is_list = isinstance(value, list)
    if is_list != bool(parameter.multiple):
        raise PosecliError(
            f"{where}: must be {'a list' if parameter.multiple else 'one value'}, found {value!r}"
        )
    for item in value if is_list else [value]:
        if isinstance(item, bool) != _is_switch(parameter) or isinstance(item, dict | list):
            wanted = "true or false" if _is_switch(parameter) else "a text or number"
            raise PosecliError(f"{where}: must be {wanted}, found {item!r}")
    try:
        parameter.process_value(context, value)
    except Exception as error:
        if not isinstance(error, ClickUsageError):
            raise
        raise PosecliError(f"{where} = {value!r}: {usage_message(error)}") from None


def _is_switch(parameter: Any) -> bool:
    return bool(parameter.is_flag)
