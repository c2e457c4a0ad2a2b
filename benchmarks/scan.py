"""Time the selective scan: the backends side by side, against a step-by-step loop, forward and backward.

    python benchmarks/scan.py -o scan.json
    python benchmarks/scan.py --length 3840 --channels 96 --threads 1

Every round times every row once, so that another load on the machine falls on all of them. The plain loop
runs on fewer steps (--loop-length), and its times are multiplied up to the full length: it is linear in the
steps, and its rows say so. Wall-clock times depend on what else runs; cpu_s, the CPU time over all threads,
does less so.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

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
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)


def plain_loop(
    x_BLD: Tensor,
    delta_BGLD: Tensor,
    A_GDN: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    D_GD: Tensor,
    delta_bias_GD: Tensor,
    delta_softplus: bool,
    order_GL: Tensor,
) -> Tensor:
    """The recurrence as it is written, all routes at once, one step after the other."""
    routes = torch.arange(len(A_GDN))[:, None]
    delta_BGLD = torch.nn.functional.softplus(delta_BGLD[:, routes, order_GL] + delta_bias_GD[:, None])
    x_BGLD = x_BLD[:, order_GL]
    read = (x_BGLD, delta_BGLD, B_BGLN[:, routes, order_GL], C_BGLN[:, routes, order_GL])
    h_BGDN = torch.zeros(())
    outputs = []
    for x_BGD, dt_BGD, B_BGN, C_BGN in zip(*(tensor.unbind(2) for tensor in read), strict=True):
        input_BGDN = (dt_BGD * x_BGD)[..., None] * B_BGN[..., None, :]
        h_BGDN = torch.exp(dt_BGD[..., None] * A_GDN) * h_BGDN + input_BGDN
        outputs.append((h_BGDN @ C_BGN[..., None]).squeeze(-1))
    y_BGLD = torch.stack(outputs, 2) + D_GD[:, None] * x_BGLD
    return y_BGLD[:, routes, order_GL.argsort(1)]


def make_inputs(arguments: argparse.Namespace, length: int) -> tuple[Any, ...]:
    """Positional arguments of scan_routes: half of the routes forwards, half of them backwards."""
    torch.manual_seed(0)
    batch, routes, channels, states = arguments.batch, arguments.routes, arguments.channels, arguments.states
    forwards = torch.arange(length)
    orders = torch.stack([forwards if route % 2 == 0 else forwards.flip(0) for route in range(routes)])
    return (
        torch.randn(batch, length, channels).requires_grad_(),
        torch.randn(batch, routes, length, channels).requires_grad_(),
        -torch.arange(1.0, states + 1).repeat(routes, channels, 1).requires_grad_(),
        torch.randn(batch, routes, length, states).requires_grad_(),
        torch.randn(batch, routes, length, states).requires_grad_(),
        torch.ones(routes, channels).requires_grad_(),
        torch.full((routes, channels), -4.0).requires_grad_(),
        True,
        orders,
    )


def make_rows(arguments: argparse.Namespace) -> list[Row]:
    scans: dict[str, Scan] = {
        status.name: (lambda *inputs, name=status.name: scan_routes(*inputs, backend=name))
        for status in backends()
        if status.available and (status.devices is None or "cpu" in status.devices)
    }
    scans["loop"] = plain_loop
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
        resolve(arguments.reference, "cpu")  # raises with the reason if there is nothing to compare to
    rows = make_rows(arguments)
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
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    report = json.dumps({"sizes": sizes, "machine": machine, "rows": summarise(rows, arguments)}, indent=2)
    if arguments.output:
        arguments.output.write_text(report + "\n")
    else:
        print(report)


if __name__ == "__main__":
    main()
