"""The examples of docs/formats.md are files that posecli reads, and that it would write to the letter."""

import re
from pathlib import Path

import numpy as np
import pytest

from posecli.formats import FORMATS, open_writer, read_poses
from posecli.formats.boxes import read_boxes
from posecli.formats.convert import convert
from posecli.skeletons import SKELETONS
from posecli.types import Tracks

DOCS = Path(__file__).parents[2] / "docs/formats.md"
EXAMPLES = dict(
    re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', DOCS.read_text(), re.MULTILINE | re.DOTALL)
)
FILES = {
    "coco": "poses.json",
    "coco-results": "results.json",
    "posetrack17": "posetrack17.json",
    "posetrack18": "posetrack18.json",
    "csv": "poses.csv",
    "csv-wide": "wide.csv",
    "deeplabcut": "deeplabcut.csv",
    "openpose": "openpose/clip_000000000000_keypoints.json",
    "alphapose": "alphapose-results.json",
    "mmpose": "mmpose.json",
    "trc": "poses.trc",
}
BINARY = {"parquet", "parquet-wide", "npz", "deeplabcut-h5"}  # nothing of them can be shown
SIDECAR = (
    "poses.csv.info.json"  # the same for all formats that have one, but for what they have no columns for
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in EXAMPLES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name, file in FILES.items():
        if FORMATS[name].has_sidecar:
            (tmp_path / f"{file.split('/')[0]}.info.json").write_text(EXAMPLES[SIDECAR])
    return tmp_path


def test_there_is_an_example_of_every_format() -> None:
    assert FILES.keys() | BINARY == FORMATS.keys()


@pytest.mark.parametrize("name", FILES)
def test_an_example_is_read_and_written_the_same(folder: Path, name: str) -> None:
    place, *inside = FILES[name].split("/")
    recording = read_poses(folder / place)
    assert len(recording.frames[0]) == 1
    skeleton = SKELETONS[recording.skeleton]
    again = folder / "again"
    again.mkdir()
    with open_writer(
        again / place, name, video=recording.video, skeleton=skeleton, provenance=recording.provenance
    ) as writer:
        for poses in recording.frames:
            writer.write(poses)
    assert Path(again, place, *inside).read_text() == EXAMPLES[FILES[name]]


@pytest.mark.parametrize(
    "code", re.findall(r"^```python\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
)
def test_the_code_runs(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for package in ("pandas", "pyarrow"):
        pytest.importorskip(package)
    convert(Path("poses.json"), Path("poses.parquet"))
    convert(Path("poses.json"), Path("poses.npz"))
    names: dict[str, object] = {}
    exec(code, names)
    if "wrists" in names:
        assert names["wrists"].loc[0, 1] == 160.25
    else:
        np.testing.assert_array_equal(names["nose"], np.float32([[140.37, 60.81]]))


def test_the_file_beside_is_the_documented_one(folder: Path) -> None:
    recording = read_poses(folder / "poses.csv")
    assert [len(poses) for poses in recording.frames] == [1, 0]
    assert recording.video.frame_rate == 25
    box = recording.frames[0].tracks.xyxy
    np.testing.assert_array_equal(box, read_poses(folder / "poses.json").frames[0].tracks.xyxy)


def test_the_example_of_boxes(folder: Path) -> None:
    (found,) = read_boxes(folder / "boxes.json").items()
    assert found[0] == 0
    assert isinstance(found[1], Tracks)


def test_the_table_of_keypoints() -> None:
    """Every number of the table, and every keypoint in it."""
    lines = DOCS.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| keypoint |"))
    names = [cell.strip() for cell in lines[start].split("|")[2:-1]]
    table: dict[str, dict[int, str]] = {name: {} for name in names}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        keypoint, *numbers = (cell.strip() for cell in line.split("|")[1:-1])
        for name, number in zip(names, numbers, strict=True):
            if number:
                table[name][int(number)] = keypoint
    expected = {name: dict(enumerate(skeleton.keypoints)) for name, skeleton in SKELETONS.items()}
    assert table == expected


def test_every_format_is_documented() -> None:
    for name in FORMATS:
        assert f"\n## {name}\n" in DOCS.read_text()
