"""Where the package's models are: configurations, embedded weights and model cards."""

from __future__ import annotations

from pathlib import Path

import posecli
from posecli.errors import PosecliError


def models_dir() -> Path:
    """The folder `models`: inside the package when installed, beside it in a source tree or an editable
    install.

    Raises:
        PosecliError: neither is there.
    """
    package = Path(posecli.__file__).resolve().parent
    for folder in (package / "models", package.parent / "models"):
        if folder.is_dir():
            return folder
    raise PosecliError(
        f"no models folder in {package} nor beside it: the installation is incomplete, reinstall posecli"
    )


def embedded_weights(name: str) -> Path | None:
    """The weights of a preset that come with the package; None for a preset that has none."""
    path = models_dir() / f"{name}.safetensors"
    return path if path.is_file() else None
