"""`posecli config`: which files are read, what they and the environment say, and a file to begin with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posecli.cli.options import ForceOption
from posecli.errors import PosecliError

if TYPE_CHECKING:
    from pathlib import Path

config = typer.Typer(
    help="The config files: defaults of options, and where datasets lie.", no_args_is_help=True
)

ProjectOption = Annotated[
    bool, typer.Option("--project", help="posecli.toml of this folder instead of your own file.")
]


@config.callback()
def root() -> None:
    """The config files: defaults of options, and where datasets lie.

    A flag counts more than an environment variable, that more than ./posecli.toml, that more than your own file.
    """


@config.command("path")
def path(
    project: ProjectOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every place, and which are read.")] = False,
) -> None:
    """Print where your config file is, or would be.

    Example: posecli config path
    """
    from posecli.config import PROJECT_FILE, config_paths, default_paths, user_file

    if not as_json:
        typer.echo(PROJECT_FILE if project else user_file())
        return
    read = config_paths()
    places = dict.fromkeys([*default_paths(), *read])
    typer.echo(json.dumps([{"path": str(place), "read": place in read} for place in places], indent=2))


@config.command("show")
def show(
    context: typer.Context,
    commands: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Only of these; of all unless given.")
    ] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not a default.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every option's value without a flag, and where it is from.

    Example: posecli config show estimate
    """
    from posecli.cli.defaults import all_settings
    from posecli.config import COMMANDS, load_config

    unknown = [command for command in commands or () if command not in COMMANDS]
    if unknown:
        raise PosecliError(f"config show {unknown[0]}: no such command; known: {', '.join(COMMANDS)}")
    settings = [
        setting
        for command, found in all_settings(context.find_root()).items()
        for setting in found
        if command in (commands or COMMANDS) and not (changed and setting.source == "default")
    ]
    data = {} if commands else load_config().data
    if as_json:
        typer.echo(json.dumps({"options": [_plain(setting) for setting in settings],
                               "data": {name: str(folder) for name, folder in data.items()}}, indent=2))  # fmt: skip
        return
    for setting in settings:
        typer.echo(f"{setting.command}.{setting.option} = {_text(setting.value)}\t{setting.source}")
    for name, folder in data.items():
        typer.echo(f"data.{name} = {_text(str(folder))}\tconfig file")


@config.command("init")
def init(context: typer.Context, project: ProjectOption = False, force: ForceOption = False) -> None:
    """Write a config file in which every option stands, commented out, with its default.

    Example: posecli config init
    """
    from posecli.cli.checks import check_output
    from posecli.config import PROJECT_FILE, user_file
    from posecli.formats.atomic import ReplacingFile

    target = PROJECT_FILE if project else user_file()
    _make_folder(target.parent)
    check_output(target, what="config file", force=force)
    with ReplacingFile(target) as file:
        file.write(_template(context.find_root(), project))
    typer.echo(target)


def _template(context: Any, project: bool) -> str:
    from posecli.cli.defaults import PERSONAL, options_of
    from posecli.config import COMMANDS, DATASET_NAMES

    lines = [
        "# posecli's defaults. Take the # from a line to set it; posecli config show tells what counts.",
        "",
    ]
    lines += ["[data]  # folders of datasets; a relative one begins here"]
    lines += [f'# {name} = "FOLDER"' for name in DATASET_NAMES]
    for command in COMMANDS:
        lines += ["", f"[{command}]"]
        for option, parameter in options_of(context, command).items():
            if not parameter.required and not (project and option in PERSONAL):
                example = "[]" if parameter.multiple else _text(parameter.default)
                lines.append(f"# {option} = {example}  # {parameter.help}")
    return "\n".join(lines) + "\n"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PosecliError(f"{folder} cannot be made: {error.strerror}") from error


def _plain(setting: Any) -> dict[str, Any]:
    value = (
        setting.value
        if isinstance(setting.value, bool | int | float | str | list | None)
        else str(setting.value)
    )
    return {"command": setting.command, "option": setting.option, "value": value, "source": setting.source}


def _text(value: Any) -> str:
    """As TOML writes it; nothing for what has no value."""
    if value is None:
        return ""
    return json.dumps(
        value if isinstance(value, bool | int | float | list) else str(value), ensure_ascii=False
    )
