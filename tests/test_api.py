"""posecli.estimate against the command line, its files, and what it refuses."""

import inspect
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import typer.main

import posecli
from posecli.cli import app
from posecli.errors import PosecliError, UsageError
from posecli.types import Poses, Recording
from tests.cli.conftest import BOX, HEIGHT, WIDTH, clip, command, network  # noqa: F401  (fixtures)

RUN_CONTROL = {
    "exact",  # short for windows="exact"
    "ray",
    "ray-workers",
    "output",
    "format",
    "resume",
    "force",
    "quiet",
    "dry-run",
    "progress",
    "log-json",
    "sources",
}


CLIP = Path(__file__).parent.parent / "examples/people.mp4"


def test_importing_posecli_is_light():
    code = "import posecli, sys; posecli.__version__; print('torch' in sys.modules or 'numpy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
    assert {"estimate", "load_poses", "save_poses", "__version__"} <= set(dir(posecli))
    with pytest.raises(AttributeError, match="'posecli' has no attribute 'nothing'"):
        _ = posecli.nothing


def test_arguments_and_defaults_are_those_of_the_command():
    options = {
        parameter.opts[0].removeprefix("--"): parameter.default
        for parameter in typer.main.get_command(app).commands["estimate"].params
    }
    options = {name: default for name, default in options.items() if name not in RUN_CONTROL}
    parameters = inspect.signature(posecli.estimate).parameters
    defaults = {name.replace("_", "-"): p.default for name, p in parameters.items()}
    del defaults["source"], defaults["frame-rate"]
    assert defaults | {"smooth": None} == options | {"smooth": None}


def test_poses_are_those_of_the_file_that_the_command_writes(command, network, clip, tmp_path):  # noqa: F811
    out, ours = tmp_path / "poses.json", tmp_path / "ours.json"
    arguments = ("--model", network.file, "--device", "cpu", "--tracker", "none")
    assert command("estimate", clip, "-o", out, *arguments)[0] == 0
    estimation = posecli.estimate(clip, model=network.file, device="cpu", tracker="none")
    assert (estimation.video.width, estimation.video.height) == (WIDTH, HEIGHT)
    posecli.save_poses(ours, estimation)
    assert ours.read_bytes() == out.read_bytes()


def test_an_estimation_is_an_iterator_of_poses(network, clip):  # noqa: F811
    with posecli.estimate(clip, model=network.file, device="cpu") as estimation:
        frames = list(estimation)
    assert [poses.frame_index for poses in frames] == list(range(8))
    assert all(isinstance(poses, Poses) for poses in frames)
    x0, y0, x1, y1 = BOX[0]
    # The model puts every joint into the middle of the box.
    assert frames[0].keypoints[0, 0] == pytest.approx([(x0 + x1) / 2, (y0 + y1) / 2], abs=1)
    assert next(estimation, None) is None


def test_pictures_as_arrays(network):  # noqa: F811
    pictures = (np.zeros((HEIGHT, WIDTH, 3), np.uint8) for _ in range(3))
    estimation = posecli.estimate(pictures, model=network.file, device="cpu", tracker="none", frame_rate=10)
    assert [round(poses.time_s, 6) for poses in estimation] == [0.0, 0.1, 0.2]


def test_a_part_of_a_video(network, clip):  # noqa: F811
    estimation = posecli.estimate(clip, model=network.file, device="cpu", start=0.08, end="0.28", stride=2)
    assert [poses.frame_index for poses in estimation] == [2, 4, 6]


def test_recordings_are_saved_as_they_were_loaded(network, clip, tmp_path):  # noqa: F811
    posecli.save_poses(tmp_path / "a.json", posecli.estimate(clip, model=network.file, device="cpu"))
    recording = posecli.load_poses(tmp_path / "a.json")
    assert isinstance(recording, Recording)
    posecli.save_poses(tmp_path / "b.json", recording)
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()


def test_smoothed_poses_keep_the_raw_ones_in_the_file(network, clip, tmp_path):  # noqa: F811
    estimation = posecli.estimate(clip, model=network.file, device="cpu", smooth="one-euro")
    assert "smoothing" in estimation.provenance
    posecli.save_poses(tmp_path / "a.json", estimation)
    assert '"keypoints_raw"' in (tmp_path / "a.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"source": "no-such-file.mp4"}, PosecliError, "no-such-file.mp4 does not exist"),
        ({"source": []}, UsageError, "there are no pictures"),
        ({"source": [np.zeros((4, 4), np.uint8)]}, UsageError, "picture 0 is no uint8 array"),
        ({"source": [np.zeros((4, 4, 3))]}, UsageError, "picture 0 is no uint8 array"),
        (
            {"source": [np.zeros((4, 4, 3), np.uint8)], "rotate": 90},
            UsageError,
            "rotate, start, end, stride and roi are for videos",
        ),
        ({"source": "a.mp4", "batch": 0}, UsageError, "batch=0: must be 1 or more"),
        ({"source": CLIP, "windows": "tubelet"}, UsageError, "choose reuse or exact"),
        ({"source": "a.mp4", "smooth": ["butterworth"]}, UsageError, "butterworth"),
        ({"source": "a.mp4", "smooth": ["nothing"]}, UsageError, "nothing"),
    ],
)
def test_what_cannot_be_is_said_at_once(network, arguments, error, message):  # noqa: F811
    with pytest.raises(error, match=message):
        posecli.estimate(**arguments, model=network.file, device="cpu")


def test_pictures_of_another_size_are_refused_where_they_come(network):  # noqa: F811
    pictures = [np.zeros((size, WIDTH, 3), np.uint8) for size in (HEIGHT, HEIGHT - 2)]
    with pytest.raises(UsageError, match="picture 1 is"):
        list(posecli.estimate(pictures, model=network.file, device="cpu"))


def test_what_is_odd_about_a_video_is_warned_of_at_its_end(network, clip, tmp_path):  # noqa: F811
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(Path(clip).read_bytes()[:-5000])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        frames = list(posecli.estimate(cut, model=network.file, device="cpu"))
    assert len(frames) < 8
    assert any("broke off" in str(warning.message) or "cut" in str(warning.message) for warning in said)
