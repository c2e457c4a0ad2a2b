"""Ray: started here, or a cluster that there is. The extra "ray" brings it (https://docs.ray.io)."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from posecli.errors import PosecliError, UsageError

LOCAL = "local"
STORE_BYTES = 100 * 2**20  # of Ray's store of objects: videos and poses do not pass through it
STARTS = 3  # Ray gives up when its own processes are not up within 15 s, on a busy machine for instance
PATIENCE_S = 10.0


@contextmanager
def connected(address: str, cores: int | None = None) -> Iterator[None]:
    """Within this block Ray is there; what was started for it ends with it, and a cluster that was joined stays.

    Args:
        address: "local" starts Ray on this machine; "auto", "HOST:PORT" or "ray://HOST:PORT" joins a cluster.
        cores: of what is started here; as many as the machine has unless given.

    Raises:
        PosecliError: Ray is not installed, or there is no such cluster.
        UsageError: that is no address.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield
        return
    on_sigterm = signal.getsignal(signal.SIGTERM)
    if address == LOCAL:
        _start(ray, cores)
    else:
        _join(ray, address)
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray has put its own there
    try:
        yield
    finally:
        ray.shutdown()


def import_ray() -> ModuleType:
    """Ray, told to say nothing of its own: standard output and standard error belong to posecli.

    Raises:
        PosecliError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        import ray
    except ImportError:
        raise PosecliError(
            "--ray needs the package ray, which is not installed: pip install 'posecli[ray]'"
        ) from None
    logging.getLogger("ray").setLevel(logging.ERROR)
    return ray


def _start(ray: ModuleType, cores: int | None) -> None:
    for attempt in range(1, STARTS + 1):
        try:
            _init(ray, LOCAL, num_cpus=cores, include_dashboard=False, object_store_memory=STORE_BYTES)
        except Exception as error:
            if attempt == STARTS:
                raise PosecliError(f"Ray does not start here: {_first_line(error)}") from error
        else:
            return


def _join(ray: ModuleType, address: str) -> None:
    if address != "auto":
        _knock(address)
    try:
        _init(ray, address)
    except Exception as error:
        raise PosecliError(
            f"--ray {address}: no cluster was joined ({_first_line(error)}); start one with `ray start --head`, "
            "or use --ray local"
        ) from error


def _init(ray: ModuleType, address: str, **options: Any) -> None:
    ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **options)


def _knock(address: str) -> None:
    """Whether anybody answers there: Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--ray {address}: no address; give local, auto, HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        raise PosecliError(f"--ray {address}: nobody answers there ({error}); is the cluster up?") from error


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
