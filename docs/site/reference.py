"""The page of every command and option, made from the command line itself."""

from __future__ import annotations

import inspect
from typing import Any

import typer.main

from posecli.cli import app

HEAD = """# Reference of the command line

Made from the code: every command, argument and option. [The command line](cli.md) has examples and explanations,
[config files](config.md) tells how defaults are changed.
"""


def reference() -> str:
    """All commands as one page of Markdown."""
    root = typer.main.get_command(app)
    parts = [HEAD]
    for name, command in sorted(root.commands.items()):  # type: ignore[attr-defined]
        for words, leaf in _leaves(f"posecli {name}", command):
            parts.append(_section(words, leaf))
    return "\n".join(parts)


def _leaves(words: str, command: Any) -> list[tuple[str, Any]]:
    """A command that does something, or those of a group."""
    if not hasattr(command, "commands"):
        return [(words, command)]
    return [leaf for name, child in command.commands.items() for leaf in _leaves(f"{words} {name}", child)]


def _section(words: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    usage = " ".join([words, "[OPTIONS]", *(_argument(parameter) for parameter in arguments)])
    text, _, examples = inspect.cleandoc(command.help or "").partition("Example:")
    shown = [line.strip() for line in examples.replace("Example:", "\n").splitlines() if line.strip()]
    parts = [f"## {words}", "```text\n" + usage + "\n```", text.strip()]
    if shown:
        parts.append("```console\n" + "\n".join(shown) + "\n```")
    if arguments:
        rows = [f"| `{p.metavar or p.name.upper()}` | {_escaped(p.help)} |" for p in arguments]
        parts.append("\n".join(["| argument | meaning |", "|---|---|", *rows]))
    if options:
        rows = [_row(parameter) for parameter in options]
        parts.append("\n".join(["| option | default | meaning |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _row(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = "" if parameter.is_flag else f" {_escaped(parameter.metavar or 'VALUE')}"
    return f"| {names}{value} | {_default(parameter)} | {_escaped(parameter.help)} |"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    if parameter.default is None or parameter.default is False:
        return ""
    return "on" if parameter.default is True else f"`{parameter.default}`"


def _escaped(text: str | None) -> str:
    """The text within a cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
