"""posecli render, from a small video or a folder of pictures to a video, pictures, or one line of error."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from posecli.cli import app
from posecli.draw.style import LEFT
from posecli.errors import PosecliError, UsageError
from posecli.formats import open_writer
from posecli.skeletons import COCO
from posecli.types import Frame, Poses, Tracks, VideoInfo
from posecli.video import VideoWriter, open_source

WIDTH, HEIGHT, COUNT = 160, 120, 5
TIMES = [0.0, 0.04, 0.12, 0.16, 0.3]  # a variable frame rate
GREY = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


def limb_at(index: int) -> int:
    """The column of the left thigh on a frame."""
    return 40 + 15 * index


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, width=WIDTH, height=HEIGHT, frame_rate=100) as writer:
        for time_s in TIMES:
            writer.write(GREY, time_s=time_s)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    folder.mkdir()
    for index in range(COUNT):
        cv2.imwrite(str(folder / f"{index + 1:04d}.png"), GREY)
    return folder


def write_poses(path: Path, source: Path) -> Path:
    """A left thigh that moves to the right, on every frame but one."""
    with open_source(source) as opened:
        info, frames = opened.info, list(opened.frames())
    with open_writer(path, video=info, skeleton=COCO, provenance={}) as writer:
        for frame in frames:
            writer.write(thigh(frame) if frame.index != 1 else nobody(frame))
    return path


def nobody(frame: Frame) -> Poses:
    return Poses.empty(frame.index, frame.time_s, len(COCO), frame.name)


def thigh(frame: Frame) -> Poses:
    keypoints = np.full((1, len(COCO), 2), np.nan, np.float32)
    scores = np.full((1, len(COCO)), np.nan, np.float32)
    for name, y in (("left_hip", 30), ("left_knee", 100)):
        keypoints[0, COCO.index(name)] = limb_at(frame.index), y
        scores[0, COCO.index(name)] = 0.9
    tracks = Tracks(np.array([1]), np.float32([[10, 10, 150, 110]]), np.float32([0.9]))
    return Poses(frame.index, frame.time_s, tracks, keypoints, scores, frame.name)


def render(*arguments: object) -> None:
    """Runs the command and lets its errors through, as main() gets them."""
    result = CliRunner().invoke(app, ["render", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def is_orange(image: np.ndarray, column: int) -> bool:
    return bool(np.abs(image[65, column].astype(int) - LEFT).max() < 90)  # H.264 halves the colours


def limbs(images: list[np.ndarray]) -> list[list[int]]:
    """For every picture, the frames whose limb is on it."""
    return [[i for i in range(COUNT) if is_orange(image, limb_at(i))] for image in images]


EXPECTED = [[0], [], [2], [3], [4]]


def test_a_video_keeps_its_timestamps(tmp_path: Path, video: Path) -> None:
    poses = write_poses(tmp_path / "poses.json", video)
    render(video, poses, "-o", tmp_path / "out.mp4", "--no-boxes", "--no-ids")
    with open_source(tmp_path / "out.mp4") as rendered:
        frames = list(rendered.frames())
    np.testing.assert_allclose([frame.time_s for frame in frames], TIMES, atol=1e-3)
    assert limbs([frame.image for frame in frames]) == EXPECTED


@pytest.mark.parametrize("poses_name", ["poses.json", "poses.csv"])
def test_pictures_become_a_video(tmp_path: Path, pictures: Path, poses_name: str) -> None:
    poses = write_poses(tmp_path / poses_name, pictures)
    render(pictures, poses, "-o", tmp_path / "out.mp4")
    with open_source(tmp_path / "out.mp4") as rendered:
        assert limbs([frame.image for frame in rendered.frames()]) == EXPECTED


@pytest.mark.parametrize("target", ["out", "out/", "out/*.jpg"])
def test_pictures_become_pictures(
    tmp_path: Path, pictures: Path, target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    poses = write_poses(tmp_path / "poses.json", pictures)
    render(pictures, poses, "-o", f"{tmp_path}/{target}")
    assert capfd.readouterr().err == ""
    suffix = ".jpg" if "*" in target else ".png"
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == [f"{index + 1:04d}{suffix}" for index in range(COUNT)]
    assert limbs([cv2.imread(str(path))[..., ::-1] for path in written]) == EXPECTED


def test_one_picture(tmp_path: Path, pictures: Path) -> None:
    picture = pictures / "0001.png"
    poses = write_poses(tmp_path / "poses.json", picture)
    render(picture, poses, "-o", tmp_path / "out.png", "--background", "black", "--no-boxes", "--no-ids")
    drawn = cv2.imread(str(tmp_path / "out.png"))
    assert tuple(drawn[65, limb_at(0), ::-1]) == LEFT
    assert not drawn[65, limb_at(0) + 20 :].any()


def test_the_least_score(tmp_path: Path, pictures: Path) -> None:
    poses = write_poses(tmp_path / "poses.json", pictures)
    render(pictures, poses, "-o", tmp_path / "out", "--min-score", 0.95, "--no-boxes", "--no-ids")
    for path in (tmp_path / "out").iterdir():
        np.testing.assert_array_equal(cv2.imread(str(path)), GREY)


def test_a_folder_keeps_what_else_is_in_it(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    render(pictures, write_poses(tmp_path / "poses.json", pictures), "-o", tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == COUNT + 1


@pytest.mark.parametrize("target", ["out.mp4", "out"])
def test_poses_of_another_video_leave_nothing_behind(tmp_path: Path, video: Path, target: str) -> None:
    """One frame more than the video has: it shows only at the end."""
    info = VideoInfo("other.mp4", WIDTH, HEIGHT, None, None, None)
    poses = tmp_path / "poses.json"
    with open_writer(poses, video=info, skeleton=COCO, provenance={}) as writer:
        for index in range(COUNT + 1):
            writer.write(thigh(Frame(index, float("nan"), GREY)))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PosecliError, match="do not belong to"):
        render(video, poses, "-o", tmp_path / target)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("out.avi", UsageError, "out.avi: a name in .mp4"),
        ("shots", UsageError, "over the input"),
        ("shots/*.png", UsageError, "over the input"),
        ("out.png", PosecliError, "is one picture, and there are more"),
        ("missing/out/", PosecliError, "cannot be written"),
        ("poses.json/", PosecliError, "is a file"),
    ],
)
def test_a_wrong_output(
    tmp_path: Path, pictures: Path, target: str, error: type[PosecliError], message: str
) -> None:
    poses = write_poses(tmp_path / "poses.json", pictures)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=message):
        render(pictures, poses, "-o", f"{tmp_path}/{target}")
    assert sorted(tmp_path.rglob("*")) == before


def test_the_video_itself_is_not_overwritten(tmp_path: Path, video: Path) -> None:
    content = video.read_bytes()
    with pytest.raises(UsageError, match="over the input"):
        render(video, write_poses(tmp_path / "poses.json", video), "-o", video)
    assert video.read_bytes() == content
