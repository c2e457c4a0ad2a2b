"""Whether an output is done already: the same run would write the same bytes again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from posecli.errors import PosecliError
from posecli.formats import read_poses
from posecli.formats.registry import recognise
from posecli.formats.sidecar import sidecar_path

HEAD_BYTES = 1 << 16  # a provenance is far shorter
BEGINNING = '{"info":'  # of every file of ours that is an object
# What a run tells only where it is used: a file that tells of it was made by another run than one that does not.
TOLD_IF_USED = {"rotate", "flip", "person", "smoothing", "start", "end", "stride", "roi"}


def is_done(output: Path, format_name: str, provenance: dict[str, Any], inputs: Iterable[Path]) -> bool:
    """Whether the file was written by a run with this provenance, in this format, after its inputs were.

    Args:
        provenance: what the run would write into it.
        inputs: the files that the run would read.
    """
    if not output.exists():
        return False
    written = output.stat().st_mtime_ns
    if any(path.stat().st_mtime_ns > written for path in inputs if path.exists()):
        return False
    wanted: dict[str, Any] = json.loads(json.dumps(provenance, default=str))
    try:
        found = read_provenance(output)
        # A file may tell more than the run did: of a conversion to another skeleton, for instance.
        same = all(name in found and found[name] == value for name, value in wanted.items())
        more = TOLD_IF_USED & (found.keys() - wanted.keys())
        return same and not more and recognise(output) == format_name
    except PosecliError:
        return False


def read_provenance(path: Path) -> dict[str, Any]:
    """What a pose file, or the one beside it, tells of its making; of ours only the beginning is read.

    Raises:
        PosecliError: it is not a file of poses.
    """
    for candidate in (path, sidecar_path(path)):
        info = _info(candidate) if candidate.is_file() else None
        if info is not None:
            return info
    return read_poses(path).provenance


def _info(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            text = file.read(HEAD_BYTES).decode("utf-8", "ignore")
        if not text.startswith(BEGINNING):
            return None
        info, _ = json.JSONDecoder().raw_decode(text, len(BEGINNING))
    except (OSError, ValueError):
        return None
    return info if isinstance(info, dict) else None
