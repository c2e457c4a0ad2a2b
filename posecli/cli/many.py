"""posecli estimate over many videos: each has its output, what is done is skipped, one that fails stops no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from posecli.cli.console import count, say, summary
from posecli.cli.exits import explain
from posecli.errors import PosecliError, UsageError

if TYPE_CHECKING:
    from posecli.cli.estimation import Estimation, Outcome

DEFAULT_FORMAT = "coco"
# Of formats that are only chosen by name and not JSON; a folder of files has none.
SUFFIXES = {"csv-wide": ".csv", "deeplabcut": ".csv", "parquet-wide": ".parquet", "openpose": ""}


@dataclass(slots=True)
class Tally:
    """What came of the videos so far."""

    total: int
    done: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)  # what and why, one line each

    def enter(self, output: Path, outcome: Outcome, *, quiet: bool) -> None:
        """One that went well."""
        self.skipped += outcome.was_done
        self.done += not outcome.was_done
        summary(f"{output}: {outcome}", quiet=quiet)

    def fail(self, source: str, why: str) -> None:
        """One that did not."""
        self.failures.append(f"{source}: {why}")

    def __str__(self) -> str:
        parts = [f"{self.done} of {count(self.total, 'video', 'videos')} done"]
        if self.skipped:
            parts.append(f"{self.skipped} done already")
        if self.failures:
            parts.append(f"{len(self.failures)} failed")
        return ", ".join(parts)


def estimate_many(jobs: Mapping[Path, str], folder: Path, estimation: Estimation, *, quiet: bool) -> None:
    """Every video, one after the other, into its file in the folder.

    Args:
        jobs: outputs, as paths below the folder, with their sources.

    Raises:
        PosecliError: some failed; standard error says which and why.
    """
    _ = estimation.session.networks  # a model that is not there fails once, and not for every video
    with reported(len(jobs), quiet) as tally:
        for number, (place, source) in enumerate(jobs.items(), 1):
            try:
                output = folder / place
                outcome = estimation.run(source, output, f"{number}/{len(jobs)} {place.stem}")
            except UsageError:
                raise
            except Exception as error:
                tally.fail(source, explain(error)[0])
            else:
                tally.enter(output, outcome, quiet=quiet)


def suffix_of(format_name: str | None) -> str:
    """What the files of a format are called by default."""
    from posecli.formats.registry import DEFAULT_BY_SUFFIX

    by_format = SUFFIXES | {name: suffix for suffix, name in DEFAULT_BY_SUFFIX.items()}
    return by_format.get(format_name or DEFAULT_FORMAT, ".json")


@contextmanager
def reported(total: int, quiet: bool) -> Iterator[Tally]:
    """At the end, be it an interruption, what failed is said; a person at a terminal hears of the rest too.

    Raises:
        PosecliError: at the end, some failed.
    """
    tally = Tally(total)
    try:
        yield tally
    finally:
        for failure in tally.failures:
            say("error", f"failed: {failure}")
    if tally.failures:
        raise PosecliError(str(tally))
    summary(str(tally), quiet=quiet)
