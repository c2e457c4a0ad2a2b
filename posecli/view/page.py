"""The page put together: markup, style, script, the poses and the video in one file."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from posecli.formats.atomic import ReplacingFile
from posecli.formats.coco import dumps
from posecli.types import Recording
from posecli.view.footage import Footage
from posecli.view.pack import pack

# In the order in which they build on each other; they become one script.
SCRIPTS = (
    "recording.js",
    "edits.js",
    "saving.js",
    "player.js",
    "picture.js",
    "pointing.js",
    "charts.js",
    "timeline.js",
    "plots.js",
    "panel.js",
    "main.js",
)
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def write_page(
    path: str | os.PathLike[str], recording: Recording, name: str, footage: Footage | None = None
) -> None:
    """Writes the page, whole or not at all.

    Nothing in the recording can become markup or script: texts are escaped, and the page's own content security
    policy lets no script run but the page's, and nothing be fetched but a linked video.

    Args:
        path: the HTML file.
        recording: the poses to show.
        name: the file that they come from, as a title and for the name of the corrected file.
        footage: the video under them; black without one.

    Raises:
        PosecliError: it cannot be written, or the video cannot be read.
    """
    style, script = asset("page.css"), "".join(wrapped_scripts())
    parts: Mapping[str, str] = {
        "policy": html.escape(policy(style, script, footage)),
        "title": html.escape(Path(name).name),
        "style": style,
        "script": script,
        "poses": inert(dumps(pack(recording, name))),
    }
    before, after = asset("page.html").split("{{footage}}")
    with ReplacingFile(path) as file:
        file.write(fill(before, parts))
        if footage is not None:
            file.writelines(footage.markup())
        file.write(fill(after, parts))


def asset(name: str) -> str:
    """The text of a file in assets/."""
    return (files("posecli.view") / "assets" / name).read_text("utf-8")


def wrapped_scripts() -> Iterator[str]:
    """The scripts as one function, so that they share their names with each other and with nobody else."""
    yield '(() => {\n"use strict";\n'
    yield from map(asset, SCRIPTS)
    yield "})();\n"


def policy(style: str, script: str, footage: Footage | None) -> str:
    """The content security policy: this style, this script, the video, and nothing else."""
    media = footage.media_sources if footage else "'none'"
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; media-src {media}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def inert(json_text: str) -> str:
    """JSON that no HTML parser takes for anything else, </script> and <!-- in its texts included."""
    return json_text.replace("<", "\\u003c")


def fill(template: str, parts: Mapping[str, str]) -> str:
    """The template with its {{names}} replaced, in one pass: what is put in is not looked at again."""
    return PLACEHOLDER.sub(lambda match: parts[match[1]], template)
