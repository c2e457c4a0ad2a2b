"""Versions of packages, room on disk and in memory, and where posecli keeps and looks for things."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from posecli.config import ENVIRONMENT_VARIABLE, config_paths, default_paths, load_config, user_folder
from posecli.doctor.finding import Finding
from posecli.weights.locate import embedded_weights, models_dir

LITTLE_DISK = 2**30  # bytes; a journal and a page of video fit into it
LITTLE_MEMORY = 2 * 2**30  # bytes; what PyTorch, the networks and some dozens of frames need
DISTRIBUTION = "posecli"


def machine() -> Iterator[Finding]:
    """posecli, Python and the system."""
    from posecli import __version__

    yield Finding("posecli", f"{__version__} in {Path(__file__).parents[1]}")
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}")


def packages() -> Iterator[Finding]:
    """What posecli's metadata say that it needs, and its extras."""
    for name, extra in _requirements():
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            if not extra:
                yield Finding(name, "not installed", "failed", f"pip install {name}")
            else:
                # CUDA extensions are built against the PyTorch that is there.
                flags = "--no-build-isolation " if extra == "cuda" else ""
                yield Finding(name, f"not installed (extra {extra})", "missing", f"pip install {flags}{name}")


def room() -> Iterator[Finding]:
    """Disk where outputs go by default, memory and cores."""
    free = shutil.disk_usage(Path.cwd()).free
    yield _amount(
        "disk", free, LITTLE_DISK, f" in {Path.cwd()}", "make room: outputs are written beside their place"
    )
    available = _available_memory()
    if available is None:
        yield Finding("memory", "this system does not say how much is free")
    else:
        advice = "close other programs, or use a smaller --batch and --chunk"
        yield _amount("memory", available, LITTLE_MEMORY, "", advice)
    yield Finding("cores", str(os.cpu_count()))


def _amount(name: str, free: int, little: int, where: str, advice: str) -> Finding:
    detail = f"{free / 2**30:.1f} GiB free{where}"
    return Finding(name, detail) if free >= little else Finding(name, detail, "missing", advice)


def models() -> Iterator[Finding]:
    """The weights that come with posecli."""
    yield Finding("models", str(models_dir()))
    for name in ("glsmamba-t", "detector"):
        inside = embedded_weights(name)
        if inside:
            yield Finding(f"weights of {name}", f"{inside.name}, {inside.stat().st_size / 2**20:.1f} MiB")
        else:
            yield Finding(f"weights of {name}", "not there", "failed", "reinstall posecli")


def configuration() -> Iterator[Finding]:
    """Which config files are read and whether they can be, and where files go that can be made again."""
    load_config()
    found = config_paths()
    looked = f"none at {' or '.join(map(str, default_paths()))}, and ${ENVIRONMENT_VARIABLE} is not set"
    yield Finding("configuration", ", ".join(map(str, found)) or looked)
    yield Finding("cache", str(user_folder("cache")))


def _requirements() -> list[tuple[str, str]]:
    """Names of packages with the extra that brings each; of the extras those for users."""
    try:
        lines = requires(DISTRIBUTION) or []
        extras = metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except PackageNotFoundError:  # running from a source tree that was never installed
        return []
    found: dict[str, str] = {}
    for line in lines:
        requirement, _, marker = line.partition(";")
        name = requirement.split()[0].rstrip("<>=!~0123456789.")
        extra = next((extra for extra in extras if f"'{extra}'" in marker.replace('"', "'")), "")
        if extra not in ("dev", "docs"):
            found.setdefault(name, extra)
    return sorted(found.items(), key=lambda item: (bool(item[1]), item[0]))


def _available_memory() -> int | None:
    """Bytes that programs may still take: of the machine, or of the container if that has less."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return free
    return min(free, max(0, limit - used))
