"""What is wrong is said with its place, all of it; and no file, however malicious, does more than be wrong."""

import json
import os
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posecli.errors import PosecliError
from posecli.formats import FORMATS, read_poses
from posecli.formats.json_stream import open_document
from posecli.formats.pickled_names import pickled_names
from posecli.formats.validate import validate
from tests.formats.recordings import random_poses, write
from tests.formats.test_convert import path_in


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_wrong_with_what_we_write(tmp_path: Path, name: str) -> None:
    found = validate(write(path_in(tmp_path, name), random_poses(), name))
    assert (found.format, found.frames, found.people, found.problems) == (name, 5, 6, [])


def test_every_problem_of_a_json_file_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "poses.json", random_poses())
    data = json.loads(path.read_text())
    data["annotations"][0]["keypoints"][3] = "left"
    data["annotations"][2]["bbox"] = [1, 2, 3]
    data["annotations"][3]["image_id"] = 77
    data["images"][4]["time_s"] = []
    path.write_text(json.dumps(data))
    found = validate(path)
    assert found.problems == [
        f"{path}: images[4].time_s: a number expected, found a list",
        f"{path}: annotations[0].keypoints[3]: a number expected, found a text",
        f"{path}: annotations[2].bbox: 4 numbers expected, found 3",
        f"{path}: annotations[3].image_id: there is no image 77",
    ]
    assert not found.is_cut


@pytest.mark.parametrize("name", ["csv", "csv-wide"])
def test_every_problem_of_a_table_with_its_line(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "poses.csv", random_poses(), name)
    lines = path.read_text().splitlines()
    lines[2] = lines[2].rsplit(",", 1)[0] + ",inf"
    lines[4] += ",1"
    path.write_text("\n".join(lines))
    problems = validate(path).problems
    assert len(problems) == 2
    assert any("line 3, column" in problem and "too large" in problem for problem in problems)
    assert any("line 5: " in problem and "cells expected" in problem for problem in problems)


def test_what_reading_does_not_demand(tmp_path: Path) -> None:
    first, _, third, *_ = random_poses()
    twins = replace(third.tracks, ids=np.array([4, 4, 5]), xyxy=third.tracks.xyxy[:, [2, 1, 0, 3]])
    frames = [first, replace(third, tracks=twins, time_s=-1.0)]
    found = validate(write(tmp_path / "poses.json", frames))
    assert [problem.split(": ", 2)[1] for problem in found.problems] == ["frame 2"] * 5
    assert "two people have track id 4" in found.problems[0]
    assert "wide" in found.problems[1]
    assert "time runs backwards, from 0 s to -1 s" in found.problems[-1]


def test_people_without_tracks_are_no_problem(tmp_path: Path) -> None:
    poses = random_poses()[2]
    nobody = replace(poses, tracks=replace(poses.tracks, ids=np.zeros(3, np.int64)))
    assert validate(write(tmp_path / "poses.json", [nobody])).problems == []


def test_there_may_be_more(tmp_path: Path) -> None:
    path = tmp_path / "poses.json"
    path.write_text(json.dumps({"images": [{"id": "x"}] * 50, "annotations": []}))
    found = validate(path, most=7)
    assert (len(found.problems), found.is_cut) == (7, True)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e999", "1e39", "9" * 5000])
@pytest.mark.parametrize("name", ["coco", "posetrack17", "coco-results", "mmpose", "alphapose", "openpose"])
def test_numbers_that_are_none(tmp_path: Path, name: str, number: str) -> None:
    path = write(path_in(tmp_path, name), random_poses()[:1], name)
    file = next(path.iterdir()) if path.is_dir() else path
    value = next(iter(np.asarray(random_poses()[0].keypoints[0][0], str)))
    assert value in file.read_text()
    file.write_text(file.read_text().replace(value, number))
    (problem,) = validate(path).problems
    assert "too large" in problem or "not JSON" in problem


def corrupt_npz(path: Path, name: str, change: Any) -> Path:
    """The archive with one array changed (its header and its numbers as bytes)."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[f"{name}.npy"] = change(members[f"{name}.npy"])
    with zipfile.ZipFile(path, "w") as archive:
        for filename, data in members.items():
            archive.writestr(filename, data)
    return path


def test_an_array_of_a_billion_that_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "poses.npz", random_poses())
    corrupt_npz(path, "track_id", lambda data: data.replace(b"(6,), }       ", b"(6000000000,),"))
    tracemalloc.start()
    (problem,) = validate(path).problems
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert "track_id: " in problem


def test_a_pickle_in_an_archive_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "trapped"),)

    path = tmp_path / "poses.npz"
    names = ("frame_index", "time_s", "person_frame_index", "track_id", "box", "box_score", "keypoints")
    np.savez(path, **{name: np.array([Trap()], object) for name in (*names, "keypoint_names", "info")})
    (problem,) = validate(path).problems
    assert "keypoint_names" in problem
    assert not (tmp_path / "trapped").exists()


def test_names_in_a_pickle_are_read_and_nothing_is_run(tmp_path: Path) -> None:
    import pickle

    names = [("s", "nose", "x"), ("s", "nose", "y")]
    for protocol in range(6):
        assert pickled_names(pickle.dumps(names, protocol), tmp_path) == names
        with pytest.raises(PosecliError, match="in a form that is not read"):
            pickled_names(pickle.dumps(os.getcwd, protocol), tmp_path)
    with pytest.raises(PosecliError):
        pickled_names(pickle.dumps(names)[:-3], tmp_path)


def test_an_hdf5_file_that_claims_a_billion_rows_or_points_elsewhere(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = write(tmp_path / "poses.h5", random_poses())
    with h5py.File(path, "a") as file:
        group = file["df_with_missing"]
        del group["axis1"]
        group.create_dataset("axis1", (10**9,), "i8", chunks=(1024,))  # takes no room
    (problem,) = validate(path).problems
    assert "axis1: (1000000000,) values are claimed" in problem
    with h5py.File(path, "a") as file:
        del file["df_with_missing/axis1"]
        file["df_with_missing/axis1"] = h5py.ExternalLink("/etc/other.h5", "/x")
    (problem,) = validate(path).problems
    assert "links are not followed" in problem


def test_links_among_openposes_files_are_not_followed(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", random_poses(), "openpose")
    (tmp_path / "secret.json").write_text("secret")
    (folder / "clip_000000000009_keypoints.json").symlink_to(tmp_path / "secret.json")
    assert validate(folder).problems == []


@pytest.mark.parametrize("trick", ["/etc/passwd", "../../secret", "\x00", "a" * 100_000])
def test_a_file_name_is_only_a_name(tmp_path: Path, trick: str) -> None:
    """Nothing is opened or written under it."""
    video = replace(random_poses()[0], name=trick)
    path = write(tmp_path / "poses.json", [video])
    assert validate(path).problems == []
    folder = write(tmp_path / "out", read_poses(path).frames, "openpose")
    assert [file.name for file in folder.iterdir()] == ["clip_000000000000_keypoints.json"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "out.info.json", "poses.json"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", FORMATS)
def test_mutated_files_are_problems_and_no_tracebacks(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = path_in(tmp_path, name)
    if not path.exists():
        write(path, random_poses(), name)
        target = next(path.iterdir()) if path.is_dir() else path
        target.with_name(target.name + ".whole").write_bytes(target.read_bytes())
    whole = next(path.glob("*.whole")) if path.is_dir() else path.with_name(path.name + ".whole")
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    whole.with_suffix("").write_bytes(bytes(content[:cut]))
    for form in (None, name):
        found = validate(path, form)
        assert all("\n" not in problem for problem in found.problems)


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2, {"b": "]"}], "c": {}, "d": [], "e": -1.5e3}', "[]", " [[], {}] ", "{}"]
)
def test_streamed_json_is_json(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the windows' borders."""
    path = tmp_path / "f.json"
    path.write_text(text)
    for size in range(1, 12):
        monkeypatch.setattr("posecli.formats.json_stream.CHUNK_BYTES", size)
        value = open_document(path).value
        loaded = (
            {k: v if not hasattr(v, "offset") else list(v) for k, v in value.items()}
            if isinstance(value, dict)
            else list(value)
        )
        assert loaded == json.loads(text)


@pytest.mark.parametrize(
    "text", ["", "{", '{"a" 1}', '{"a": 1,}', "[1 2]", "[1, 2", '{"a": [1,]}', "{} {}", '["é']
)
def test_what_is_not_json_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "f.json"
    path.write_text("\n" + text)
    with pytest.raises(PosecliError, match=r"not JSON \(line 2, column \d+"):
        open_document(path)


def test_reading_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    poses = random_poses()[2]
    path = write(tmp_path / "poses.json", [replace(poses, frame_index=i) for i in range(300)])
    assert path.stat().st_size > 500_000
    tracemalloc.start()
    assert validate(path).people == 900
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000
