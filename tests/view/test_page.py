"""The page as text: what is in it, and that nothing of a pose file can become anything but data."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.view import write_page
from posecli.view.footage import EmbeddedVideo, Footage, LinkedVideo

from .conftest import FRAMES, frame, person, recording, two_people

HOSTILE = "</script><!--<script>\"'&{{script}}"


class Elements(HTMLParser):
    """The elements of a page, and the texts of its scripts and styles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self._inside = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in self.texts:
            self.texts[self._inside][-1] += data

    @property
    def policy(self) -> str:
        return next(a["content"] or "" for tag, a in self.tags if tag == "meta" and "http-equiv" in a)


def written(path: Path, footage: Footage | None = None, name: str = "poses.json") -> Elements:
    write_page(path, two_people(), name, footage)
    return Elements(path)


def test_the_policy_allows_this_script_and_this_style(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html")
    for kind in ("script", "style"):
        digest = hashlib.sha256(page.texts[kind][-1].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in page.policy
    assert page.policy.startswith("default-src 'none'; ")


def test_nothing_is_fetched(tmp_path: Path) -> None:
    page = written(tmp_path / "page.html")
    assert not [
        attributes for _, attributes in page.tags if {"src", "href", "srcset", "action"} & attributes.keys()
    ]
    assert "media-src 'none'" in page.policy
    assert "http://" not in page.texts["script"][-1] + page.texts["style"][0]
    assert "https://" not in page.texts["script"][-1] + page.texts["style"][0]


def test_hostile_names_stay_texts(tmp_path: Path) -> None:
    write_page(tmp_path / "plain.html", two_people(), "poses.json")
    shown = replace(two_people(), provenance={HOSTILE: [HOSTILE]})
    shown.frames[0] = replace(shown.frames[0], name=HOSTILE)
    write_page(tmp_path / "page.html", shown, HOSTILE)
    plain, page = Elements(tmp_path / "plain.html"), Elements(tmp_path / "page.html")
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    data = json.loads(page.texts["script"][0])
    assert data["info"] == {HOSTILE: [HOSTILE]}
    assert data["pictureNames"][0] == HOSTILE


def test_the_numbers_are_exact(tmp_path: Path) -> None:
    shown = recording(
        [frame(0, []), frame(1, [person(7, 1 / 3, 100.1), person(2**53, -5, 1e-7)]), frame(2, [])]
    )
    write_page(tmp_path / "page.html", shown, "poses.json")
    data = json.loads(Elements(tmp_path / "page.html").texts["script"][0])

    def numbers(name: str, dtype: str) -> np.ndarray:
        return np.frombuffer(base64.b64decode(data[name]), dtype)

    poses = shown.frames[1]
    np.testing.assert_array_equal(numbers("firstRow", "<u4"), [0, 0, 2, 2])
    np.testing.assert_array_equal(numbers("trackId", "<f8"), poses.tracks.ids)
    np.testing.assert_array_equal(numbers("keypoints", "<f4"), poses.keypoints.ravel())
    np.testing.assert_array_equal(numbers("scores", "<f4"), poses.scores.ravel())
    np.testing.assert_array_equal(numbers("box", "<f4"), poses.tracks.xyxy.ravel())
    np.testing.assert_array_equal(numbers("time", "<f8"), [p.time_s for p in shown.frames])


def test_a_video_is_embedded_byte_for_byte(tmp_path: Path) -> None:
    video = tmp_path / "clip.webm"
    video.write_bytes(np.random.default_rng(0).bytes(2_000_001))  # several chunks, and no multiple of three
    page = written(tmp_path / "page.html", EmbeddedVideo(video, True))
    (attributes,) = [a for _, a in page.tags if a.get("id") == "footage"]
    assert (attributes["data-type"], "data-sound" in attributes) == ("video/webm", True)
    assert base64.b64decode(page.texts["script"][1]) == video.read_bytes()
    assert "media-src blob:;" in page.policy


@pytest.mark.parametrize(
    ("page", "video", "url"),
    [
        ("page.html", "clip.mp4", "./clip.mp4"),
        ("page.html", "clips/a b.mp4", "./clips/a%20b.mp4"),
        ("pages/page.html", "clips/50%#1?.mp4", "./../clips/50%25%231%3F.mp4"),
    ],
)
def test_a_link_is_relative_to_the_page(tmp_path: Path, page: str, video: str, url: str) -> None:
    assert LinkedVideo.beside(tmp_path / page, tmp_path / video, False) == LinkedVideo(url, False)


def test_a_video_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(PosecliError, match=r"gone\.mp4 cannot be read"):
        written(tmp_path / "page.html", EmbeddedVideo(tmp_path / "gone.mp4", False))
    assert not list(tmp_path.iterdir())


def test_the_size_of_a_long_clip(tmp_path: Path) -> None:
    """Thirty thousand people-frames make a page of less than 9 MB: 265 bytes a person more than its numbers' own."""
    frames = [frame(i, [person(1, 80, 120), person(2, 220, 120)]) for i in range(2 * FRAMES)]
    sizes = []
    for count in (FRAMES, 2 * FRAMES):
        write_page(tmp_path / "page.html", recording(frames[:count]), "poses.json")
        sizes.append((tmp_path / "page.html").stat().st_size)
    assert (sizes[1] - sizes[0]) / FRAMES / 2 < 400
