"""Labelled clips made worse: motion blur, a moving occluder, low light, strong compression.

    python -m benchmarks.degrade_clips CLIPS -o OUT [--kinds blur occlusion dark compression] [--seed 0]

CLIPS has NAME.mp4 with NAME.json (the `clips` layout, docs/datasets.md). Each kind becomes a folder that `posecli eval`
reads: OUT/KIND/clips/val/NAME.mp4 with NAME.json. The labels are those of the clean frames. An image of the JSON says
with `degraded` whether its frame is harmed, an annotation with `covered`, one 0 or 1 a keypoint, what has something in
front. The same seed makes the same clips. Videos are H.264 with every frame of the source, nearly without loss (crf 12)
but for the kind `compression` (crf 40 to 45).
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from benchmarks.degraders import Compression, Degrader, LowLight, MotionBlur, Occlusion
from posecli.data.clips import Clip, load_clip
from posecli.data.people import read_json
from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.video import open_source
from posecli.video.writer import VideoWriter

KINDS: dict[str, Callable[[Generator, Clip], Degrader]] = {
    "blur": MotionBlur,
    "occlusion": Occlusion,
    "dark": LowLight,
    "compression": Compression,
}
FINE_CRF = 12
COARSE_CRF = (40, 45)
SPLIT = "val"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        for kind in arguments.kinds:
            degrade_folder(arguments.clips, arguments.output / kind, kind, arguments.seed)
    except PosecliError as error:
        print(f"degrade_clips: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def degrade_folder(clips: Path, output: Path, kind: str, seed: int = 0) -> None:
    """One kind of all clips of a folder, into output/clips/val.

    Raises:
        PosecliError: there is no labelled clip, or a file can't be read or written.
    """
    labels = sorted(clips.glob("*.json"))
    if not labels:
        raise PosecliError(f"{clips}: no labelled clips here; looked for NAME.json with NAME.mp4")
    target = output / "clips" / SPLIT
    target.mkdir(parents=True, exist_ok=True)
    for file in labels:
        degrade_clip(file, target, kind, seed)


def degrade_clip(labels: Path, target: Path, kind: str, seed: int) -> None:
    """One clip: its video, then its labels, so that labels never stand without their video."""
    clip = load_clip(labels)
    rng = np.random.default_rng((seed, list(KINDS).index(kind), zlib.crc32(clip.name.encode())))
    crf = int(rng.integers(COARSE_CRF[0], COARSE_CRF[1] + 1)) if kind == "compression" else FINE_CRF
    degrader = KINDS[kind](rng, clip)
    with open_source(clip.path) as source:
        info = source.info
        video = VideoWriter(
            target / f"{clip.name}.mp4", width=info.width, height=info.height, info=info, crf=crf
        )
        with video:
            for frame in source.frames():
                video.write(degrader(frame.image, frame.index), pts=frame.pts)
    document = mark(read_json(labels), degrader)
    document["info"] = document.get("info", {}) | {"degraded": kind, "seed": seed, "crf": crf}
    with ReplacingFile(target / labels.name) as file:
        json.dump(document, file)


def mark(document: dict[str, Any], degrader: Degrader) -> dict[str, Any]:
    """The labels, with what happened to their frames and keypoints."""
    frame_of = {image["id"]: int(image["frame"]) for image in document["images"]}
    images = [image | {"degraded": degrader.touches(int(image["frame"]))} for image in document["images"]]
    annotations = [
        annotation
        | {"covered": _covered(annotation.get("keypoints") or [], degrader, frame_of[annotation["image_id"]])}
        for annotation in document["annotations"]
    ]
    return document | {"images": images, "annotations": annotations}


def _covered(keypoints: Sequence[float], degrader: Degrader, index: int) -> list[int]:
    points_K3 = np.asarray(keypoints, np.float32).reshape(-1, 3)
    return (degrader.hides(points_K3[:, :2], index) & (points_K3[:, 2] > 0)).astype(int).tolist()


if __name__ == "__main__":
    main()
