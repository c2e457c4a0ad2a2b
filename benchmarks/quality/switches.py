"""Identities in what `posecli estimate` writes: switches a minute and IDF1 on clips with several people."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import motmetrics
import numpy as np

from benchmarks.tracking import Clip as TrackingClip
from benchmarks.tracking import score
from posecli.data.clips import Clip
from posecli.errors import PosecliError
from posecli.formats import read_poses
from posecli.types import Frame, Recording

_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)  # only the frames' indices are looked at
COUNTS = ["num_switches", "num_fragmentations", "idf1", "mota"]


def measure_switches(clips: Sequence[Clip], model: str | None) -> list[dict[str, Any]]:
    """One row for each clip on which several people are labelled at once, and one for all of them.

    Boxes that cover no labelled person do not count (benchmarks/tracking.py).

    Raises:
        PosecliError: posecli estimate fails.
    """
    several = [clip for clip in clips if max(map(len, clip.people.values()), default=0) > 1]
    recordings = [estimated(clip.path, model) for clip in several]
    minutes = [len(r.frames) / (r.video.frame_rate or 25.0) / 60 for r in recordings]
    accumulators = [_accumulated(clip, r) for clip, r in zip(several, recordings, strict=True)]
    table = motmetrics.metrics.create().compute_many(
        accumulators, metrics=COUNTS, names=[clip.name for clip in several], generate_overall=True
    )
    totals = zip(table.index, [*minutes, sum(minutes)], strict=True)
    return [_row("all" if name == "OVERALL" else name, table.loc[name], spent) for name, spent in totals]


def _row(name: str, figures: Any, minutes: float) -> dict[str, Any]:
    return {
        "clip": name,
        "seconds": 60 * minutes,
        "switches": int(figures["num_switches"]),
        "switches_per_minute": float(figures["num_switches"]) / minutes,
        "fragments": int(figures["num_fragmentations"]),
        "idf1": float(figures["idf1"]),
        "mota": float(figures["mota"]),
    }


def estimated(video: Path, model: str | None) -> Recording:
    """What the command line makes of a video with its defaults."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "poses.json"
        command = [sys.executable, "-m", "posecli", "estimate", str(video), "-o", str(output), "-q"]
        command += ["--model", model] if model else []
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise PosecliError(f"{video}: posecli estimate failed ({run.stderr.strip().splitlines()[-1:]})")
        return read_poses(output)


def _accumulated(clip: Clip, recording: Recording) -> motmetrics.MOTAccumulator:
    people = {
        frame: [(person.track_id, person.box) for person in group if not person.crowd]
        for frame, group in clip.people.items()
    }
    rate = recording.video.frame_rate or 25.0
    labelled = TrackingClip(clip.name, rate, clip.frame_count, {}, people, clip.path)
    stream = (
        (Frame(poses.frame_index, poses.time_s, _NO_PICTURE), poses.tracks) for poses in recording.frames
    )
    return score(labelled, stream, strict=False)
