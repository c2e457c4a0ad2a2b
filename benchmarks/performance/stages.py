"""`posecli estimate` from end to end, and what each of its stages takes.

The stages are timed inside one process that has estimated before: what is loaded and compiled once is not in it.
Where stages overlap in time, their sum is more than the whole.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from unittest.mock import patch

from benchmarks.performance.timing import quartiles, spread
from posecli.cli.estimation import Estimation, Wishes
from posecli.detect.embedded import EmbeddedDetector
from posecli.detect.tracking import PackageTracker
from posecli.formats.coco import CocoWriter
from posecli.nn.pose_model import PoseModel
from posecli.pipeline import batches
from posecli.pipeline.session import Settings
from posecli.video.video_file import VideoFile

ROUNDS = 3
STAGES = ("decode", "detect", "track", "crop", "encode", "temporal", "heatmaps", "write")
REST = "rest"
# What does the work of a stage, as an attribute that every caller looks up when it calls.
CALLS: dict[str, Sequence[tuple[Any, str]]] = {
    "detect": [(EmbeddedDetector, "detect")],
    "track": [(PackageTracker, "update")],
    "crop": [(batches, "person_windows")],
    "encode": [(PoseModel, "encode")],
    "temporal": [(PoseModel, "answer")],
    "heatmaps": [(PoseModel, "keypoints")],
    "write": [(CocoWriter, "write"), (CocoWriter, "__exit__")],
}


class Stopwatch:
    """Seconds a stage, added up over all threads."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._lock = Lock()

    def timed(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            with self.running(stage):
                return call(*arguments, **options)

        return timed

    def pulled(self, stage: str, items: Iterable[Any]) -> Iterator[Any]:
        """The items; the wait for each is the stage's."""
        iterator = iter(items)
        while True:
            with self.running(stage):
                item = next(iterator, self)
            if item is self:
                return
            yield item

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[stage] += time.perf_counter() - started


@contextmanager
def watched(stopwatch: Stopwatch) -> Iterator[None]:
    """Within this block the stopwatch times all stages."""
    frames = VideoFile.frames
    with ExitStack() as stack:
        for stage, places in CALLS.items():
            for owner, name in places:
                replacement = stopwatch.timed(stage, getattr(owner, name))
                stack.enter_context(patch.object(owner, name, replacement))
        stack.enter_context(
            patch.object(VideoFile, "frames", lambda self: stopwatch.pulled("decode", frames(self)))
        )
        yield


def measure_stages(
    clips: dict[int, Path],
    rounds: int = ROUNDS,
    model: str | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """A row for each number of people, with the flip test and without it: frames a second, and milliseconds a frame.

    Args:
        clips: by the number of people in them.
    """
    estimations = {flip: make_estimation(flip, model) for flip in (False, True)}
    runs: dict[tuple[int, bool], list[dict[str, Any]]] = {
        (n, flip): [] for n in clips for flip in estimations
    }
    for estimation in estimations.values():
        run_once(estimation, clips[min(clips)])
    for number in range(rounds):
        told(f"round {number + 1} of {rounds}")
        for people, flip in runs:
            runs[people, flip].append(run_once(estimations[flip], clips[people]))
    return [
        {"people": people, "flip": flip} | _summary(measured) for (people, flip), measured in runs.items()
    ]


def run_once(estimation: Estimation, clip: Path) -> dict[str, Any]:
    """One estimation as the command does it: frames, poses, seconds, and seconds by stage."""
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder, watched(stopwatch):
        started = time.perf_counter()
        outcome = estimation.run(str(clip), Path(folder) / "poses.json")
        seconds = time.perf_counter() - started
    stages = dict(stopwatch.seconds)
    return {"frames": outcome.frames, "poses": outcome.persons, "seconds": seconds, "stages": stages}


def make_estimation(flip: bool, model: str | None = None) -> Estimation:
    """The command's, with its defaults."""
    settings = Settings(flip=flip) if model is None else Settings(flip=flip, model=model)
    return Estimation(settings, Wishes(format=None, resume=False, force=True, quiet=True))


def _summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    frames = runs[0]["frames"]
    stages = {
        stage: quartiles([1000 * run["stages"].get(stage, 0.0) / frames for run in runs])[1]
        for stage in STAGES
    }
    whole = spread([1000 * run["seconds"] / frames for run in runs])
    stages[REST] = max(whole["ms"] - sum(stages.values()), 0.0)
    low, median, high = quartiles([run["frames"] / run["seconds"] for run in runs])
    return {
        "frames": frames,
        "poses_per_frame": runs[0]["poses"] / frames,
        "frames_per_s": median,
        "low_frames_per_s": low,
        "high_frames_per_s": high,
        **whole,
        "stages": stages,
    }
