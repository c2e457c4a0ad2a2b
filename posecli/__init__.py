"""posecli: human keypoints from video, with GLSMamba. Importing this package imports nothing heavy."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posecli.api import Estimation, estimate, load_poses, save_poses

__all__ = ["Estimation", "__version__", "estimate", "load_poses", "save_poses"]

__version__: str

# OpenCV reads it once, when first imported. A small file can hold a gigantic picture, which would fill the memory.
MOST_PICTURE_PIXELS = 1 << 27
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PICTURE_PIXELS))


def __getattr__(name: str) -> Any:
    """The API and the version, looked up when they are asked for: the lookup costs more than the rest of --help."""
    if name == "__version__":
        return _version()
    if name not in __all__:
        raise AttributeError(f"module 'posecli' has no attribute {name!r}")
    from posecli import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return __all__


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("posecli")
    except PackageNotFoundError:  # running from a source tree that was never installed
        return "0.0.0"
