"""posecli eval: how good poses are, by the published metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from posecli.cli.checks import check_output
from posecli.cli.console import warnings_in_one_line
from posecli.cli.eval_dataset import DatasetRun, ResultFormat, evaluate_dataset
from posecli.cli.manner import LogJsonOption, ProgressOption
from posecli.cli.options import (
    MOST_AT_ONCE,
    BoxesOption,
    DetectorOption,
    DeviceOption,
    ForceOption,
    PrecisionOption,
    QuietOption,
    ThreadsOption,
)
from posecli.cli.reports import show_report, write_csv, write_json
from posecli.config import DatasetName
from posecli.errors import UsageError

MetricName = Literal["posetrack", "posetrack21", "pck", "oks"]


def eval_(
    metric: Annotated[
        MetricName | None, typer.Option(metavar="NAME", help="posetrack, posetrack21, pck or oks.")
    ] = None,
    gt: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The ground truth: a file, or a folder of them.")
    ] = None,
    pred: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The predictions: a file, or a folder of them.")
    ] = None,
    dataset: Annotated[
        DatasetName | None,
        typer.Option(
            metavar="NAME",
            help="Run a model on it: posetrack17, posetrack18, posetrack21, sub-jhmdb, coco or clips.",
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the dataset lies; see docs/datasets.md.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="val unless given; of sub-jhmdb 1, 2, 3 or all.")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="A model's name, or a file that posecli train wrote.")
    ] = "glsmamba-t",
    boxes: BoxesOption = None,
    gt_boxes: Annotated[bool, typer.Option("--gt-boxes", help="Take the ground truth's boxes.")] = False,
    detector: DetectorOption = "embedded",
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE",
            min=0,
            max=1,
            help="The lowest box score that counts; all of --boxes unless given.",
        ),
    ] = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="Average with the heatmaps of the mirrored window.")
    ] = False,
    save_results: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the poses there, one file a sequence.")
    ] = None,
    result_format: Annotated[
        ResultFormat | None,
        typer.Option(
            metavar="NAME", help="posetrack17, posetrack18 or coco; the dataset's own unless given."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the first N sequences (pictures of coco).")
    ] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    batch: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=MOST_AT_ONCE, help="Windows of one person that run at once."),
    ] = 8,
    threads: ThreadsOption = 0,
    mota: Annotated[bool, typer.Option("--mota", help="Also MOTA, of predictions with track ids.")] = False,
    joints: Annotated[bool, typer.Option("--joints", help="Also the figures of every joint.")] = False,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every figure as JSON.")
    ] = None,
    csv_: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write every figure as a table.")
    ] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    progress_: ProgressOption = "auto",
    log_json: LogJsonOption = False,
) -> None:
    """Tell how good a model is on a dataset, or how good poses in files are: PoseTrack AP and MOTA, PCK, or OKS AP.

    Example: posecli eval --dataset posetrack17 --data DIR --gt-boxes

    Example: posecli eval --metric posetrack --gt annotations/val --pred results --json figures.json
    """
    for output in (json_, csv_):
        if output is not None:
            check_output(output, gt, pred, boxes, what="figures file", force=force)
    with warnings_in_one_line(quiet):
        if dataset is None:
            report, info = _from_files(metric, gt, pred, mota)
        elif metric is not None or gt is not None or pred is not None:
            raise UsageError(
                "--dataset runs a model; --metric, --gt and --pred compare files: give one or the other"
            )
        else:
            run = DatasetRun(
                dataset=dataset, data=data, split=split, model=model, boxes=boxes, gt_boxes=gt_boxes,
                detector=detector, threshold=threshold, flip=flip, mota=mota, save_results=save_results,
                result_format=result_format, limit=limit, device=device, precision=precision, batch=batch,
                threads=threads, force=force, quiet=quiet,
            )  # fmt: skip
            report, info = evaluate_dataset(run)
    if json_ is not None:
        write_json(json_, report, info)
    if csv_ is not None:
        write_csv(csv_, report)
    show_report(report, info["metric"], joints=joints)


def _from_files(
    metric: MetricName | None, gt: Path | None, pred: Path | None, mota: bool
) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    if metric is None or gt is None or pred is None:
        raise UsageError("give --dataset, or --metric, --gt and --pred")
    if mota and metric not in ("posetrack", "posetrack21"):
        raise UsageError("--mota belongs to --metric posetrack and posetrack21")
    from posecli import __version__
    from posecli.metrics.from_files import evaluate_files

    report = evaluate_files(metric, gt, pred, mota=mota)
    return report, {"tool": f"posecli {__version__}", "metric": metric, "gt": str(gt), "pred": str(pred)}
