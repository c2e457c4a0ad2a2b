"""posecli eval --dataset: a model on a dataset, from pictures to figures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from posecli.cli.checks import check_device, check_model
from posecli.cli.console import count, progress
from posecli.cli.options import Precision, use_threads
from posecli.config import DatasetName
from posecli.detect.tracking import DEFAULT_THRESHOLD, DEFAULT_TRACKER
from posecli.errors import PosecliError, UsageError

if TYPE_CHECKING:
    import torch

    from posecli.data.datasets import Dataset
    from posecli.data.footage import Footage
    from posecli.metrics.protocol import Report
    from posecli.pipeline.evaluation import OnFrame, ResultFolder
    from posecli.pipeline.footage import PeopleSource
    from posecli.pipeline.people import MakeTracker
    from posecli.skeletons import Skeleton
    from posecli.types import Poses
    from posecli.weights.models import LoadedModel

ResultFormat = Literal["posetrack17", "posetrack18", "coco"]
EVERY_FOLD = "all"
OWN_FORM: dict[str, ResultFormat] = {
    "posetrack17": "posetrack17",
    "posetrack18": "posetrack18",
    "posetrack21": "posetrack18",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetRun:
    """What was asked for on the command line."""

    dataset: DatasetName
    data: Path | None
    split: str | None  # None: val, or the mean of all folds where the dataset has some
    model: str
    boxes: Path | None
    gt_boxes: bool
    detector: str
    threshold: float | None
    flip: bool
    mota: bool
    save_results: Path | None
    result_format: ResultFormat | None
    limit: int | None
    device: str
    precision: Precision
    batch: int
    threads: int
    force: bool
    quiet: bool


def evaluate_dataset(run: DatasetRun) -> tuple[Report, dict[str, Any]]:
    """The figures, and what the JSON file tells of the run.

    Raises:
        UsageError: options that cannot work together.
        PosecliError: the dataset, the model, boxes or the device are not there.
    """
    from posecli.data.datasets import get_dataset, load_dataset
    from posecli.metrics.of_dataset import metric_of

    dataset = get_dataset(run.dataset)
    _check(run, dataset)
    parts = [load_dataset(run.dataset, run.data, split)[: run.limit] for split in _splits(run.split, dataset)]
    metrics = [metric_of(dataset, mota=run.mota) for _ in parts]

    # Only now PyTorch, which takes seconds to start.
    from posecli.device import pick_device, prefers_bf16

    use_threads(run.threads)
    device = pick_device(run.device)
    bf16 = prefers_bf16(device) if run.precision == "auto" else run.precision == "bf16"

    from posecli.nn.flip_test import FlipTested
    from posecli.pipeline.evaluation import evaluate, mean_report
    from posecli.pipeline.options import Options
    from posecli.weights.models import load_model

    loaded = load_model(run.model)
    model = loaded.model.to(device)
    tested = FlipTested(model) if run.flip else model
    with _people(run, device, bf16) as (people, source):
        info = _info(run, _splits(run.split, dataset), loaded, source, bf16)
        results = _results(run, dataset, model.config.joints, info)
        options = Options(batch=run.batch, bf16=bf16)
        stills = dataset.name == "coco"
        with _progress(parts, run.quiet) as on_frame:
            for sequences, metric in zip(parts, metrics, strict=True):
                evaluate(
                    sequences,
                    people,
                    tested,
                    metric,
                    options,
                    stills=stills,
                    results=results,
                    on_frame=on_frame,
                )
    return mean_report([metric.report() for metric in metrics]), info


def _check(run: DatasetRun, dataset: Dataset) -> None:
    """What can be said before anything is loaded."""
    if run.boxes is not None and run.gt_boxes:
        raise UsageError("--boxes and --gt-boxes: give one of them")
    if run.mota and dataset.metric != "posetrack":
        raise UsageError(
            f"--mota is of the PoseTrack datasets; {dataset.name} is measured by {dataset.metric}"
        )
    if run.result_format is not None and run.save_results is None:
        raise UsageError("--result-format goes with --save-results DIR")
    if run.boxes is not None and not run.boxes.exists():
        raise PosecliError(f"--boxes {run.boxes}: there is no such file or folder")
    check_model(run.model)
    check_device(run.device)
    if run.save_results is not None:
        _check_folder(run.save_results, run.force)


def _check_folder(folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--save-results {folder} is a file: give the name of a folder")
    if not folder.parent.is_dir():
        raise PosecliError(
            f"--save-results {folder}: the folder {folder.parent} does not exist; create it first"
        )
    existing = folder if folder.is_dir() else folder.parent
    if not os.access(existing, os.W_OK):
        raise PosecliError(f"--save-results {folder} cannot be written: {existing} is not yours to write to")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise PosecliError(
            f"--save-results {folder} holds files already: give --force to replace them, or another folder"
        )


def _splits(split: str | None, dataset: Dataset) -> list[str]:
    """The parts whose mean is asked for: "all" are the folds that the dataset has, "2" is one of them."""
    if split is None or split == EVERY_FOLD:
        return [f"val{fold}" for fold in dataset.folds]
    return [f"val{split}" if split in dataset.folds else split]


@contextmanager
def _people(
    run: DatasetRun, device: torch.device, bf16: bool
) -> Iterator[tuple[PeopleSource, dict[str, Any]]]:
    """Where people come from, and what the provenance tells of it."""
    from posecli.pipeline.people import BoxesOfFile, FoundPeople, TruePeople

    if run.gt_boxes:
        yield TruePeople(), {"name": "ground truth"}
    elif run.boxes is not None:
        from posecli.data.box_lists import DatasetBoxes

        boxes = DatasetBoxes(run.boxes, run.threshold or 0.0)
        source = {"name": "file", "path": str(run.boxes), "threshold": run.threshold or 0.0}
        yield BoxesOfFile(boxes, _tracker(run)), source
        boxes.check_used()
    else:
        from posecli.detect import make_detector

        threshold = DEFAULT_THRESHOLD if run.threshold is None else run.threshold
        detector = make_detector(run.detector, device=device, threshold=threshold, bf16=bf16)
        yield FoundPeople(detector, chunk=8, make_tracker=_tracker(run)), detector.provenance()


def _tracker(run: DatasetRun) -> MakeTracker | None:
    from posecli.detect.tracking import make_tracker

    if not run.mota:
        return None
    threshold = DEFAULT_THRESHOLD if run.threshold is None else run.threshold
    return lambda rate: make_tracker(DEFAULT_TRACKER, rate, threshold=threshold)


def _results(
    run: DatasetRun, dataset: Dataset, skeleton: Skeleton, info: dict[str, Any]
) -> ResultFolder | None:
    from posecli.pipeline.evaluation import ResultFolder

    if run.save_results is None:
        return None
    form = run.result_format or OWN_FORM.get(dataset.name, "coco")
    return ResultFolder(path=run.save_results, form=form, skeleton=skeleton, provenance=info)


@contextmanager
def _progress(parts: list[list[Footage]], quiet: bool) -> Iterator[OnFrame]:
    total = sum(frame.labelled for sequences in parts for footage in sequences for frame in footage.frames)
    with progress("eval", total, quiet=quiet) as advance:

        def on_frame(footage: Footage, poses: Poses) -> None:
            advance(f"{footage.name}, {count(len(poses), 'person', 'people')}")

        yield on_frame


def _info(
    run: DatasetRun, splits: list[str], loaded: LoadedModel, boxes: dict[str, Any], bf16: bool
) -> dict[str, Any]:
    from posecli import __version__

    return {
        "tool": f"posecli {__version__}",
        "command": "eval",
        "metric": f"{run.dataset} {', '.join(splits)}",
        "dataset": run.dataset,
        "splits": splits,
        "model": {"name": loaded.name, "sha256": loaded.sha256, "precision": "bf16" if bf16 else "fp32"},
        "boxes": boxes,
        "tracker": DEFAULT_TRACKER if run.mota and not run.gt_boxes else None,
        "flip_test": run.flip,
        "limit": run.limit,
    }
