"""Packages that only some formats need, and that come with an extra."""

from __future__ import annotations

from importlib.util import find_spec

from posecli.errors import PosecliError


def needed(package: str, extra: str) -> None:
    """Whether a package is there.

    Raises:
        PosecliError: it is not; says how to install it.
    """
    if find_spec(package) is None:
        raise PosecliError(
            f"this format needs the package {package}, which is not installed: pip install 'posecli[{extra}]'"
        )
