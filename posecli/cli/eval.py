"""posecli eval: how good poses are, by the published metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from posecli.cli.checks import check_output
from posecli.cli.console import warnings_in_one_line
from posecli.cli.options import QuietOption
from posecli.cli.reports import show_report, write_csv, write_json
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
    mota: Annotated[bool, typer.Option("--mota", help="Also MOTA, of predictions with track ids.")] = False,
    joints: Annotated[bool, typer.Option("--joints", help="Also the figures of every joint.")] = False,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every figure as JSON.")
    ] = None,
    csv_: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write every figure as a table.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Tell how good poses are: PoseTrack AP and MOTA, PCK, or OKS AP.

    Example: posecli eval --metric posetrack --gt annotations/val --pred results --json figures.json
    """
    for output in (json_, csv_):
        if output is not None:
            check_output(output, gt, pred, what="figures file")
    with warnings_in_one_line(quiet):
        report, info = _from_files(metric, gt, pred, mota)
    if json_ is not None:
        write_json(json_, report, info)
    if csv_ is not None:
        write_csv(csv_, report)
    show_report(report, info["metric"], joints=joints)


def _from_files(
    metric: MetricName | None, gt: Path | None, pred: Path | None, mota: bool
) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    if metric is None or gt is None or pred is None:
        raise UsageError("give --metric, --gt and --pred")
    if mota and metric not in ("posetrack", "posetrack21"):
        raise UsageError("--mota belongs to --metric posetrack and posetrack21")
    from posecli import __version__
    from posecli.metrics.from_files import evaluate_files

    report = evaluate_files(metric, gt, pred, mota=mota)
    return report, {"tool": f"posecli {__version__}", "metric": metric, "gt": str(gt), "pred": str(pred)}
