"""Are keypoints' scores what they say? Fits the law that makes them so, and measures it on people it was not fitted on.

    python -m benchmarks.calibration DATA --cache FOLDER [--model FILE] [--write FILE] [--figure FILE.svg]

A score says how likely a keypoint is within a tenth of its box's height from the label. The law (two numbers:
posecli.geometry.heatmaps.calibrate) is fitted on the validation people, clean and degraded. Every figure is out of
fold: of pictures and clips that its law was not fitted on. --write copies the model with the law of them all in its
configuration. Markdown on standard output; --predictions keeps what the network said, for another run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.validation import DEGRADATIONS, Place, Predictions, places, predict
from posecli.device import prefers_bf16
from posecli.errors import PosecliError
from posecli.geometry.heatmaps import calibrate
from posecli.metrics.calibration import brier, calibration_error, fit_law, folds, reliability
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.types import FloatArray
from posecli.weights.locate import embedded_weights
from posecli.weights.models import copy_with_config, load_model, read_config

NEAR = 0.1  # of the box's height
FOLDS = 5
# What the law is fitted on; "cut" is only measured: joints outside the picture are no matter of a law.
FITTED = {"clean": ("clean",), "degraded": tuple(DEGRADATIONS)}
CONDITIONS = FITTED | {"cut": ("cut",)}
JOINTS = {
    "head": (0, 1, 2, 3, 4), "shoulders": (5, 6), "elbows": (7, 8), "wrists": (9, 10),
    "hips": (11, 12), "knees": (13, 14), "ankles": (15, 16),
}  # fmt: skip
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Laws = NDArray[np.float64]  # (K, 2) slope and offset of each keypoint
Chosen = Callable[[Predictions], NDArray[np.bool_]]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.calibration",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded clips")
    parser.add_argument("--model", type=Path, default=embedded_weights("glsmamba-t"))
    parser.add_argument("--per", choices=["all", "joint"], default="all", help="one law, or one a keypoint")
    parser.add_argument("--write", type=Path, help="the calibrated copy; may be the model itself")
    parser.add_argument("--figure", type=Path, help="the reliability diagram, SVG")
    parser.add_argument("--predictions", type=Path, help=".npz: read if it is there, else written")
    parser.add_argument("--every", type=int, default=1, help="only every N-th picture and clip")
    parser.add_argument("--no-flip", dest="flip", action="store_false", help="without the mirrored look")
    arguments = parser.parse_args()
    try:
        run(arguments)
    except PosecliError as error:
        sys.exit(f"calibration: {error}")


def run(arguments: argparse.Namespace) -> None:
    model = load_model(str(arguments.model)).model
    uncalibrated = replace(model.config.heatmap, score_slope=None, score_offset=None)
    model.config = replace(model.config, heatmap=uncalibrated)
    raw = read_predictions(arguments.predictions)
    if raw is None:
        chosen = places(arguments.data, arguments.cache, model)[:: arguments.every]
        raw = ask(FlipTested(model) if arguments.flip else model, chosen)
        write_predictions(arguments.predictions, raw)
    keypoints, per_joint = len(model.config.joints), arguments.per == "joint"
    calibrated = {law: out_of_fold(raw, law == "joint", keypoints) for law in ("all", "joint")}
    print(error_table(raw, calibrated["all"], calibrated["joint"]))
    print(filter_table(calibrated[arguments.per]))
    print(absent_table(calibrated[arguments.per]))
    laws = fit(join(raw, FITTED), per_joint, keypoints)
    print(f"Law: slope {np.unique(laws[:, 0].round(4))}, offset {np.unique(laws[:, 1].round(4))}")
    if arguments.figure:
        draw(raw["clean"], calibrated[arguments.per]["clean"], arguments.figure)
    if arguments.write:
        write_calibrated(arguments.model, arguments.write, laws)


def ask(model: PoseModel | FlipTested, chosen: list[Place]) -> dict[str, Predictions]:
    bf16 = prefers_bf16(torch.device("cpu"))
    return {name: predict(model, chosen, bf16, kinds) for name, kinds in CONDITIONS.items()}


def read_predictions(path: Path | None) -> dict[str, Predictions] | None:
    if path is None or not path.exists():
        return None
    with np.load(path) as stored:
        names = {key.split("/")[0] for key in stored.files}
        fields = {key.split("/")[1] for key in stored.files}
        return {n: Predictions(**{f: stored[f"{n}/{f}"] for f in fields}) for n in CONDITIONS if n in names}


def write_predictions(path: Path | None, raw: Mapping[str, Predictions]) -> None:
    if path is not None:
        arrays = {f"{name}/{field}": v for name, said in raw.items() for field, v in asdict(said).items()}
        np.savez_compressed(path, **arrays)


def join(said: Mapping[str, Predictions], names: Mapping[str, object]) -> Predictions:
    """The labelled keypoints of several conditions."""
    return Predictions.concatenate([part.labelled for name, part in said.items() if name in names])


def hits(said: Predictions) -> NDArray[np.bool_]:
    return said.distance <= NEAR


def balanced(said: Predictions) -> Predictions:
    """People's labels as often as a teacher's, which were kept only where it was sure: the easier ones."""
    people = np.flatnonzero(said.by_people)
    others = np.flatnonzero(~said.by_people)
    if not len(people) or len(people) >= len(others):
        return said
    return said[np.concatenate([others, np.resize(people, len(others))])]


def fit(said: Predictions, per_joint: bool, keypoints: int) -> Laws:
    said = balanced(said)
    if not per_joint:
        return np.tile(fit_law(said.score, hits(said)), (keypoints, 1))
    of = [said[said.joint == joint] for joint in range(keypoints)]
    return np.array([fit_law(part.score, hits(part)) for part in of])


def apply(laws: Laws, said: Predictions) -> FloatArray:
    slope, offset = torch.from_numpy(laws[said.joint].T).float()
    return calibrate(torch.from_numpy(said.score), slope, offset).numpy()


def out_of_fold(raw: Mapping[str, Predictions], per_joint: bool, keypoints: int) -> dict[str, Predictions]:
    """Every condition with the scores of laws that were fitted without its picture or clip."""
    names = np.unique(np.concatenate([said.place for said in raw.values()]))
    sizes = np.concatenate([said.place for said in raw.values()])
    fold_of = dict(zip(sizes.tolist(), folds(sizes.tolist(), FOLDS).tolist(), strict=True))
    assert len(fold_of) == len(names)
    everything = join(raw, FITTED)
    fitted_in = np.array([fold_of[name] for name in everything.place.tolist()])
    laws = [fit(everything[fitted_in != fold], per_joint, keypoints) for fold in range(FOLDS)]
    result = {}
    for condition, said in raw.items():
        fold_N = np.array([fold_of[name] for name in said.place.tolist()])
        score = said.score.copy()
        for fold in range(FOLDS):
            score[fold_N == fold] = apply(laws[fold], said[fold_N == fold])
        result[condition] = replace(said, score=score)
    return result


def rows_of(said: Mapping[str, Predictions]) -> list[tuple[str, str, Chosen]]:
    """(name, condition, which keypoints) of the table's rows."""
    rows: list[tuple[str, str, Chosen]] = [
        ("**all, clean**", "clean", lambda p: np.ones(len(p), bool)),
        ("labelled by people", "clean", lambda p: p.by_people),
        ("labelled by a teacher", "clean", lambda p: ~p.by_people),
        ("people wider than 3:4", "clean", lambda p: p.height < 0.98 * p.height.max()),
        ("cocosub", "clean", lambda p: p.by_people & (p.group == "cocosub")),
        ("lspet", "clean", lambda p: p.by_people & (p.group == "lspet")),
        *((name, "clean", lambda p, of=joints: np.isin(p.joint, of)) for name, joints in JOINTS.items()),
        ("**degraded**", "degraded", lambda p: np.ones(len(p), bool)),
        ("cut, joints in the crop", "cut", lambda p: ~p.outside),
        ("cut, all joints", "cut", lambda p: np.ones(len(p), bool)),
    ]
    return [row for row in rows if row[1] in said]


def error_table(
    raw: Mapping[str, Predictions], one: Mapping[str, Predictions], joint: Mapping[str, Predictions]
) -> str:
    """Expected calibration error before and after, and Brier's score."""
    lines = [
        "| keypoints | number | hits | mean score, raw | calibrated | ECE, raw | **one law** | (equal widths) "
        "| a law a joint | Brier, raw | one law |",
        "|" + "---|" * 11,
    ]
    for name, condition, which in rows_of(raw):
        parts = [said[condition].labelled for said in (raw, one, joint)]
        before, after, by_joint = (part[which(part)] for part in parts)
        hit = hits(before)
        if not len(hit):
            continue
        errors = [calibration_error(reliability(part.score, hit)) for part in (before, after, by_joint)]
        widths = calibration_error(reliability(after.score, hit, "width"))
        cells = [hit.mean(), before.score.mean(), after.score.mean(), errors[0], errors[1], widths, errors[2]]
        cells += [brier(before.score, hit), brier(after.score, hit)]
        lines.append(f"| {name} | {len(hit)} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def filter_table(said: Mapping[str, Predictions]) -> str:
    """What is kept by a lowest score: how much of it is right, and how much of what is right."""
    lines = [
        "| lowest score | " + " | ".join(f"{name}: kept | right | of the right ones" for name in said) + " |"
    ]
    lines.append("|" + "---|" * (1 + 3 * len(said)))
    for threshold in THRESHOLDS:
        cells = []
        for part in (part.labelled for part in said.values()):
            hit, kept = hits(part), part.score >= threshold
            right = hit[kept].mean() if kept.any() else float("nan")
            cells += [kept.mean(), right, kept[hit].mean()]
        lines.append(f"| {threshold:.1f} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def absent_table(said: Mapping[str, Predictions]) -> str:
    """Scores of joints that have no label, or lie outside the crop."""
    groups = {
        "labelled": said["clean"].labelled,
        "unlabelled": said["clean"][np.isnan(said["clean"].distance)],
    }
    if "cut" in said:
        cut = said["cut"].labelled
        groups["cut, outside the crop"] = cut[cut.outside]
    lines = ["| joints | number | 10 % | 25 % | median | 75 % | 90 % |", "|" + "---|" * 7]
    for name, part in groups.items():
        if len(part):
            cells = np.quantile(part.score, [0.1, 0.25, 0.5, 0.75, 0.9])
            lines.append(f"| {name} | {len(part)} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def write_calibrated(source: Path, target: Path, laws: Laws) -> None:
    config = read_config(source)
    slope, offset = (tuple(round(float(v), 4) for v in column) for column in laws.T)
    heatmap = replace(config.heatmap, score_slope=slope, score_offset=offset)
    copy_with_config(source, target, replace(config, heatmap=heatmap))


def draw(raw: Predictions, calibrated: Predictions, path: Path) -> None:
    """The reliability diagram of everyone, and of those whom people labelled."""
    from benchmarks.quality.plots import SETTINGS, plt, save

    with plt.rc_context(SETTINGS):
        figure, panels = plt.subplots(1, 2, figsize=(7, 3.4), sharey=True)
        for panel, (title, chosen) in zip(
            panels, {"all labels": None, "labels by people": 1}.items(), strict=True
        ):
            panel.plot([0, 1], [0, 1], color="#000000", linewidth=0.8)
            for name, said, colour, marker in (
                ("raw", raw.labelled, "#E69F00", "o"),
                ("calibrated, out of fold", calibrated.labelled, "#0072B2", "s"),
            ):
                part = said if chosen is None else said[said.by_people]
                points = reliability(part.score, hits(part))
                error = calibration_error(points)
                scores, shares = [p.score for p in points], [p.hit for p in points]
                label = f"{name}: ECE {error:.3f}"
                panel.plot(scores, shares, color=colour, marker=marker, markersize=4, label=label)
            panel.set(title=title, xlabel="mean score", xlim=(0, 1), ylim=(0, 1))
            panel.legend(loc="upper left", frameon=False)
        panels[0].set_ylabel("share within 0.1 of the box's height")
        save(figure, path)
        plt.close(figure)


if __name__ == "__main__":
    main()
