"""How a command ends: every error as one line and an exit code, every interruption with its clean-up.

0 fine, 1 failed, 2 wrong usage, 128 + N ended by signal N (130: Ctrl-C).
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from posecli.cli.console import be_plain, one_line, say
from posecli.errors import PosecliError

# Click's UsageError, wherever it lives: older Typers depend on Click, newer ones carry a copy inside.
ClickUsageError = typer.BadParameter.__mro__[1]
INTERRUPTED = 128 + signal.SIGINT


def run(command: Callable[[], int | None]) -> int:
    """Calls the command; what goes wrong becomes one line on standard error.

    Returns:
        The exit code.
    """
    message = ""
    be_plain()
    try:
        with _signals_unwind():
            code = command() or 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if _is_debugging():
            traceback.print_exc()
        message, code = explain(error)
    if code == INTERRUPTED and not message:
        message = "interrupted"
    if message:
        say("error", message, code=code)
    return code


def explain(error: Exception) -> tuple[str, int]:
    """One line for the user, and the exit code."""
    if isinstance(error, PosecliError):
        return one_line(str(error)), error.exit_code
    if isinstance(error, ClickUsageError):
        return _usage(error), 2
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}", 1
    if _is_out_of_memory(error):
        return "out of memory: use a smaller --batch and --chunk, or another --device", 1
    reason = one_line(str(error))
    return (
        f"internal error, please report it: {type(error).__name__}{': ' if reason else ''}{reason} "
        "(POSECLI_DEBUG=1 shows where)"
    ), 1


def _usage(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    message = _tidied(error.format_message())  # type: ignore[attr-defined]
    if context is None:
        return message
    if not message or type(error).__name__ == "NoArgsIsHelpError":
        return ""  # the help itself has been shown
    return f"{message} (see {context.command_path} --help)"


def usage_message(error: Exception) -> str:
    """What is wrong with a value by Click's words, without the option's name."""
    return _tidied(error.message)  # type: ignore[attr-defined]


def _tidied(message: str) -> str:
    return one_line(message).replace("Value error, ", "").rstrip(".")


def _is_out_of_memory(error: Exception) -> bool:
    # By name and text, since PyTorch is not imported for it: its CPU allocator raises a plain RuntimeError.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator" in str(error)
    )


def _is_debugging() -> bool:
    return os.environ.get("POSECLI_DEBUG", "") not in ("", "0")


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """Within this block, being told to end runs the clean-up of every `with`, as Ctrl-C does by itself."""

    def unwind(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    # Not where it is ignored: nohup wants a command to survive its terminal.
    chosen = [
        number
        for name in ("SIGTERM", "SIGHUP")
        if (number := getattr(signal, name, None)) and signal.getsignal(number) == signal.SIG_DFL
    ]
    for number in chosen:
        signal.signal(number, unwind)
    try:
        yield
    finally:
        for number in chosen:
            signal.signal(number, signal.SIG_DFL)
