"""Filters by name, one after the other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from posecli.errors import UsageError
from posecli.smooth.butterworth import Butterworth
from posecli.smooth.fill import Fill
from posecli.smooth.filter import Filter
from posecli.smooth.hampel import Hampel
from posecli.smooth.median import Median
from posecli.smooth.one_euro import OneEuro
from posecli.smooth.recording import Changes, clock, find_people, trajectory
from posecli.smooth.savitzky_golay import SavitzkyGolay
from posecli.smooth.trajectory import Trajectory
from posecli.types import Poses, SmoothedPoses

FILTERS: dict[str, type[Filter]] = {
    kind.name: kind for kind in (Fill, Hampel, Median, OneEuro, Butterworth, SavitzkyGolay)
}

# What `posecli smooth` does unless it is told otherwise; chosen by measurement (docs/smoothing.md).
DEFAULT_FILTERS = ("fill", "hampel", "butterworth")
# The best of those that a stream can have; four frames of delay.
STREAM_FILTERS = ("hampel", "savitzky-golay")


@dataclass(frozen=True, slots=True)
class Chain:
    """Filters in the order in which they are applied.

    Args:
        min_score: keypoints below it are not seen by the filters. Where none of them fills such a keypoint, it stays
            as it is.
    """

    filters: tuple[Filter, ...]
    min_score: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise UsageError(f"min_score must be from 0 to 1, not {self.min_score}")

    @property
    def reach(self) -> int | None:
        """On how many frames before and after it a value depends; None: on all."""
        reaches = [each.reach for each in self.filters]
        return None if None in reaches else sum(reach for reach in reaches if reach)

    def apply(self, track: Trajectory) -> Trajectory:
        is_unsure_TK1 = (track.scores_TK < self.min_score)[..., None]
        track = replace(track, points_TK2=np.where(is_unsure_TK1, np.nan, track.points_TK2))
        for each in self.filters:
            track = each.apply(track)
        return track

    def provenance(self) -> dict[str, Any]:
        """What a file shall tell of it."""
        filters = [{"name": each.name} | dataclasses.asdict(each) for each in self.filters]  # type: ignore[call-overload]
        return {"filters": filters, "min_score": self.min_score}


def make_chain(filters: Iterable[str], *, min_score: float = 0.0) -> Chain:
    """Filters as users spell them: NAME or NAME:PARAMETER=VALUE,PARAMETER=VALUE.

    Raises:
        UsageError: an unknown name or parameter, or a value that cannot be.
    """
    return Chain(tuple(make_filter(text) for text in filters), min_score)


def make_filter(text: str) -> Filter:
    """One filter; raises as make_chain."""
    name, _, rest = text.partition(":")
    if name not in FILTERS:
        raise UsageError(f"filter {name}: unknown; known are {', '.join(FILTERS)}")
    fields = {field.name: field for field in dataclasses.fields(FILTERS[name])}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for part in rest.split(",") if rest else ():
        parameter, equals, value = part.partition("=")
        if parameter not in fields or not equals:
            known = ", ".join(f"{field}=" for field in fields)
            raise UsageError(f"filter {name}: {part!r} is no parameter of it; they are {known}")
        if parameter in values:
            raise UsageError(f"filter {name}: {parameter} is given twice")
        values[parameter] = _parse(value, type(fields[parameter].default), f"filter {name}: {parameter}")
    return FILTERS[name](**values)


def _parse(text: str, kind: type, what: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise UsageError(f"{what} is true or false, not {text!r}")
        return text == "true"
    try:
        value = kind(text)
    except ValueError:
        noun = {int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{what} must be {noun}, not {text!r}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{what} must be a finite number, not {text!r}")
    return value


def smooth(frames: Sequence[Poses], chain: Chain, *, frame_rate: float | None = None) -> list[SmoothedPoses]:
    """The poses of a whole video through a chain, each person by themselves.

    Frames, people and identities stay; people are added where a gap of theirs is filled.

    Args:
        frames: in order of their index.
        frame_rate: frames a second, for frames whose times are not known.

    Raises:
        PosecliError: the frames' times are not known, or do not increase.
    """
    changes = Changes(frames)
    people = find_people(frames)
    if people:
        times, steps = clock(frames, frame_rate)
        for track_id, rows in people.items():
            raw = trajectory(frames, times, steps, track_id, rows)
            changes.put(rows, raw, chain.apply(raw))
    return changes.smoothed
