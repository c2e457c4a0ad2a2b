"""People on pictures: detectors behind one protocol, trackers, and the bridging of gaps between sightings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from posecli.detect.protocol import Detector
from posecli.errors import UsageError

if TYPE_CHECKING:
    import torch

__all__ = ["Detector", "make_detector"]

ULTRALYTICS_SUFFIXES = (".pt", ".onnx", ".engine", ".torchscript", ".mlpackage", ".tflite")


def make_detector(
    spec: str | None, *, device: torch.device | str, threshold: float, bf16: bool = False
) -> Detector:
    """The detector that a user asked for.

    Args:
        spec: None or "embedded" for the detector inside posecli; a path or name with one of
            ULTRALYTICS_SUFFIXES, such as "yolo11n.pt", for a model that ultralytics runs.
        device: where it runs.
        threshold: the lowest score that is reported, 0 to 1.
        bf16: run the embedded detector under bf16 autocast.

    Raises:
        UsageError: no detector goes by this name.
        PosecliError: its weights or its package are not there.

    To add a detector: write a module beside this one with a class that has the three members of
    posecli.detect.protocol.Detector, import that module (and with it heavy packages) only here, and return
    the detector for the spelling that should choose it. tests/detect/test_make_detector.py lists the
    spellings.
    """
    if not 0 <= threshold <= 1:
        raise UsageError(f"detection threshold {threshold:g}: must lie between 0 and 1")
    if spec is None or spec == "embedded":
        from posecli.detect.embedded import EmbeddedDetector

        return EmbeddedDetector.load(device=device, threshold=threshold, bf16=bf16)
    if Path(spec).suffix.lower() in ULTRALYTICS_SUFFIXES:
        from posecli.detect.ultralytics import UltralyticsDetector

        return UltralyticsDetector(spec, device=device, threshold=threshold)
    raise UsageError(
        f"unknown detector {spec!r}: use embedded, or an ultralytics model "
        f"ending in {', '.join(ULTRALYTICS_SUFFIXES)}"
    )
