"""The programs that our files are for read them: pandas, numpy, and plain parsing of the published layouts."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from posecli.formats import read_poses
from posecli.skeletons import COCO, JHMDB
from tests.formats.recordings import COUNTS, random_poses, write

pandas = pytest.importorskip("pandas")


def people(frames):
    """(frame, track id, keypoints (K, 2), scores (K,)) of everyone."""
    return [
        (poses.frame_index, track_id, poses.keypoints[i], poses.scores[i])
        for poses in frames
        for i, track_id in enumerate(poses.tracks.ids.tolist())
    ]


def assert_deeplabcut(table, frames) -> None:
    """As DeepLabCut indexes it: table.loc[frame, (scorer, individual, bodypart, coord)]."""
    assert list(table.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
    assert table.index.tolist() == list(range(len(COUNTS)))
    assert table.columns.get_level_values("bodyparts")[::3][: len(COCO)].tolist() == list(COCO.keypoints)
    seen = 0
    for frame, track_id, keypoints, scores in people(frames):
        row = table.loc[frame, ("posecli", f"individual{track_id}")].to_numpy(float).reshape(-1, 3)
        np.testing.assert_array_equal(row.astype(np.float32)[:, :2], keypoints)
        np.testing.assert_array_equal(row.astype(np.float32)[:, 2], scores)
        seen += np.isfinite(row).sum()
    assert np.isfinite(table.to_numpy(float)).sum() == seen  # and nothing else is there


def test_pandas_reads_deeplabcuts_csv(tmp_path: Path) -> None:
    frames = random_poses()
    path = write(tmp_path / "dlc.csv", frames, "deeplabcut")
    assert_deeplabcut(pandas.read_csv(path, header=[0, 1, 2, 3], index_col=0), frames)


def test_pandas_reads_deeplabcuts_h5(tmp_path: Path) -> None:
    pytest.importorskip("tables")
    frames = random_poses()
    path = write(tmp_path / "dlc.h5", frames)
    assert_deeplabcut(pandas.read_hdf(path), frames)


@pytest.mark.parametrize("layout", ["fixed", "table"])
def test_what_pandas_writes_for_deeplabcut_is_read(tmp_path: Path, layout: str) -> None:
    """One animal, as DeepLabCut's own analysis saves it."""
    pytest.importorskip("tables")
    names = [
        ("DLC_resnet50", joint, coord) for joint in JHMDB.keypoints for coord in ("x", "y", "likelihood")
    ]
    columns = pandas.MultiIndex.from_tuples(names, names=["scorer", "bodyparts", "coords"])
    values = np.random.default_rng(0).random((3, len(names)))
    values[1, :3] = np.nan
    pandas.DataFrame(values, columns=columns).to_hdf(
        tmp_path / "dlc.h5", key="df_with_missing", mode="w", format=layout
    )
    pandas.DataFrame(values, columns=columns).to_csv(tmp_path / "dlc.csv")
    for name in ("dlc.h5", "dlc.csv"):
        found = read_poses(tmp_path / name)
        assert found.skeleton == "jhmdb"
        for poses, row in zip(found.frames, values.reshape(3, -1, 3), strict=True):
            assert poses.tracks.ids.tolist() == [1]
            np.testing.assert_array_equal(poses.keypoints[0], row[:, :2].astype(np.float32))
            np.testing.assert_array_equal(poses.scores[0], row[:, 2].astype(np.float32))


def test_one_person_has_three_header_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "dlc.csv", random_poses()[3:], "deeplabcut")
    table = pandas.read_csv(path, header=[0, 1, 2], index_col=0)
    assert table.columns.names == ["scorer", "bodyparts", "coords"]
    assert table["posecli", "nose", "x"].notna().sum() <= 1


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_pandas_reads_the_tables(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow")
    frames = random_poses()
    tidy_path = write(tmp_path / f"tidy.{name}", frames)
    wide_path = write(tmp_path / f"wide.{name}", frames, f"{name}-wide")
    read = pandas.read_csv if name == "csv" else pandas.read_parquet
    tidy, wide = read(tidy_path), read(wide_path)
    assert list(tidy.columns) == ["frame", "time_s", "track_id", "joint", "x", "y", "score"]
    assert (len(tidy), len(wide)) == (6 * 17, 6)
    for frame, track_id, keypoints, scores in people(frames):
        rows = tidy[(tidy.frame == frame) & (tidy.track_id == track_id)].set_index("joint")
        row = wide[(wide.frame == frame) & (wide.track_id == track_id)].iloc[0]
        for i, joint in enumerate(COCO.keypoints):
            expected = np.array([*keypoints[i], scores[i]])
            np.testing.assert_array_equal(rows.loc[joint, ["x", "y", "score"]].to_numpy(np.float32), expected)
            cells = [row[f"{joint}_{part}"] for part in ("x", "y", "score")]
            np.testing.assert_array_equal(np.float32(cells), expected)


def test_parquet_has_row_groups_and_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("posecli.formats.parquet.ROWS_AT_ONCE", 40)
    file = parquet.ParquetFile(write(tmp_path / "poses.parquet", random_poses()))
    assert file.metadata.num_rows == 6 * 17
    assert file.num_row_groups > 1
    assert [str(t) for t in file.schema_arrow.types] == [
        "int64", "double", "int64", "string", "float", "float", "float",
    ]  # fmt: skip


def test_numpy_reads_the_arrays(tmp_path: Path) -> None:
    frames = random_poses(named=True)
    with np.load(write(tmp_path / "poses.npz", frames), allow_pickle=False) as arrays:
        assert arrays["frame_index"].tolist() == list(range(len(COUNTS)))
        assert arrays["file_name"].tolist() == [poses.name for poses in frames]
        assert arrays["time_s"].tolist() == [poses.time_s for poses in frames]
        assert arrays["keypoint_names"].tolist() == list(COCO.keypoints)
        assert json.loads(arrays["info"].item())["videos"][0]["width"] == 640
        everyone = people(frames)
        assert arrays["person_frame_index"].tolist() == [frame for frame, *_ in everyone]
        assert arrays["track_id"].tolist() == [track_id for _, track_id, *_ in everyone]
        np.testing.assert_array_equal(arrays["keypoints"], np.stack([k for *_, k, _ in everyone]))
        np.testing.assert_array_equal(arrays["keypoint_scores"], np.stack([s for *_, s in everyone]))
        boxes = np.concatenate([poses.tracks.xyxy for poses in frames])
        np.testing.assert_array_equal(arrays["box"], boxes)


def test_openpose_to_the_letter(tmp_path: Path) -> None:
    """BODY_25's places as OpenPose documents them, missing ones as 0, 0, 0."""
    frames = random_poses()
    folder = write(tmp_path / "out", frames, "openpose")
    assert sorted(path.name for path in folder.iterdir()) == [
        f"clip_{i:012d}_keypoints.json" for i in range(len(COUNTS))
    ]
    frame = json.loads((folder / "clip_000000000002_keypoints.json").read_text())
    assert len(frame["people"]) == 3
    places = {
        "nose": 0,
        "right_shoulder": 2,
        "left_wrist": 7,
        "right_hip": 9,
        "left_ankle": 14,
        "left_ear": 18,
    }
    for i, person in enumerate(frame["people"]):
        triples = np.float32(person["pose_keypoints_2d"]).reshape(25, 3)
        for name, place in places.items():
            joint = COCO.index(name)
            expected = np.nan_to_num([*frames[2].keypoints[i, joint], frames[2].scores[i, joint]])
            np.testing.assert_array_equal(triples[place], np.float32(expected))
        shoulders = frames[2].keypoints[i, [COCO.index("left_shoulder"), COCO.index("right_shoulder")]]
        np.testing.assert_allclose(triples[1, :2], np.nan_to_num(shoulders.mean(axis=0)), rtol=1e-6)
        assert (triples[19:] == 0).all()  # feet


def test_openposes_own_files(tmp_path: Path) -> None:
    """No ids (-1), no file beside, a person of whom a hand alone was seen."""
    triples = np.zeros((25, 3))
    triples[4] = 10, 20, 0.5  # the right wrist
    body = {"person_id": [-1], "pose_keypoints_2d": triples.ravel().tolist()}
    hand = {"person_id": [-1], "pose_keypoints_2d": [0] * 75}
    (tmp_path / "op").mkdir()
    path = tmp_path / "op/clip_000000000007_keypoints.json"
    path.write_text(json.dumps({"version": 1.3, "people": [hand, body]}))
    for place in (tmp_path / "op", path):
        (poses,) = read_poses(place).frames
        assert poses.tracks.ids.tolist() == [2]
        np.testing.assert_array_equal(poses.keypoints[0, COCO.index("right_wrist")], [10, 20])
        assert np.isfinite(poses.scores).sum() == 1
    assert read_poses(tmp_path / "op").frames[0].frame_index == 7


def test_alphaposes_own_list(tmp_path: Path) -> None:
    """As AlphaPose writes a video's: names of frames, sums for scores, 26 keypoints."""
    person = {"image_id": "12.jpg", "category_id": 1, "keypoints": [1.5, 2.5, 0.5] * 26, "score": 2.75,
              "box": [1, 2, 3, 4], "idx": [5.0]}  # fmt: skip
    path = tmp_path / "alphapose-results.json"
    path.write_text(json.dumps([person]))
    (poses,) = read_poses(path).frames
    assert (poses.frame_index, poses.tracks.ids.tolist(), poses.tracks.scores.tolist()) == (12, [5], [2.75])
    np.testing.assert_array_equal(poses.tracks.xyxy, [[1, 2, 4, 6]])
    np.testing.assert_array_equal(poses.keypoints, np.tile(np.float32([1.5, 2.5]), (1, 17, 1)))


def test_mmposes_own_list(tmp_path: Path) -> None:
    """As its inferencer saves a video's predictions: a bare list, boxes in a list of one."""
    instance = {
        "keypoints": [[3, 4]] * 17,
        "keypoint_scores": [0.5] * 17,
        "bbox": [[1, 2, 3, 4]],
        "bbox_score": 0.25,
    }
    path = tmp_path / "clip.json"
    path.write_text(json.dumps([{"frame_id": 0, "instances": []}, {"frame_id": 1, "instances": [instance]}]))
    empty, poses = read_poses(path).frames
    assert (len(empty), poses.frame_index) == (0, 1)
    np.testing.assert_array_equal(poses.tracks.xyxy, [[1, 2, 3, 4]])
    np.testing.assert_array_equal(poses.keypoints, np.tile(np.float32([3, 4]), (1, 17, 1)))


def test_trc_to_the_letter(tmp_path: Path) -> None:
    frames = random_poses()[3:]  # one person
    with write(tmp_path / "poses.trc", frames).open() as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows[0][:3] == ["PathFileType", "4", "(X/Y/Z)"]
    header = dict(zip(rows[1], rows[2], strict=True))
    assert (header["NumFrames"], header["NumMarkers"], header["Units"]) == ("2", "17", "px")
    assert float(header["DataRate"]) == 29.97
    assert rows[3][:2] == ["Frame#", "Time"]
    assert rows[3][2::3] == list(COCO.keypoints)
    assert rows[4][2:5] == ["X1", "Y1", "Z1"]
    assert [row[0] for row in rows[5:]] == ["4", "5"]  # from 1
    for joint in range(17):
        cells = rows[5][2 + 3 * joint : 5 + 3 * joint]
        x, y = frames[0].keypoints[0, joint]
        assert cells == (["", "", ""] if np.isnan(x) else cells)
        if not np.isnan(x):
            assert (np.float32(cells[0]), np.float32(cells[1]), float(cells[2])) == (x, y, 0)
