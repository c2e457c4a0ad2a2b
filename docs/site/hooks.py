"""What MkDocs is told beside docs/: README as the first page, the models' cards, the reference of the command line."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
# Links as the repository has them, and as the site does; whatever else leads out of docs/ is shown as plain text.
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that lie or are made elsewhere."""
    sys.path.insert(0, str(Path(__file__).parent))
    from reference import reference

    pages = {"index.md": _linked((ROOT / "README.md").read_text("utf-8"), "docs/", "")}
    pages["cli-reference.md"] = reference()
    for card in sorted((ROOT / "models").glob("*.md")):
        pages[f"models/{card.name}"] = _linked(card.read_text("utf-8"), "../docs/", "../")
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Cards lie beside docs/ in the repository, and below it on the site."""
    return (
        _linked(markdown, "../models/", "models/")
        if not page.file.src_uri.startswith("models/")
        else markdown
    )


def _linked(text: str, before: str, after: str) -> str:
    """The text with links to `before` leading to `after`; those to files that are no pages become plain words."""

    def replace(match: re.Match[str]) -> str:
        words, target = match.groups()
        if target.startswith(before):
            target = after + target.removeprefix(before)
        is_page = target.partition("#")[0].endswith((".md", ".json", ".jpg", ".png", ".svg", ".html"))
        is_known = is_page or target.startswith(("#", "http"))
        return f"[{words}]({target})" if is_known else words

    return LINK.sub(replace, text)
