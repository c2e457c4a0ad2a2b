"""A browser for this room's tests, and made-up people for it to show."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posecli.formats import read_poses
from posecli.skeletons import COCO
from posecli.types import Poses, Recording, Tracks, VideoInfo
from posecli.view import write_page
from posecli.view.footage import Footage

from . import browser as driver

WIDTH, HEIGHT, RATE = 320, 240, 25.0
FRAMES = 12
DOWNLOAD_S = 30


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[driver.Browser]:
    pytest.importorskip("websockets", reason="websockets, which drives the browser, is not installed")
    if driver.find_browser() is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with driver.chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


def person(track_id: int, x: float, y: float, *, size: float = 60) -> tuple[int, np.ndarray, np.ndarray]:
    """Id, box and COCO keypoints of a person whose joints stand in a grid around a point."""
    column, row = np.arange(len(COCO)) % 4, np.arange(len(COCO)) // 4
    keypoints = np.stack([x + size * (column - 1.5) / 4, y + size * (row - 2) / 4], axis=1).astype(np.float32)
    box = np.concatenate([keypoints.min(axis=0) - 5, keypoints.max(axis=0) + 5])
    return track_id, box, keypoints


def frame(index: int, people: list[tuple[int, np.ndarray, np.ndarray]], time_s: float | None = None) -> Poses:
    time_s = index / RATE if time_s is None else time_s
    if not people:
        return Poses.empty(index, time_s, len(COCO))
    ids, boxes, keypoints = zip(*people, strict=True)
    scores = np.full((len(people), len(COCO)), 0.9, np.float32)
    scores[np.isnan(keypoints).any(axis=-1)] = np.nan
    tracks = Tracks(np.array(ids), np.float32(boxes), np.full(len(ids), 0.8, np.float32))
    return Poses(index, time_s, tracks, np.stack(keypoints), scores)


def recording(frames: list[Poses], **provenance: object) -> Recording:
    video = VideoInfo("clip.mp4", WIDTH, HEIGHT, RATE, "1/12800", len(frames))
    return Recording(video, COCO.name, frames, {"tool": "posecli 0"} | provenance)


def two_people() -> Recording:
    """Track 1 on the left, track 2 on the right; both walk to the right by two pixels a frame."""
    return recording(
        [frame(i, [person(1, 80 + 2 * i, 120), person(2, 220 + 2 * i, 120)]) for i in range(FRAMES)]
    )


class Viewer:
    """An open page, and what the tests want to know of it."""

    def __init__(self, page: driver.Page, downloads: Path) -> None:
        self.page = page
        self._downloads = downloads

    @property
    def frame(self) -> int:
        return int(self.page.text("#clock").split("·")[1].split("/")[0])

    def seek(self, index: int) -> None:
        self.page.choose("#seek", index)
        self.page.wait_for(f"document.querySelector('#clock').textContent.includes(' {index} /')")
        self.page.settle()

    def plain(self) -> None:
        """Joints and limbs only."""
        self.page.evaluate("for (const id of ['show-boxes', 'show-ids']) document.getElementById(id).click()")
        self.page.settle()

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """CSS pixels of the window from pixels of the video, whose pixel centres are at integers."""
        left, top, width, height = self.page.evaluate(
            "(() => { const r = document.querySelector('#overlay').getBoundingClientRect();"
            " return [r.left, r.top, r.width, r.height]; })()"
        )
        return left + (float(x) + 0.5) * width / WIDTH, top + (float(y) + 0.5) * height / HEIGHT

    def drawn(self) -> np.ndarray:
        """(height, width, 4) RGBA of what is drawn over the video."""
        url = self.page.evaluate("document.querySelector('#overlay').toDataURL('image/png')")
        png = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
        return cv2.imdecode(png, cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]]

    def centre_drawn(self) -> np.ndarray:
        """(2,) the middle of what is drawn, in pixels of the video."""
        opaque = self.drawn()[..., 3] > 0
        assert opaque.any()
        rows, columns = np.nonzero(opaque)
        scale = opaque.shape[1] / WIDTH
        return np.array([columns.mean() + 0.5, rows.mean() + 0.5]) / scale - 0.5

    def save(self) -> Recording:
        """What the button for it gives, as posecli reads it."""
        for old in self._downloads.iterdir():
            old.unlink()
        self.page.click("#save")
        return read_poses(self._downloaded())

    def _downloaded(self) -> Path:
        deadline = time.monotonic() + DOWNLOAD_S
        while not (files := list(self._downloads.glob("*.json"))):
            assert time.monotonic() < deadline, "nothing was saved"
            time.sleep(0.02)
        while True:  # its name may be there before all of it is
            try:
                json.loads(files[0].read_text())
            except ValueError:
                assert time.monotonic() < deadline, "not all was saved"
                time.sleep(0.02)
            else:
                return files[0]


OpenPage = Callable[..., Viewer]


@pytest.fixture
def open_page(browser: driver.Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Writes a recording's page and opens it; whatever the browser complains of fails the test."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
    opened: list[driver.Page] = []

    def open_(shown: Recording, footage: Footage | None = None, **window: int) -> Viewer:
        path = tmp_path / "page.html"
        write_page(path, shown, "poses.json", footage)
        page = browser.open(path.as_uri(), **window)
        opened.append(page)
        page.settle()
        return Viewer(page, downloads)

    yield open_
    problems = [problem for page in opened for problem in page.problems()]
    for page in opened:
        page.close()
    assert problems == []
