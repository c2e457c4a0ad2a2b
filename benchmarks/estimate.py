"""How fast and how large `posecli estimate` is: frames a second by number of people, and peak memory by length.

    python -m benchmarks.estimate speed CLIP...
    python -m benchmarks.estimate memory CLIP --seconds 60 600 --rate 10

Each measurement is a process of its own, timed from outside; "warm" leaves out start-up by subtracting a run of
one frame. Results are JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    speed = commands.add_parser("speed")
    speed.add_argument("clips", nargs="+", type=Path)
    speed.add_argument("--repeats", type=int, default=3)
    memory = commands.add_parser("memory")
    memory.add_argument("clip", type=Path)
    memory.add_argument("--seconds", nargs="+", type=int, default=[60, 600])
    memory.add_argument("--rate", type=int, default=10, help="frames a second of the looped clip")
    memory.add_argument("--height", type=int, default=720)
    memory.add_argument("--no-flip", action="store_true", help="without the flip test")
    arguments = parser.parse_args()
    results = measure_speed(arguments) if arguments.command == "speed" else measure_memory(arguments)
    json.dump(results, sys.stdout, indent=2)
    print()


def measure_speed(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Frames a second over the whole command, and without its start-up."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for clip in arguments.clips:
            one = Path(folder) / f"one-{clip.stem}.mp4"
            loop_clip(clip, one, frames=1)
            runs = [(run(clip, folder), run(one, folder)) for _ in range(arguments.repeats)]
            run(clip, folder)
            frames, people = count(folder)
            warm = sorted(frames / max(whole["seconds"] - start["seconds"], 1e-9) for whole, start in runs)
            cold = sorted(frames / whole["seconds"] for whole, _ in runs)
            results.append(
                {
                    "clip": clip.name,
                    "frames": frames,
                    "people_per_frame": people / frames,
                    "frames_per_second_warm": {"median": warm[len(warm) // 2], "all": warm},
                    "frames_per_second_cold": {"median": cold[len(cold) // 2], "all": cold},
                    "start_seconds": sorted(start["seconds"] for _, start in runs)[len(runs) // 2],
                }
            )
    return results


def measure_memory(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Peak resident memory of the command on a looped clip of several lengths."""
    results = []
    options = ["--no-flip"] if arguments.no_flip else []
    with tempfile.TemporaryDirectory() as folder:
        for seconds in arguments.seconds:
            looped = Path(folder) / f"{seconds}.mp4"
            loop_clip(arguments.clip, looped, seconds * arguments.rate, arguments.rate, arguments.height)
            measured = run(looped, folder, options)
            results.append({"clip_seconds": seconds, "frames": seconds * arguments.rate, **measured})
            looped.unlink()
    for entry in results:
        entry["ratio_to_first"] = entry["peak_megabytes"] / results[0]["peak_megabytes"]  # type: ignore[operator]
    return results


def run(clip: Path, folder: str, options: Sequence[str] = ()) -> dict[str, float]:
    """One `posecli estimate`: wall seconds and peak resident memory."""
    output = Path(folder) / "poses.json"
    command = [
        sys.executable,
        "-m",
        "posecli",
        "estimate",
        str(clip),
        "-o",
        str(output),
        "--force",
        "-q",
        *options,
    ]
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    # Kilobytes on Linux, bytes on macOS.
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return {"seconds": seconds, "peak_megabytes": usage.ru_maxrss / unit}


def count(folder: str) -> tuple[int, int]:
    """Frames and people of the last run's output."""
    data = json.loads((Path(folder) / "poses.json").read_text())
    return len(data["images"]), len(data["annotations"])


def loop_clip(source: Path, target: Path, frames: int, rate: int = 30, height: int | None = None) -> None:
    """A video of `frames` frames that goes through `source` forth and back, so that nothing jumps."""
    with av.open(str(source)) as container:
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    if height is not None:
        size = (round(images[0].shape[1] * height / images[0].shape[0] / 2) * 2, height)
        images = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]
    cycle = images + images[-2:0:-1]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate))
        stream.height, stream.width = (side - side % 2 for side in images[0].shape[:2])
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for number in range(frames):
            image = cycle[number % len(cycle)][: stream.height, : stream.width]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image.copy(), format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
