"""Time the selective scan: the backends side by side, and other ways to run it, forward and backward.

    python -m benchmarks.scan -o scan.json
    python -m benchmarks.scan --length 3840 --channels 96 --threads 1
    python -m benchmarks.scan --device cuda --reference triton

Every round times every row once, so that another load on the machine falls on all of them. The plain loop
runs on fewer steps (--loop-length), and its times are multiplied up to the full length: it is linear in the
steps, and its rows say so. Wall-clock times depend on what else runs; cpu_s, the CPU time over all threads,
does less so. What cannot run here is under "skipped", with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.scan_peers import mambapy_scan, plain_loop
from posecli.nn.scan import backends, resolve, scan_routes

Scan = Callable[..., Tensor]


@dataclass
class Row:
    """One thing to time."""

    name: str
    direction: str  # "forward": no gradients wanted; "forward+backward": a step of a training
    run: Callable[[], Any]
    length: int  # steps it runs on
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def time_once(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # a launch returns before its kernel has run
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)


def make_inputs(arguments: argparse.Namespace, length: int) -> tuple[Any, ...]:
    """Positional arguments of scan_routes: half of the routes forwards, half of them backwards."""
    draw = torch.Generator().manual_seed(0)
    batch, routes, channels, states = arguments.batch, arguments.routes, arguments.channels, arguments.states
    forwards = torch.arange(length)
    orders = torch.stack([forwards if route % 2 == 0 else forwards.flip(0) for route in range(routes)])
    tensors = (
        torch.randn(batch, length, channels, generator=draw),
        torch.randn(batch, routes, length, channels, generator=draw),
        -torch.arange(1.0, states + 1).repeat(routes, channels, 1),
        torch.randn(batch, routes, length, states, generator=draw),
        torch.randn(batch, routes, length, states, generator=draw),
        torch.ones(routes, channels),
        torch.full((routes, channels), -4.0),
    )
    device = arguments.device
    return *(tensor.to(device).requires_grad_() for tensor in tensors), True, orders.to(device)


def find_scans(device: str) -> tuple[dict[str, Scan], dict[str, str]]:
    """What runs on this device, by its name in the report, and why the rest does not."""
    scans: dict[str, Scan] = {}
    skipped: dict[str, str] = {}
    for status in backends():
        if status.reason is not None:
            skipped[status.name] = status.reason
        elif status.devices is not None and device not in status.devices:
            skipped[status.name] = f"it does not run on {device}"
        elif status.name == "triton" and os.environ.get("TRITON_INTERPRET"):
            skipped[status.name] = "TRITON_INTERPRET is set: Python would run its kernels, not the GPU"
        else:
            scans[status.name] = partial(scan_routes, backend=status.name)
    if find_spec("mambapy"):
        scans["mambapy"] = mambapy_scan
    else:
        skipped["mambapy"] = "it is not installed: pip install mambapy"
    return scans | {"loop": plain_loop}, skipped


def make_rows(arguments: argparse.Namespace, scans: dict[str, Scan]) -> list[Row]:
    rows = []
    for name, scan in scans.items():
        length = arguments.loop_length if name == "loop" else arguments.length
        inputs = make_inputs(arguments, length)

        def forward(scan: Scan = scan, inputs: tuple[Any, ...] = inputs) -> None:
            with torch.no_grad():
                scan(*inputs)

        def both(scan: Scan = scan, inputs: tuple[Any, ...] = inputs) -> None:
            scan(*inputs).sum().backward()

        rows += [Row(name, "forward", forward, length), Row(name, "forward+backward", both, length)]
    return rows


def summarise(rows: list[Row], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    updates = arguments.batch * arguments.routes * arguments.length * arguments.channels * arguments.states
    reference = {r.direction: statistics.median(r.wall_s) for r in rows if r.name == arguments.reference}
    table = []
    for row in rows:
        scale = arguments.length / row.length
        median, best = statistics.median(row.wall_s) * scale, min(row.wall_s) * scale
        table.append(
            {
                "backend": row.name,
                "direction": row.direction,
                "median_s": round(median, 4),
                "best_s": round(best, 4),
                "worst_s": round(max(row.wall_s) * scale, 4),
                "best_cpu_s": round(min(row.cpu_s) * scale, 4),
                "updates_per_s_median": float(f"{updates / median:.3g}"),
                "updates_per_s_best": float(f"{updates / best:.3g}"),
                f"times_{arguments.reference}": round(median / reference[row.direction], 2),
                "scaled_from_length": None if scale == 1 else row.length,
            }
        )
    return table


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--routes", type=int, default=6)
    parser.add_argument(
        "--length", type=int, default=15_360, help="steps (default: 5 frames of 64 x 48 tokens)"
    )
    parser.add_argument("--channels", type=int, default=192)
    parser.add_argument("--states", type=int, default=16)
    parser.add_argument("--loop-length", type=int, default=256, help="steps of the plain loop")
    parser.add_argument("--device", default="cpu", help="cpu (the default) or cuda")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="default: torch's choice")
    parser.add_argument("--reference", default="numba", help="the backend that the ratios are to")
    parser.add_argument("-o", "--output", type=Path, help="JSON file; default: standard output")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.reference != "loop":
        resolve(
            arguments.reference, arguments.device
        )  # raises with the reason if there is nothing to compare to
    scans, skipped = find_scans(arguments.device)
    rows = make_rows(arguments, scans)
    for row in rows:
        row.run()  # compiles, and touches the memory
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        for row in rows:
            row.time_once()

    names = ("batch", "routes", "length", "channels", "states", "rounds")
    sizes = {name: getattr(arguments, name) for name in names}
    machine = {
        "processor": platform.processor(),
        "gpu": torch.cuda.get_device_name() if arguments.device == "cuda" else None,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    table = summarise(rows, arguments)
    report = json.dumps({"sizes": sizes, "machine": machine, "rows": table, "skipped": skipped}, indent=2)
    if arguments.output:
        arguments.output.write_text(report + "\n")
    else:
        print(report)


if __name__ == "__main__":
    main()
