"""One process of a cluster that estimates poses: it loads the networks once and does one video after the other."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from posecli import __version__
from posecli.cli.console import MANNER, Advance, Level
from posecli.cli.exits import explain
from posecli.errors import PosecliError, UsageError

if TYPE_CHECKING:
    from posecli.cli.estimation import Estimation, Outcome, Wishes
    from posecli.pipeline.session import Settings

ENVIRONMENT = "POSECLI_"  # what is told to posecli by variables, a worker is told too


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker must have in common with the process that sends it videos."""

    folder: Path  # paths are relative to it
    variables: dict[str, str]
    version: str

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process."""
        variables = {name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT)}
        return cls(Path.cwd(), variables, __version__)

    def enter(self) -> None:
        """Makes them those of this process.

        Raises:
            PosecliError: there is no such folder here, or this is another version.
        """
        host = platform.node()
        if self.version != __version__:
            raise PosecliError(
                f"{host} has posecli {__version__}, not {self.version}: install the same everywhere"
            )
        os.environ.update(self.variables)
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise PosecliError(
                f"{host} has no {self.folder} ({error.strerror}): run where all machines see the same folder"
            ) from error


@dataclass(frozen=True, slots=True)
class Job:
    """One video."""

    source: str
    output: Path


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one video: an outcome, or the reason why there is none."""

    host: str
    outcome: Outcome | None
    failure: str = ""
    concerns_all: bool = False  # the reason: no other video would go better
    warnings: tuple[str, ...] = ()


class Worker:
    """Estimates one video at a time. Its progress may be asked for, and it may be told to stop, by another thread."""

    def __init__(self, settings: Settings, wishes: Wishes, surroundings: Surroundings) -> None:
        self._settings, self._wishes, self._surroundings = settings, wishes, surroundings
        self._estimation: Estimation | None = None
        self._warnings: list[str] = []
        self._frames: tuple[int, int | None] = (0, None)  # done, and how many there are, about
        self._is_stopped = False

    def start(self) -> None:
        """Loads the networks.

        Raises:
            PosecliError: they or the device are not there, or the machine has not what it needs to have.
        """
        from posecli.cli.estimation import Estimation

        self._surroundings.enter()
        MANNER.listener = self
        self._estimation = Estimation(self._settings, self._wishes)
        _ = self._estimation.session.networks

    def run(self, job: Job) -> Result:
        """One video, whatever comes of it."""
        assert self._estimation is not None
        self._warnings, self._frames = [], (0, None)
        host, outcome, failure, concerns_all = platform.node(), None, "", False
        try:
            outcome = self._estimation.run(job.source, job.output)
        except KeyboardInterrupt:
            failure = "interrupted"
        except Exception as error:
            failure, concerns_all = explain(error)[0], isinstance(error, UsageError)
        return Result(host, outcome, failure, concerns_all, tuple(self._warnings))

    def frames(self) -> tuple[int, int | None]:
        """How many are done of the video that it is at, and how many there are, about."""
        return self._frames

    def stop(self) -> None:
        """Ends the video that it is at, as Ctrl-C would; the journal has all but the last section."""
        self._is_stopped = True

    def say(self, level: Level, message: str) -> None:
        """Keeps warnings for the result; hints are for those who sit before a terminal."""
        if level == "warning":
            self._warnings.append(message)

    @contextmanager
    def progress(self, total: int | None) -> Iterator[Advance]:
        """Counts the frames."""

        def advance(note: str = "") -> None:
            self._frames = self._frames[0] + 1, total
            if self._is_stopped:
                raise KeyboardInterrupt

        yield advance
