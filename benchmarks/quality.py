"""The figures of the embedded models' cards, on the validation data of a dataset folder.

    python benchmarks/quality.py DATA --cache FOLDER [--detector] [--keypoints] [--degraded]

--detector: AP50 and recall on the pictures, and on rendered scenes that no training saw. --keypoints: PCK@0.1 and @0.2
of the box's height by group, of the whole model and of its encoder alone, on stills and on the clips' windows.
--degraded: the same with single frames blurred, or covered. Results are JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from posecli.data.degrade import Degradation
from posecli.data.people import load_coco
from posecli.data.rendered import RenderedScenes
from posecli.data.windows import WindowSource
from posecli.detect.embedded import EmbeddedDetector
from posecli.detect.tracking import DEFAULT_THRESHOLD
from posecli.device import prefers_bf16
from posecli.metrics.boxes import BoxMetric
from posecli.train.recipe import DataShare
from posecli.train.tasks.detector import EVALUATION_THRESHOLD, evaluate_detector
from posecli.train.tasks.quality import evaluate_windows, validation_windows
from posecli.train.tasks.sources import Sources
from posecli.weights.models import load_model

RENDERED_SCENES = 200
UNSEEN = 100_000  # scenes beyond any recipe's size
NOTHING = {"motion_blur": 0.0, "occlusion": 0.0, "darkness": 0.0, "compression": 0.0}
DEGRADATIONS = {
    "blurred": Degradation(**(NOTHING | {"motion_blur": 1.0})),
    "occluded": Degradation(**(NOTHING | {"occlusion": 1.0})),
    "dark": Degradation(**(NOTHING | {"darkness": 1.0})),
    "compressed": Degradation(**(NOTHING | {"compression": 1.0})),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded clips")
    for part in ("detector", "keypoints", "degraded"):
        parser.add_argument(f"--{part}", action="store_true")
    arguments = parser.parse_args()
    bf16 = prefers_bf16(torch.device("cpu"))
    results: dict[str, object] = {}
    if arguments.detector:
        results["detector"] = measure_detector(arguments.data, bf16)
    model = load_model("glsmamba-t").model
    sources = Sources(arguments.data, arguments.cache, model.config.joints, "benchmark")
    windows: list[WindowSource] = []
    if arguments.keypoints or arguments.degraded:
        windows = validation_windows(sources, [DataShare(name="coco"), DataShare(name="clips")], model)
    if arguments.keypoints:
        results["clean"] = evaluate_windows(model, windows, bf16)
    if arguments.degraded:
        for name, degradation in DEGRADATIONS.items():
            results[name] = evaluate_windows(model, windows, bf16, degradation)
    json.dump(results, sys.stdout, indent=2)
    print()


def measure_detector(data: Path, bf16: bool) -> dict[str, dict[str, float]]:
    detector = EmbeddedDetector.load(device="cpu", threshold=EVALUATION_THRESHOLD, bf16=bf16)
    pictures = [picture for picture in load_coco(data, "val") if picture.complete]
    rendered = BoxMetric(DEFAULT_THRESHOLD)
    scenes = RenderedScenes(UNSEEN + RENDERED_SCENES)
    for index in range(UNSEEN, UNSEEN + RENDERED_SCENES):
        image, people = scenes.render(index, np.random.default_rng(index))
        boxes = np.array([person.box for person in people], np.float32).reshape(-1, 4)
        crowd = np.array([person.crowd for person in people], bool)
        rendered.update(detector.detect([image])[0], boxes, crowd, image.shape[0])
    return {"pictures": evaluate_detector(detector, pictures), "rendered": rendered.compute()}


if __name__ == "__main__":
    main()
