"""One command in a process of its own, under limits of time and memory, and what came of it."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MIB = 1 << 20
UNREADABLE = 77  # exit code of a child whose command said 0 and left an output that cannot be read
MOST_LINES = 1  # an error is said in one line, beside the warnings


class Outcome(StrEnum):
    """The last eight are failures of the tool."""

    FINE = "ok"
    FAILED = "one-line error, exit code 1"
    USAGE = "one-line error, exit code 2"
    TRACEBACK = "TRACEBACK"
    WORDY = "ERROR OF NO OR SEVERAL LINES"
    CODE = "ANOTHER EXIT CODE"
    CRASH = "CRASH"
    HANG = "HANG"
    MEMORY = "OUT OF MEMORY"
    HALF_WRITTEN = "HALF-WRITTEN"
    STRAYED = "WROTE ELSEWHERE"

    @property
    def is_clean(self) -> bool:
        return self in (Outcome.FINE, Outcome.FAILED, Outcome.USAGE)


@dataclass(frozen=True, slots=True)
class Trial:
    """A command and the files it may write.

    Attributes:
        harm: what was done to its input, in a few words.
        arguments: after `posecli`.
        output: what it writes, relative to the folder it runs in; None if it only says something.
    """

    harm: str
    arguments: tuple[str, ...]
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one command: seconds, and bytes of address space beyond what the imports take."""

    seconds: float = 60
    memory: int = 2048 * MIB


def run_trial(trial: Trial, folder: Path, limits: Limits) -> tuple[Outcome, str]:
    """Runs the command in folder/work; files of the folder around it are not its business.

    The process is a fork of this one, which has imported everything: it costs milliseconds, and a crash, a hang or
    a flood of memory stays its own.

    Returns:
        The outcome, and the last that the command said.
    """
    before = snapshot(folder)
    said = folder.with_name(folder.name + ".stderr")
    child = os.fork()
    if not child:
        _become_command(trial, folder / "work", said, limits)
    status = _wait(child, limits.seconds)
    text = said.read_text("utf-8", "replace")
    said.unlink()
    return _judge(trial, status, text, _changed(before, snapshot(folder))), text.strip()[-600:]


def snapshot(folder: Path) -> dict[str, str]:
    """Every file's hash and every link's target, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = f"-> {path.readlink()}"
        elif path.is_file():
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[str(path.relative_to(folder))] = "folder"
    return found


def _become_command(trial: Trial, folder: Path, said: Path, limits: Limits) -> None:
    """Ends the process: nothing of the parent's runs on in it."""
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        for number, target in ((0, os.devnull), (1, os.devnull), (2, str(said))):
            os.dup2(os.open(target, os.O_RDWR | os.O_CREAT, 0o600), number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", errors="replace") for number in (1, 2))
        most = _address_space() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        code = _call(trial)
    except BaseException:  # whatever it is, it is what is looked for
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _call(trial: Trial) -> int:
    from posecli.cli import main

    sys.argv = ["posecli", *trial.arguments]
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    if code == 0 and trial.output is not None:
        try:
            return code if _is_whole(Path(trial.output)) else UNREADABLE
        except Exception:  # whatever it is: the output cannot be read
            return UNREADABLE
    return code


def _is_whole(output: Path) -> bool:
    """Whether what a command wrote can be read to its end."""
    from posecli.formats import read_poses
    from posecli.formats.boxes import read_boxes
    from posecli.video import open_source

    if output.suffix == ".html":
        return output.read_text("utf-8").rstrip().endswith("</html>")
    if output.suffix in (".mp4", ".gif"):
        with open_source(output) as video:
            return sum(1 for _ in video.frames()) > 0 and not video.warnings
    if output.name.startswith("boxes"):
        return read_boxes(output) is not None
    return read_poses(output) is not None


def _address_space() -> int:
    match = re.search(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) * 1024


def _wait(child: int, seconds: float) -> int | None:
    """The exit status; None if it had to be killed."""
    end = time.monotonic() + seconds
    pause = 0.002
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(0.05, pause * 1.5)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _judge(trial: Trial, status: int | None, said: str, changed: Sequence[str]) -> Outcome:
    if status is None:
        return Outcome.HANG
    strayed = [path for path in changed if not _is_of_output(path, trial.output)]
    lines = [line for line in said.splitlines() if line and not line.startswith("posecli: warning: ")]
    code = os.waitstatus_to_exitcode(status)
    checks = (
        (bool(strayed), Outcome.STRAYED),
        ("Traceback" in said or "internal error" in said, Outcome.TRACEBACK),
        ("memory" in said.lower() or "bad_alloc" in said, Outcome.MEMORY),
        (code < 0, Outcome.CRASH),
        (code == UNREADABLE or bool(code and changed), Outcome.HALF_WRITTEN),
        (code not in (0, 1, 2), Outcome.CODE),
        (code == 0 and bool(lines), Outcome.WORDY),
        (code != 0 and len(lines) != MOST_LINES, Outcome.WORDY),
    )
    wrong = next((outcome for is_so, outcome in checks if is_so), None)
    return wrong or (Outcome.FINE, Outcome.FAILED, Outcome.USAGE)[code]


def _is_of_output(path: str, output: str | None) -> bool:
    """The output, or what belongs to it: OUT.info.json beside it, a file in its folder."""
    return output is not None and path.startswith(f"work/{output}")
