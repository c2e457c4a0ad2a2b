"""What was first fetched from the hub, so that later pulls give the same bytes or say that they don't."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from posecli.config import user_folder
from posecli.errors import PosecliError

LOCK_FILE = "hub-lock.json"


@dataclass(frozen=True, slots=True)
class Pin:
    """A file of the hub, exactly."""

    revision: str  # the commit
    sha256: str


def lock_path() -> Path:
    """Where the pins are kept: in posecli's cache folder."""
    return user_folder("cache") / LOCK_FILE


def read_pins() -> dict[str, Pin]:
    """By "owner/name/file" of what was fetched; empty where nothing was yet.

    Raises:
        PosecliError: the lock file is damaged.
    """
    path = lock_path()
    try:
        table = json.loads(path.read_text("utf-8"))
        return {name: Pin(str(pin["revision"]), str(pin["sha256"])) for name, pin in table.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PosecliError(
            f"{path}: damaged; delete it, and the next pull records anew what the hub gives"
        ) from None


def write_pin(name: str, pin: Pin) -> None:
    """Adds or replaces one pin.

    Raises:
        PosecliError: the lock file is damaged or cannot be written.
    """
    from posecli.formats.atomic import ReplacingFile

    path = lock_path()
    pins = read_pins() | {name: pin}
    text = json.dumps({key: asdict(pins[key]) for key in sorted(pins)}, indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ReplacingFile(path) as file:
            file.write(text + "\n")
    except OSError as error:
        raise PosecliError(f"{path} cannot be written: {error.strerror}") from None
