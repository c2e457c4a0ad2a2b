"""The documentation site: it builds without a warning, and its reference has all that the command line has."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from posecli.cli import app

pytest.importorskip("mkdocs", reason="the extra docs is not installed")
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def text_of(site, page):
    return (site / page / "index.html").read_text("utf-8")


def test_every_page_of_docs_is_on_the_site(site):
    pages = [path.stem for path in (ROOT / "docs").glob("*.md")] + ["cli-reference", "models/glsmamba-t"]
    assert [page for page in pages if not (site / page / "index.html").is_file()] == []
    assert not (site / "site").exists()  # what makes the site is no part of it


def test_the_reference_has_every_option(site):
    text = text_of(site, "cli-reference")
    for name, command in typer.main.get_command(app).commands.items():
        for child in getattr(command, "commands", {name: command}).values():
            for parameter in child.params:
                assert all(f"<code>{option}</code>" in text for option in parameter.opts if option[0] == "-")


def test_links_of_the_readme_lead_to_pages(site):
    links = re.findall(r'href="([\w/-]+/)"', (site / "index.html").read_text("utf-8"))
    assert {"formats/", "cli/", "models/glsmamba-t/"} <= set(links)
    assert [link for link in links if not (site / link / "index.html").is_file()] == []


def test_pages_load_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img)[^>]* src="([^"]+)|<link[^>]* href="([^"]+)', page.read_text("utf-8")
        )
        assert [address for pair in loaded for address in pair if address.startswith(("http", "//"))] == [], (
            page
        )
