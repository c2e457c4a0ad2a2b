"""posecli doctor: is everything there, and does it work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from posecli.cli.checks import check_device
from posecli.cli.console import count, warnings_in_one_line
from posecli.cli.options import DeviceOption
from posecli.errors import PosecliError

if TYPE_CHECKING:
    from posecli.doctor.finding import Finding, Topic

MARKS = {"ok": ("ok", "green"), "missing": ("--", "yellow"), "failed": ("!!", "red")}


def doctor(
    device: DeviceOption = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test/--no-self-test", help="Find and estimate somebody drawn in memory.")
    ] = True,
) -> None:
    """Say what is installed, what is missing and why, and whether the networks give right numbers.

    Marks: ok, -- for what is not there and not needed for everything, !! for what posecli cannot do without.
    The exit code is 1 if there is any of the last.

    Example: posecli doctor
    """
    check_device(device)
    topics = []
    with warnings_in_one_line(quiet=as_json):
        for topic in _examined(device, self_test):
            topics.append(topic)
            if not as_json:
                _show(topic)
    failed = [finding for topic in topics for finding in topic.findings if finding.status == "failed"]
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "topics": [asdict(topic) for topic in topics]}, indent=2))
    if failed:
        names = ", ".join(finding.name for finding in failed)
        raise PosecliError(f"{count(len(failed), 'thing', 'things')} that posecli needs failed: {names}")


def _examined(device: str, with_self_test: bool) -> Iterator[Topic]:
    """One topic after the other, as they are examined: the last ones take seconds."""
    from posecli.device import use_threads
    from posecli.doctor import media, networks, self_test, system
    from posecli.doctor.finding import examine

    use_threads(0)
    yield examine("This installation", system.machine, system.models, system.configuration)
    yield examine("Packages", system.packages)
    yield examine("Machine", system.room, networks.pytorch, networks.devices)
    yield examine("Video and pictures", media.opencv, media.codecs)
    yield examine("Scan backends", networks.scan_backends)
    if with_self_test:
        yield examine("Self test", partial(self_test.self_test, device))


def _show(topic: Topic) -> None:
    typer.secho(topic.title, bold=True)
    width = max((len(finding.name) for finding in topic.findings), default=0)
    for finding in topic.findings:
        _show_finding(finding, width)


def _show_finding(finding: Finding, width: int) -> None:
    mark, colour = MARKS[finding.status]
    advice = f"; {finding.advice}" if finding.advice else ""
    typer.echo(f"  {typer.style(mark, fg=colour)} {finding.name:<{width}}  {finding.detail}{advice}")
