"""What is written is read back to the last bit, whichever format, and the file shows which it is."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posecli.formats import FORMATS, read_poses
from posecli.formats.base import box_to_xywh, shortest, xywh_to_box
from posecli.formats.registry import recognise
from posecli.skeletons import COCO, JHMDB, POSETRACK17, POSETRACK18, SKELETONS, Skeleton, convert
from posecli.types import VideoInfo
from tests.formats.recordings import PROVENANCE, VIDEO, assert_same, assert_same_frames, random_poses, write

SUFFIX = {
    "csv": ".csv", "csv-wide": ".csv", "parquet": ".parquet", "parquet-wide": ".parquet", "npz": ".npz",
    "deeplabcut": ".csv", "deeplabcut-h5": ".h5", "openpose": "", "trc": ".trc",
}  # fmt: skip
SUFFIX = dict.fromkeys(FORMATS, ".json") | SUFFIX
ANY_SKELETON = (
    "coco", "csv", "csv-wide", "parquet", "parquet-wide", "npz", "deeplabcut", "deeplabcut-h5", "mmpose", "trc",
)  # fmt: skip
PICTURES = VideoInfo("images/val/000342_mpii_test", 640, 360, None, None, 5)
NATIVE = [
    *((name, skeleton) for name in ANY_SKELETON for skeleton in SKELETONS.values()),
    ("coco-results", COCO),
    ("openpose", COCO),
    ("alphapose", COCO),
    ("posetrack17", POSETRACK17),
    ("posetrack18", POSETRACK18),
]


def test_every_format_is_tested() -> None:
    assert {name for name, _ in NATIVE} == set(FORMATS)


@pytest.mark.parametrize(("name", "skeleton"), NATIVE, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("named", [False, True], ids=["video", "pictures"])
def test_nothing_is_lost(tmp_path: Path, name: str, skeleton: Skeleton, named: bool) -> None:
    frames, video = random_poses(skeleton, named=named), PICTURES if named else VIDEO
    path = write(tmp_path / f"poses{SUFFIX[name]}", frames, name, skeleton, video)
    assert recognise(path) == name
    assert_same(read_poses(path), frames, skeleton, video)


@pytest.mark.parametrize("name", FORMATS)
def test_a_video_without_people(tmp_path: Path, name: str) -> None:
    frames = [replace(poses, frame_index=i) for i, poses in enumerate([random_poses()[1]] * 3)]
    path = write(tmp_path / f"poses{SUFFIX[name]}", frames, name)
    found = read_poses(path)
    assert [len(poses) for poses in found.frames] == [0, 0, 0]
    assert found.video == VIDEO


@pytest.mark.parametrize("name", FORMATS)
def test_a_video_without_frames(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / f"poses{SUFFIX[name]}", [], name)
    assert read_poses(path).frames == []


@pytest.mark.parametrize(("name", "target"), [("posetrack17", POSETRACK17), ("posetrack18", POSETRACK18)])
def test_coco_becomes_posetrack(tmp_path: Path, name: str, target: Skeleton) -> None:
    frames = random_poses(COCO)
    found = read_poses(write(tmp_path / "poses.json", frames, name))
    assert found.provenance == PROVENANCE | {
        "converted_from": "coco",
        "derived_joints": ["head_bottom", "head_top"],
    }
    expected = []
    for poses in frames:
        keypoints, scores = convert(poses.keypoints, poses.scores, COCO, target)
        expected.append(replace(poses, keypoints=keypoints, scores=scores))
    assert_same_frames(found.frames, expected)


def test_results_are_in_cocos_order_whatever_the_model(tmp_path: Path) -> None:
    frames = random_poses(JHMDB)
    found = read_poses(write(tmp_path / "poses.json", frames, "coco-results", JHMDB))
    assert found.skeleton == "coco"
    assert found.provenance["converted_from"] == "jhmdb"
    left_wrists = found.frames[0].keypoints[:, COCO.index("left_wrist")]
    np.testing.assert_array_equal(left_wrists, frames[0].keypoints[:, JHMDB.index("left_wrist")])


def test_the_default_formats(tmp_path: Path) -> None:
    assert recognise(write(tmp_path / "poses.json", random_poses())) == "coco"
    assert recognise(write(tmp_path / "poses.CSV", random_poses())) == "csv"


def test_csv_without_its_sidecar(tmp_path: Path) -> None:
    frames = random_poses()
    path = write(tmp_path / "poses.csv", frames)
    (tmp_path / "poses.csv.info.json").unlink()
    found = read_poses(path)
    assert [poses.frame_index for poses in found.frames] == [0, 2, 3]  # those with people
    np.testing.assert_array_equal(found.frames[0].keypoints, frames[0].keypoints)
    points = frames[0].keypoints[0]
    extent = [*np.nanmin(points, axis=0), *np.nanmax(points, axis=0)]
    np.testing.assert_array_equal(found.frames[0].tracks.xyxy[0], extent)


def test_results_without_their_sidecar(tmp_path: Path) -> None:
    frames = random_poses()
    path = write(tmp_path / "results.json", frames, "coco-results")
    (tmp_path / "results.json.info.json").unlink()
    found = read_poses(path)
    assert [poses.frame_index for poses in found.frames] == [0, 2, 3]
    np.testing.assert_array_equal(found.frames[1].keypoints, frames[2].keypoints)


def test_csv_survives_a_spreadsheet(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, other columns, other row order, ids that became 1.0."""
    frames = random_poses()
    path = write(tmp_path / "poses.csv", frames)
    rows = list(csv.DictReader(path.open()))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["note", *reversed(rows[0])])
        writer.writeheader()
        for row in rows:
            writer.writerow(row | {"note": "x, y", "track_id": row["track_id"] + ".0"})
    assert_same(read_poses(path), frames, COCO)


def test_csv_of_some_joints_only(tmp_path: Path) -> None:
    frames = random_poses(POSETRACK18)
    path = write(tmp_path / "poses.csv", frames, skeleton=POSETRACK18)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(line for line in lines[1:] if ",left_wrist," in line)]))
    found = read_poses(path)
    assert found.skeleton == "posetrack18"
    wrist = POSETRACK18.index("left_wrist")
    np.testing.assert_array_equal(found.frames[2].keypoints[:, wrist], frames[2].keypoints[:, wrist])
    assert np.isnan(np.delete(found.frames[2].keypoints, wrist, axis=1)).all()


def test_missing_joints_are_marked_as_each_form_has_it(tmp_path: Path) -> None:
    frames = random_poses()
    missing = np.isnan(frames[0].scores[0])
    assert missing.any()
    coco = json.loads(write(tmp_path / "p.json", frames).read_text())["annotations"][0]
    assert [score is None for score in coco["keypoint_scores"]] == missing.tolist()
    triples = np.array(coco["keypoints"]).reshape(-1, 3)
    assert triples[missing].tolist() == [[0, 0, 0]] * missing.sum()
    assert set(triples[~missing, 2]) == {2}
    assert coco["num_keypoints"] == (~missing).sum()
    rows = list(csv.DictReader(write(tmp_path / "p.csv", frames).open()))[: len(COCO)]
    assert [(row["x"], row["y"], row["score"]) == ("", "", "") for row in rows] == missing.tolist()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4, 1e30])
def test_numbers_are_short_and_exact(scale: float) -> None:
    rng = np.random.default_rng(0)
    numbers = (rng.normal(size=(1000, 4)) * scale).astype(np.float32)
    np.testing.assert_array_equal(shortest(numbers).astype(np.float32), numbers)
    assert repr(shortest(np.float32([0.1]))[0].item()) == "0.1"
    boxes = np.sort(numbers.reshape(-1, 2, 2), axis=1).reshape(-1, 4)
    np.testing.assert_array_equal(xywh_to_box(box_to_xywh(boxes)), boxes)
    assert box_to_xywh(np.float32([[10.1, 0, 100.3, 1]])).tolist() == [[10.1, 0, 90.2, 1]]
