"""Measures the embedded models, and writes docs/quality.md's tables and figures.

    python -m benchmarks.quality DATA --cache FOLDER [--teacher FOLDER] [--model FILE] [--parts poses degraded ...]

DATA has the validation split of the `coco` and `clips` layouts (docs/datasets.md). --teacher is a folder with
movenet-thunder.onnx and nanodet.onnx; without it the peers' columns are left out. Figures go into docs/quality.json,
and from there into docs/quality.md and docs/images/; parts that are not asked for keep what the JSON has, and `--parts`
with nothing after it only writes the document again. CACHE keeps the degraded clips and Thunder's answers, so that
another model takes less time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.degrade_clips import KINDS, degrade_folder
from benchmarks.quality import detection, shares, switches
from benchmarks.quality.looking import KeptThunder, Lookers, join
from benchmarks.quality.networks import Networks
from benchmarks.quality.report import read_figures, write_figures, write_report
from posecli.data.clips import load_clips
from posecli.data.people import load_coco
from posecli.device import prefers_bf16
from posecli.errors import PosecliError
from posecli.weights.models import load_model

DOCS = Path(__file__).parents[2] / "docs"
Figures = dict[str, Any]


def main() -> None:
    arguments = _parser().parse_args()
    try:
        figures = read_figures(arguments.docs / "quality.json")
        for part in PARTS:
            if part in arguments.parts:
                print(f"quality: {part}", file=sys.stderr, flush=True)
                figures |= PARTS[part](arguments)
                write_figures(arguments.docs / "quality.json", figures)
        write_report(arguments.docs, figures)
    except PosecliError as error:
        print(f"quality: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is made only once")
    parser.add_argument("--teacher", type=Path, help="folder with movenet-thunder.onnx and nanodet.onnx")
    parser.add_argument("--model", help="a preset's name or a .safetensors file (default: glsmamba-t)")
    parser.add_argument("--gsm-only", help="a model trained without LRM (default: its LRM blocks left out)")
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument(
        "--every", type=int, default=3, help="of the clips, ten frames out of ten times so many (default: 3)"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of quality.md and quality.json")
    return parser


def measure_detector(arguments: argparse.Namespace) -> Figures:
    pictures = load_coco(arguments.data, "val")
    return {"detection": detection.measure_detection(pictures, arguments.teacher, _bf16())}


def measure_poses(arguments: argparse.Namespace) -> Figures:
    """Stills and clips as they are."""
    lookers = _lookers(arguments)
    stills = lookers.at_stills(load_coco(arguments.data, "val"))
    clips = join([lookers.at_clip(clip, arguments.every) for clip in load_clips(arguments.data, "val")])
    everyone = join([stills, clips])
    return {
        "model": _model_notes(arguments),
        "every": arguments.every,
        "sources": shares.by_source(everyone),
        "human": shares.human_labelled(stills),
        "agreement": shares.agreement(everyone),
        "clean": shares.of_kind(clips),
    }


def measure_degraded(arguments: argparse.Namespace) -> Figures:
    """The clips of every kind of harm; they are made now if the cache lacks them."""
    lookers = _lookers(arguments)
    kinds: Figures = {}
    for kind in KINDS:
        folder = arguments.cache / "degraded" / kind
        if not folder.is_dir():
            making = folder.with_name(f".{kind}.part")
            degrade_folder(arguments.data / "clips" / "val", making, kind)
            making.replace(folder)
        clips = join([lookers.at_clip(clip, arguments.every) for clip in load_clips(folder, "val")])
        kinds[kind] = shares.of_kind(clips)
        print(f"quality: {kind}", file=sys.stderr, flush=True)
    return {"degraded": kinds, "degraded_model": _model_notes(arguments)}


def measure_switches(arguments: argparse.Namespace) -> Figures:
    return {"switches": switches.measure_switches(load_clips(arguments.data, "val"), arguments.model)}


PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "detector": measure_detector,
    "poses": measure_poses,
    "degraded": measure_degraded,
    "switches": measure_switches,
}


def _lookers(arguments: argparse.Namespace) -> Lookers:
    model = load_model(arguments.model or "glsmamba-t").model
    gsm_only = load_model(arguments.gsm_only).model if arguments.gsm_only else None
    thunder = None
    if arguments.teacher:
        thunder = KeptThunder(arguments.teacher / "movenet-thunder.onnx", arguments.cache / "thunder")
    return Lookers(Networks(model, gsm_only, _bf16()), thunder)


def _model_notes(arguments: argparse.Namespace) -> Figures:
    """Which model it was; a file's place is nobody's business."""
    loaded = load_model(arguments.model or "glsmamba-t")
    return {"name": loaded.name, "sha256": loaded.sha256, "gsm_only": bool(arguments.gsm_only)}


def _bf16() -> bool:
    return prefers_bf16(torch.device("cpu"))


if __name__ == "__main__":
    main()
