"""posecli detect from a folder of pictures to a boxes file, with a stand-in for the network."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import posecli.detect
from posecli.cli import app
from posecli.errors import PosecliError
from posecli.formats.boxes import read_boxes
from posecli.types import Boxes, Tracks


class WhiteBox:
    """Finds the white rectangle of a black picture."""

    name = "white"

    def __init__(self, fails_at=None):
        self.seen, self.fails_at = 0, fails_at

    def detect(self, images):
        self.seen += len(images)
        if self.fails_at is not None and self.seen > self.fails_at:
            raise PosecliError("the detector failed")
        return [self._find(image) for image in images]

    def _find(self, image):
        ys, xs = np.nonzero(image[..., 0] > 128)
        if not len(xs):
            return Boxes.empty()
        return Boxes(
            np.array([[xs.min(), ys.min(), xs.max(), ys.max()]], np.float32), np.array([0.9], np.float32)
        )

    def provenance(self):
        return {"name": self.name}


@pytest.fixture
def pictures(tmp_path):
    """Twelve pictures; a rectangle moves to the right and is missing on the fourth."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(12):
        image = np.zeros((90, 160, 3), np.uint8)
        if i != 3:
            image[10:80, 20 + 5 * i : 50 + 5 * i] = 255
        cv2.imwrite(str(folder / f"{i:03d}.png"), image)
    return folder


@pytest.fixture
def use(monkeypatch):
    def install(detector):
        monkeypatch.setattr(
            posecli.detect, "make_detector", lambda spec, *, device, threshold, bf16: detector
        )

    return install


def run(*arguments):
    return CliRunner().invoke(app, ["detect", *map(str, arguments)])


def test_writes_boxes_with_one_identity(pictures, tmp_path, use):
    use(WhiteBox())
    output = tmp_path / "boxes.json"
    result = run(pictures, "-o", output, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert result.output == ""  # not a terminal: silent
    found = read_boxes(output)
    assert sorted(found) == [i for i in range(12) if i != 3]
    for i, tracks in found.items():
        assert isinstance(tracks, Tracks)
        assert tracks.ids.tolist() == [1]
        np.testing.assert_array_equal(tracks.xyxy, [[20 + 5 * i, 10, 49 + 5 * i, 79]])
    info = json.loads(output.read_text())["info"]
    assert info["detector"] == {"name": "white"}
    assert info["tracker"] == "botsort"


def test_tracker_none_writes_boxes_without_ids(pictures, tmp_path, use):
    use(WhiteBox())
    output = tmp_path / "boxes.json"
    assert run(pictures, "-o", output, "--tracker", "none", "--device", "cpu").exit_code == 0
    assert all(type(boxes) is Boxes for boxes in read_boxes(output).values())


def test_a_failure_half_way_leaves_nothing_behind(pictures, tmp_path, use):
    use(WhiteBox(fails_at=8))
    output = tmp_path / "boxes.json"
    output.write_text("earlier")
    result = run(pictures, "-o", output, "--device", "cpu", "--force")
    assert str(result.exception) == "the detector failed"
    assert output.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boxes.json", "pictures"]


def test_a_file_that_is_there_is_replaced_only_by_force(pictures, tmp_path, use):
    use(WhiteBox())
    output = tmp_path / "boxes.json"
    output.write_text("earlier")
    refused = run(pictures, "-o", output, "--device", "cpu")
    assert isinstance(refused.exception, PosecliError)
    assert "boxes.json exists: give --force" in str(refused.exception)
    assert output.read_text() == "earlier"
    assert run(pictures, "-o", output, "--device", "cpu", "--force").exit_code == 0
    assert len(read_boxes(output)) == 11


def test_a_broken_picture_is_one_warning_line(pictures, tmp_path, use):
    (pictures / "005.png").write_bytes(b"not a picture")
    use(WhiteBox())
    loud = run(pictures, "-o", tmp_path / "a.json", "--device", "cpu")
    assert loud.output.startswith("posecli: warning: ")
    assert "005.png" in loud.output
    assert loud.output.count("\n") == 1
    assert run(pictures, "-o", tmp_path / "b.json", "--device", "cpu", "-q").output == ""


@pytest.mark.parametrize(
    "arguments",
    [["--tracker", "deepsort"], ["--threshold", "1.5"], ["--detector", "hog"], ["--rotate", "45"]],
)
def test_wrong_usage(pictures, tmp_path, arguments):
    """Exit code 2 in the process: typer's own, or a UsageError that main() turns into one."""
    result = run(pictures, "-o", tmp_path / "boxes.json", "--device", "cpu", *arguments)
    assert getattr(result.exception, "exit_code", None) == 2 or result.exit_code == 2
    assert not (tmp_path / "boxes.json").exists()


def test_output_is_a_folder(pictures, tmp_path):
    result = run(pictures, "-o", tmp_path)
    assert "is a folder" in str(result.exception)


def test_help_imports_nothing_heavy():
    code = (
        "import sys, posecli.cli.detect, posecli.detect, posecli.detect.tracking; "
        "heavy = {'torch', 'cv2', 'av', 'numba', 'pandas', 'scipy', 'supervision', 'trackers'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
