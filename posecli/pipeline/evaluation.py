"""A model on a dataset: sequence by sequence into a metric and, if asked for, into result files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from posecli.data.footage import Footage
from posecli.data.packed import PackedPeople
from posecli.data.results import ResultForm, result_name, write_results
from posecli.formats.base import conversion, weighted_by_box
from posecli.metrics.protocol import DatasetMetric, Report
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.footage import PeopleSource, pose_footage
from posecli.pipeline.options import Options
from posecli.skeletons import Skeleton
from posecli.types import Poses

OnFrame = Callable[[Footage, Poses], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultFolder:
    """Where result files go."""

    path: Path
    form: ResultForm
    skeleton: Skeleton  # the model's, for the provenance
    provenance: dict[str, Any]

    def write(self, footage: Footage, poses: Mapping[int, Poses], sequences: Sequence[Footage]) -> None:
        """One sequence's file. In PoseTrack's forms a joint's score is its heatmap's times its box's."""
        frames = [poses[place] for place in sorted(poses)]
        if self.form != "coco":
            frames = [weighted_by_box(frame) for frame in frames]
        self.path.mkdir(exist_ok=True)
        file = self.path / result_name(footage, sequences)
        provenance = self.provenance | conversion(self.skeleton, footage.skeleton)
        write_results(file, footage, frames, self.form, provenance)


def evaluate(
    sequences: Sequence[Footage],
    people: PeopleSource,
    model: PoseModel | FlipTested,
    metric: DatasetMetric,
    options: Options,
    *,
    stills: bool = False,
    results: ResultFolder | None = None,
    on_frame: OnFrame = lambda footage, poses: None,
) -> None:
    """Every labelled frame into the metric; one sequence's poses are held at a time.

    Args:
        sequences: in the order in which the metric wants them.
        stills: each is a single picture. They are taken together: batches go over pictures, and there is one result
            file.
        on_frame: is told of each frame.

    Raises:
        PosecliError: a picture is missing or damaged, or a result cannot be written.
    """
    if stills and sequences:
        sequences = [_album(sequences)]
    for footage in sequences:
        poses: dict[int, Poses] = {}
        for frame in pose_footage(footage, people, model, options, stills=stills):
            poses[frame.frame_index] = frame
            on_frame(footage, frame)
        metric.update(footage, poses)
        if results is not None:
            results.write(footage, poses, sequences)


def mean_report(reports: Sequence[Report]) -> Report:
    """The mean of several parts of a dataset, figure by figure."""
    return {
        row: {name: float(np.mean([report[row][name] for report in reports])) for name in figures}
        for row, figures in reports[0].items()
    }


def _album(stills: Sequence[Footage]) -> Footage:
    """Stills as one sequence."""
    people = {place: still.people[0] for place, still in enumerate(stills) if 0 in still.people}
    first = stills[0]
    return replace(
        first,
        name=first.frames[0].path.parent.name,
        frames=tuple(still.frames[0] for still in stills),
        people=PackedPeople(people),
        ignored={place: still.ignored[0] for place, still in enumerate(stills) if 0 in still.ignored},
    )
