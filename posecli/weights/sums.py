"""SHA256SUMS beside weights: what they must hash to, in the form that `sha256sum` writes and checks."""

from __future__ import annotations

import re
from pathlib import Path

from posecli.errors import PosecliError

SUMS_FILE = "SHA256SUMS"
LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


def stated_sha256(path: Path) -> str | None:
    """The hash that a SHA256SUMS in the same folder states for a file, in lower case; None where it says nothing.

    For the models that come with posecli: `cd models && sha256sum *.safetensors > SHA256SUMS`.

    Raises:
        PosecliError: the SHA256SUMS is not of that form.
    """
    sums = path.parent / SUMS_FILE
    if not sums.is_file():
        return None
    try:
        lines = sums.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PosecliError(f"{sums}: cannot be read ({error})") from None
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        if match is None:
            raise PosecliError(f"{sums}: line {number} is not a SHA-256, two spaces and a file's name")
        if match[2] == path.name:
            return match[1].lower()
    return None
