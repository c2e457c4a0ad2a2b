"""What the networks run on: PyTorch, devices, implementations of the scan."""

from __future__ import annotations

from collections.abc import Iterator

from posecli.cli.console import one_line
from posecli.doctor.finding import Finding


def pytorch() -> Iterator[Finding]:
    """PyTorch itself."""
    import torch

    threads = f"{torch.get_num_threads()} threads"
    cuda = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
    yield Finding("PyTorch", f"{torch.__version__}, {cuda}, {threads}")


def devices() -> Iterator[Finding]:
    """Where networks can run, by the names that --device takes."""
    import torch

    from posecli.device import prefers_bf16

    def precision(name: str) -> str:
        return "bf16" if prefers_bf16(torch.device(name)) else "fp32"

    yield Finding("cpu", f"{torch.backends.cpu.get_cpu_capability()}, --precision auto is {precision('cpu')}")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            name = f"cuda:{index}"
            card = torch.cuda.get_device_properties(index)
            memory = f"{card.total_memory / 2**30:.0f} GiB"
            yield Finding(name, f"{card.name}, {memory}, --precision auto is {precision(name)}")
    elif torch.version.cuda:
        yield Finding(
            "cuda", "no GPU was found", "missing", "if there is one, nvidia-smi tells of its driver"
        )
    else:
        yield Finding(
            "cuda", "this PyTorch was built without it", "missing", "for a GPU, install PyTorch's CUDA wheel"
        )
    if torch.backends.mps.is_available():
        yield Finding("mps", f"Apple's GPU, --precision auto is {precision('mps')}")


def scan_backends() -> Iterator[Finding]:
    """Which implementations of the scan run here, and why the others do not."""
    from posecli.nn.scan import backends, resolve

    for backend in backends():
        where = "all devices" if backend.devices is None else ", ".join(backend.devices)
        if backend.reason is None:
            yield Finding(backend.name, f"for {where}")
        else:
            yield Finding(backend.name, one_line(backend.reason), "missing")
    yield Finding("on a CPU", f"{resolve('auto', 'cpu').name} is used")
