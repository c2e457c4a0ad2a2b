"""Time the selective scan: the backends side by side, and other ways to run it, forward and backward.

    python -m benchmarks.scan -o scan.json
    python -m benchmarks.scan --length 3840 --channels 96 --threads 1
    python -m benchmarks.scan --device cuda --reference triton

Every round times every row once, so that another load on the machine falls on all of them. The plain loop and mambapy
run on fewer steps (--loop-length, --mambapy-length), and their times are multiplied up to the full length: they are
linear in the steps, and `share` says so. Wall-clock times depend on what else runs; cpu_ms, the CPU time over all
threads, does less so. What cannot run here is under "skipped", with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.performance.machine import machine
from benchmarks.performance.timing import Timed, side_by_side, with_ratios
from benchmarks.scan_peers import mambapy_scan, plain_loop
from posecli.nn.scan import backends, resolve, scan_routes

Scan = Callable[..., Tensor]
SCAN_TENSORS = 7  # of make_inputs, before the flag and the order
SIZES = ("batch", "routes", "length", "channels", "states")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """The report, as plain values."""
    if arguments.reference != "loop":
        resolve(
            arguments.reference, arguments.device
        )  # raises with the reason if there is nothing to compare to
    scans, skipped = find_scans(arguments.device)
    things = make_things(arguments, scans)
    rows = side_by_side(things, arguments.rounds, told=lambda line: print(line, file=sys.stderr, flush=True))
    sizes = {name: getattr(arguments, name) for name in SIZES}
    table = summarise(rows, arguments)
    return {"sizes": sizes, "machine": machine(), "rows": table, "skipped": skipped}


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


def make_things(arguments: argparse.Namespace, scans: dict[str, Scan]) -> list[Timed]:
    """Forward: no gradients wanted. Backward: from y's gradient to those of the inputs, as in a training step."""
    lengths = {"loop": arguments.loop_length, "mambapy": arguments.mambapy_length}
    things = []
    for name, scan in scans.items():
        length = min(lengths.get(name, arguments.length), arguments.length)
        inputs, share = make_inputs(arguments, length), length / arguments.length

        def forward(scan: Scan = scan, inputs: tuple[Any, ...] = inputs) -> None:
            with torch.no_grad():
                scan(*inputs)

        def outputs(scan: Scan = scan, inputs: tuple[Any, ...] = inputs) -> tuple[Tensor, Tensor]:
            for tensor in inputs[:SCAN_TENSORS]:
                tensor.grad = None  # a round must not add to the gradients of the one before it
            y_BGLD = scan(*inputs)
            return y_BGLD, torch.ones_like(y_BGLD)

        things.append(Timed({"backend": name, "direction": "forward"}, forward, share=share))
        things.append(Timed({"backend": name, "direction": "backward"}, backward, outputs, share))
    return things


def backward(outputs: tuple[Tensor, Tensor]) -> None:
    """outputs: y and the loss's gradient by it."""
    y, dy = outputs
    y.backward(dy)


def summarise(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows with state updates a second, and ratios to the reference's time in the same direction."""
    updates = arguments.batch * arguments.routes * arguments.length * arguments.channels * arguments.states
    references = {row["direction"]: row for row in rows if row["backend"] == arguments.reference}
    rows = with_ratios(rows, lambda row: references[row["direction"]])
    return [row | {"updates_per_s": float(f"{1000 * updates / row['ms']:.3g}")} for row in rows]


def make_parser() -> argparse.ArgumentParser:
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
    parser.add_argument("--mambapy-length", type=int, default=2048, help="steps of mambapy's scan")
    parser.add_argument("--device", default="cpu", help="cpu (the default) or cuda")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="default: torch's choice")
    parser.add_argument("--reference", default="numba", help="the backend that the ratios are to")
    parser.add_argument("-o", "--output", type=Path, help="JSON file; default: standard output")
    return parser


def main() -> None:
    arguments = make_parser().parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    report = json.dumps(measure(arguments), indent=2)
    if arguments.output:
        arguments.output.write_text(report + "\n")
    else:
        print(report)


if __name__ == "__main__":
    main()
