"""Files are there whole or not at all, in strict JSON, to the letter of their format; memory is flat."""

import errno
import json
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.formats import FORMATS, open_writer, parquet, read_poses
from posecli.skeletons import COCO, JHMDB, POSETRACK17, POSETRACK18
from tests.formats.recordings import COUNTS, PROVENANCE, VIDEO, random_poses, write

FILES = [name for name, format in FORMATS.items() if not format.is_folder]


def strict(path: Path) -> Any:
    def refuse(token: str) -> NoReturn:
        raise AssertionError(token)

    return json.loads(path.read_text(), parse_constant=refuse)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_everything_as_it_was(
    tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    path = tmp_path / "poses.out"
    path.write_text("earlier")

    def fail_amid_writing() -> NoReturn:
        with open_writer(path, name, video=VIDEO, skeleton=COCO, provenance={}) as writer:
            writer.write(random_poses()[0])
            raise error

    with pytest.raises(error):
        fail_amid_writing()
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_one_line(tmp_path: Path, name: str) -> None:
    def fill_the_disk() -> NoReturn:
        with open_writer(tmp_path / "poses.out", name, video=VIDEO, skeleton=COCO, provenance={}):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(PosecliError, match="cannot be written: No space left on device"):
        fill_the_disk()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_full_device_is_one_line() -> None:
    with pytest.raises(PosecliError, match="/dev/full cannot be written: No space left"):
        write(Path("/dev/full"), random_poses(), "coco")


@pytest.mark.parametrize("name", FORMATS)
def test_names_that_are_no_unicode(tmp_path: Path, name: str) -> None:
    """A file name's bytes that are no UTF-8 reach Python as lone surrogates."""
    video = replace(VIDEO, path=os.fsdecode(b"caf\xe9/\xff.mp4"))
    frames = [replace(random_poses()[0], name=os.fsdecode(b"\xe9.jpg"))]
    found = read_poses(write(tmp_path / "poses.out", frames, name, video=video))
    assert found.video.path == video.path
    assert found.frames[0].name == frames[0].name


@pytest.mark.parametrize("name", FILES)
def test_the_earlier_file_stands_until_the_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / "poses.out"
    path.write_bytes(b"earlier")
    with open_writer(path, name, video=VIDEO, skeleton=COCO, provenance={}) as writer:
        writer.write(random_poses()[0])
        assert path.read_bytes() == b"earlier"
    assert path.read_bytes() != b"earlier"
    assert not list(tmp_path.glob("*.part"))
    assert not list(tmp_path.glob(".*"))


def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    path = write(tmp_path / "poses.json", random_poses())
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    write(tmp_path / "link.json", random_poses())
    assert (tmp_path / "link.json").is_symlink()
    assert len(read_poses(tmp_path / "target.json").frames) == len(COUNTS)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["coco", "csv"])
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path, name: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, random_poses()[1:2], name)
    assert os.read(reader, 1 << 16).startswith(b"frame," if name == "csv" else b'{"info"')
    os.close(reader)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(
    ("place", "name", "message"),
    [
        ("poses.xyz", None, "coco, coco-results"),
        ("poses", None, "no format is known by the suffix"),
        ("poses.json", "yolo", "unknown format 'yolo': known are coco, "),
        ("missing/poses.json", None, "create it first"),
        (".", "coco", "is a folder"),
    ],
)
def test_a_wrong_place_is_one_line(tmp_path: Path, place: str, name: str | None, message: str) -> None:
    with pytest.raises(PosecliError, match=message) as caught:
        open_writer(tmp_path / place, name, video=VIDEO, skeleton=COCO, provenance={})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_memory_is_flat(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held after a hundred pictures is what was held after twenty."""
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 60)  # a group is written at both of these moments
    poses = random_poses()[2]

    def held(writer: Any, frames: range) -> int:
        for index in frames:
            writer.write(replace(poses, frame_index=index))
        return tracemalloc.get_traced_memory()[0]

    with open_writer(tmp_path / "poses.out", name, video=VIDEO, skeleton=COCO, provenance={}) as writer:
        tracemalloc.start()
        early = held(writer, range(20))
        late = held(writer, range(20, 100))
        tracemalloc.stop()
    assert late - early < 20_000  # one picture of three people takes 4 kB as text


@pytest.mark.parametrize("skeleton", [COCO, POSETRACK18, JHMDB], ids=lambda skeleton: skeleton.name)
def test_coco_to_the_letter(tmp_path: Path, skeleton: Any) -> None:
    frames = random_poses(skeleton)
    data = strict(write(tmp_path / "poses.json", frames, skeleton=skeleton))
    assert list(data) == ["info", "videos", "images", "annotations", "categories"]
    assert data["info"] == PROVENANCE
    assert {"width": 640, "height": 360, "frame_rate": 29.97, "time_base": "1/30000"}.items() <= data[
        "videos"
    ][0].items()
    assert [image["frame_index"] for image in data["images"]] == list(range(len(COUNTS)))
    assert set(data["images"][0]) == {
        "id",
        "video_id",
        "file_name",
        "frame_index",
        "time_s",
        "width",
        "height",
    }
    assert [annotation["id"] for annotation in data["annotations"]] == list(range(1, sum(COUNTS) + 1))
    for annotation in data["annotations"]:
        assert set(annotation) == {
            "id", "image_id", "category_id", "track_id", "bbox", "score", "keypoints", "keypoint_scores",
            "num_keypoints",
        }  # fmt: skip
        assert len(annotation["keypoints"]) == 3 * len(skeleton)
        assert len(annotation["keypoint_scores"]) == len(skeleton)
    (category,) = data["categories"]
    assert category["keypoints"] == list(skeleton.keypoints)
    named = {(category["keypoints"][a - 1], category["keypoints"][b - 1]) for a, b in category["skeleton"]}
    assert named == set(skeleton.limbs)


def test_results_are_a_bare_list_with_the_rest_beside(tmp_path: Path) -> None:
    path = write(tmp_path / "results.json", random_poses(), "coco-results")
    results = strict(path)
    assert [result["image_id"] for result in results] == [0, 0, 2, 2, 2, 3]
    assert {"image_id", "category_id", "keypoints", "score", "bbox", "track_id"} <= set(results[0])
    assert len(results[0]["keypoints"]) == 51
    beside = strict(tmp_path / "results.json.info.json")
    assert beside["info"] == PROVENANCE
    assert len(beside["images"]) == len(COUNTS)
    assert beside["annotations"] == []


def test_posetrack17_to_the_letter(tmp_path: Path) -> None:
    frames = random_poses(POSETRACK17, named=True)
    data = strict(write(tmp_path / "poses.json", frames, "posetrack17", POSETRACK17))
    assert [entry["image"][0]["name"] for entry in data["annolist"][:2]] == [
        "clip/00000001.jpg",
        "clip/00000002.jpg",
    ]
    assert [entry["imgnum"] for entry in data["annolist"]] == [[i + 1] for i in range(len(COUNTS))]
    (dummy,) = data["annolist"][1]["annorect"]
    assert [point["score"] for point in dummy["annopoints"][0]["point"]] == [[-100]]
    person = data["annolist"][0]["annorect"][0]
    assert person["track_id"] == [int(frames[0].tracks.ids[0])]
    points = person["annopoints"][0]["point"]
    assert [point["id"][0] for point in points] == np.flatnonzero(~np.isnan(frames[0].scores[0])).tolist()
    joint = points[0]["id"][0]
    assert np.float32(points[0]["x"][0]) == frames[0].keypoints[0, joint, 0]
    assert np.float32(points[0]["score"][0]) == frames[0].scores[0, joint]


def test_posetrack18_to_the_letter(tmp_path: Path) -> None:
    frames = random_poses(POSETRACK18, named=True)
    data = strict(write(tmp_path / "poses.json", frames, "posetrack18", POSETRACK18))
    assert {image["nframes"] for image in data["images"]} == {len(COUNTS)}
    assert {image["vid_id"] for image in data["images"]} == {"clip"}
    assert data["images"][0]["file_name"] == "clip/00000001.jpg"
    assert all(len(annotation["scores"]) == 17 for annotation in data["annotations"])
    assert data["categories"][0]["keypoints"] == list(POSETRACK18.keypoints)


def test_times_that_are_not_known(tmp_path: Path) -> None:
    for name in FORMATS:
        frames = [replace(random_poses()[0], time_s=float("nan"))]
        assert np.isnan(read_poses(write(tmp_path / f"{name}.out", frames, name)).frames[0].time_s)


def test_pycocotools_takes_both_coco_forms(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    frames = random_poses()
    truth = coco.COCO(str(write(tmp_path / "poses.json", frames)))
    assert sorted(truth.getImgIds()) == list(range(len(COUNTS)))
    results = truth.loadRes(str(write(tmp_path / "results.json", frames, "coco-results")))
    for poses in frames:
        (people,) = [results.loadAnns(results.getAnnIds(imgIds=[poses.frame_index]))]
        assert [person["track_id"] for person in people] == poses.tracks.ids.tolist()
        for person, keypoints in zip(people, poses.keypoints, strict=True):
            places = np.float32(person["keypoints"]).reshape(-1, 3)[:, :2]
            np.testing.assert_array_equal(places, np.nan_to_num(keypoints))
