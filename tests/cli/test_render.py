"""posecli render, from a small video or a folder of pictures to a video, pictures, or one line of error."""

from pathlib import Path

import av
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


def decoded(path: Path) -> list[tuple[float, np.ndarray]]:
    """Seconds and picture of every frame, by PyAV alone."""
    with av.open(str(path)) as container:
        return [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def test_a_gif_keeps_its_times_and_its_colours(tmp_path: Path, video: Path) -> None:
    render(
        video,
        write_poses(tmp_path / "poses.json", video),
        "-o",
        tmp_path / "out.gif",
        "--no-boxes",
        "--no-ids",
    )
    times, images = zip(*decoded(tmp_path / "out.gif"), strict=True)
    np.testing.assert_allclose(times, TIMES, atol=1e-6)
    assert limbs(list(images)) == EXPECTED
    assert (tmp_path / "out.gif").read_bytes().count(b"NETSCAPE2.0\x03\x01\x00\x00") == 1  # it loops for ever
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.gif", "poses.json"]


def test_a_gif_of_a_fast_video_leaves_frames_out_and_stays_in_time(tmp_path: Path) -> None:
    clip = tmp_path / "fast.mp4"
    with VideoWriter(clip, width=WIDTH, height=HEIGHT, frame_rate=240) as writer:
        for value in range(48):
            writer.write(np.full_like(GREY, 5 * value))
    with (
        open_source(clip) as source,
        open_writer(tmp_path / "poses.json", video=source.info, skeleton=COCO, provenance={}) as poses,
    ):
        for frame in source.frames():
            poses.write(nobody(frame))
    render(clip, tmp_path / "poses.json", "-o", tmp_path / "out.gif")
    frames = decoded(tmp_path / "out.gif")
    times = np.array([time_s for time_s, _ in frames])
    assert np.diff(times).min() > 0.0199  # browsers slow down what is shorter
    levels = np.array([image.mean() for _, image in frames])
    np.testing.assert_allclose(levels / 5 / 240, times, atol=0.012)


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]


def test_the_sound_is_the_same_bit_by_bit_and_the_index_comes_first(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        video, sound = container.add_stream("libx264", rate=25), container.add_stream("aac", rate=8000)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        tone = np.sin(np.arange(8000)[None] / 9).astype(np.float32)
        samples = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        samples.sample_rate = 8000
        container.mux(sound.encode(samples) + sound.encode(None))
        for index in range(25):
            picture = av.VideoFrame.from_ndarray(np.full_like(GREY, 9 * index), format="rgb24")
            picture.pts = index
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    poses = write_poses(tmp_path / "poses.json", clip)
    render(clip, poses, "-o", tmp_path / "out.mp4", "--side-by-side", "--scale", 0.5, "--crf", 30)
    assert packets(tmp_path / "out.mp4", "audio") == packets(clip, "audio")
    assert [time_s for time_s, _ in decoded(tmp_path / "out.mp4")] == [time_s for time_s, _ in decoded(clip)]
    content = (tmp_path / "out.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.format.name) == (WIDTH, HEIGHT // 2, "yuv420p")


def test_an_odd_size_and_a_quality(tmp_path: Path, pictures: Path) -> None:
    """45 x 33 is coded as 46 x 34; a higher crf makes a smaller file."""
    cv2.imwrite(str(pictures / "0001.png"), np.random.default_rng(0).integers(0, 256, GREY.shape, np.uint8))
    poses = write_poses(tmp_path / "poses.json", pictures)
    for crf in (10, 40):
        render(pictures, poses, "-o", tmp_path / f"{crf}.mp4", "--crf", crf, "--height", 33)
    assert decoded(tmp_path / "10.mp4")[0][1].shape == (34, 44, 3)
    assert (tmp_path / "40.mp4").stat().st_size < (tmp_path / "10.mp4").stat().st_size


@pytest.mark.parametrize("target", ["out.mp4", "out.gif", "out"])
def test_nothing_is_replaced_without_force(tmp_path: Path, pictures: Path, target: str) -> None:
    poses = write_poses(tmp_path / "poses.json", pictures)
    arguments = (pictures, poses, "-o", tmp_path / target)
    render(*arguments)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(PosecliError, match="--force"):
        render(*arguments, "--background", "black")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    render(*arguments, "--background", "black", "--force")
    assert {path: path.read_bytes() for path in files} != files


def test_anonymize_hides_the_head_in_both_pictures(tmp_path: Path, pictures: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, GREY.shape, np.uint8)
    for picture in pictures.iterdir():
        cv2.imwrite(str(picture), noise)
    poses = write_poses(tmp_path / "poses.json", pictures)
    bare = ("--no-boxes", "--no-ids", "--min-score", 1, "--anonymize", "--side-by-side")
    render(pictures, poses, "-o", tmp_path / "out", *bare)
    for path in (tmp_path / "out").iterdir():
        drawn = cv2.imread(str(path)).astype(int)
        np.testing.assert_array_equal(drawn[:, :WIDTH], drawn[:, WIDTH:])
        steps = np.abs(np.diff(drawn[:, :WIDTH], axis=1)).max(axis=-1)
        hidden = steps < 15
        assert 150 < hidden[:60].sum() < 3000 or "0002" in path.name  # the box's upper end
        assert steps[80:].mean() > 80


def test_wrong_sizes(tmp_path: Path, pictures: Path) -> None:
    poses = write_poses(tmp_path / "poses.json", pictures)
    with pytest.raises(UsageError, match="give one of them"):
        render(pictures, poses, "-o", tmp_path / "out", "--scale", 2, "--height", 100)
    with pytest.raises(UsageError, match="no such joint"):
        render(pictures, poses, "-o", tmp_path / "out", "--trails", "tail:9")
    assert not (tmp_path / "out").exists()
