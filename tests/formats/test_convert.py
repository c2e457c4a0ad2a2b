"""Between any two formats poses stay what they are, whoever they are of; what is lost is what the registry says."""

import warnings
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posecli.errors import PosecliError
from posecli.formats import FORMATS, open_poses, read_poses
from posecli.formats.convert import convert
from posecli.skeletons import COCO, POSETRACK17, POSETRACK18
from posecli.skeletons import convert as convert_keypoints
from posecli.types import Poses, Tracks
from tests.formats.recordings import VIDEO, assert_same, assert_same_frames, random_poses, write
from tests.formats.test_round_trip import SUFFIX


def path_in(folder: Path, name: str, stem: str = "poses") -> Path:
    return folder / f"{stem}-{name}{SUFFIX[name]}"


@st.composite
def people(draw: st.DrawFn, index: int) -> Poses:
    """Anyone, of any size, with any joints missing. Known joints have scores above 0."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, scale = draw(st.integers(0, 3)), 10.0 ** draw(st.integers(-6, 6))
    keypoints = (rng.normal(size=(count, len(COCO), 2)) * scale).astype(np.float32)
    scores = 1 - rng.random((count, len(COCO)), np.float32)
    missing = rng.random((count, len(COCO))) < draw(st.sampled_from([0, 0.5, 1]))
    keypoints[missing], scores[missing] = np.nan, np.nan
    boxes = np.sort(rng.normal(size=(count, 2, 2)) * scale, axis=1).astype(np.float32).reshape(count, 4)
    ids = draw(st.lists(st.integers(1, 2**40), min_size=count, max_size=count, unique=True))
    tracks = Tracks(np.array(ids, np.int64), boxes, rng.random(count, np.float32))
    name = draw(st.none() | st.just(f"picture {index}.jpg"))
    return Poses(index, draw(st.floats(0, 1e6, allow_nan=False)), tracks, keypoints, scores, name)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", [n for n in FORMATS if FORMATS[n].skeleton in (None, COCO)])
def test_any_poses_are_restored(tmp_path: Path, name: str, data: st.DataObject) -> None:
    indices = sorted(data.draw(st.sets(st.integers(0, 10**6), max_size=3)))
    frames = [data.draw(people(index)) for index in indices]
    path = path_in(tmp_path, name)
    if FORMATS[name].is_folder and path.exists():  # of the example before
        for file in path.iterdir():
            file.unlink()
    found = read_poses(write(path, frames, name))
    assert_same(found, frames, COCO)


@pytest.mark.parametrize(("source", "target"), product(FORMATS, FORMATS))
def test_every_pair(tmp_path: Path, source: str, target: str) -> None:
    """Converted and read is what was read, in the target's joints."""
    start = write(path_in(tmp_path, source, "from"), random_poses(), source)
    read = read_poses(start)
    end = path_in(tmp_path, target, "to")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert convert(start, end, to_format=target) == (5, 6)
    found = read_poses(end)
    assert found.video == VIDEO
    own = {"posetrack17": POSETRACK17, "posetrack18": POSETRACK18}
    expected = read.frames
    wanted = FORMATS[target].skeleton
    before = own.get(source, COCO)
    if wanted is not None and wanted != before:
        expected = []
        for poses in read.frames:
            keypoints, scores = convert_keypoints(poses.keypoints, poses.scores, before, wanted)
            expected.append(replace(poses, keypoints=keypoints, scores=scores))
    assert_same_frames(found.frames, expected)


def test_a_round_through_all_of_them(tmp_path: Path) -> None:
    """One after the other, and back: to the byte what it was."""
    names = ["coco", *(n for n in FORMATS if FORMATS[n].skeleton in (None, COCO) and n != "coco"), "coco"]
    frames = random_poses()
    frames[2].keypoints[0, 0] = 1  # at (0, 0) it would be no joint if its score were 0
    paths = [path_in(tmp_path, name, str(i)) for i, name in enumerate(names)]
    write(paths[0], frames)
    for (before, after), name in zip(pairwise(paths), names[1:], strict=True):
        convert(before, after, to_format=name)
    assert paths[-1].read_bytes() == paths[0].read_bytes()


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "poses.json", random_poses())
    with pytest.warns(
        UserWarning, match="posetrack17 has no place for left_eye, right_eye, left_ear, right_ear"
    ):
        convert(path, tmp_path / "other.json", to_format="posetrack17")


def test_people_without_ids_are_numbered_where_ids_count(tmp_path: Path) -> None:
    frames = random_poses()
    nobody = [replace(p, tracks=replace(p.tracks, ids=np.zeros(len(p), np.int64))) for p in frames]
    path = write(tmp_path / "poses.json", nobody)
    with pytest.warns(UserWarning, match="the people have no track ids"):
        convert(path, tmp_path / "poses.csv")
    found = read_poses(tmp_path / "poses.csv").frames
    assert [poses.tracks.ids.tolist() for poses in found] == [[1, 2], [], [1, 2, 3], [0], []]
    convert(path, tmp_path / "same.json")  # where they do not count, they stay
    assert_same_frames(read_poses(tmp_path / "same.json").frames, nobody)


@pytest.mark.parametrize("name", FORMATS)
def test_a_writer_that_goes_by_ids_refuses_the_same_twice(tmp_path: Path, name: str) -> None:
    poses = random_poses()[0]
    twins = replace(poses, tracks=replace(poses.tracks, ids=np.array([7, 7])))
    path = path_in(tmp_path, name)
    if not FORMATS[name].needs_ids:
        assert read_poses(write(path, [twins], name)).frames[0].tracks.ids.tolist() == [7, 7]
        return
    with pytest.raises(PosecliError, match="two people of frame 0 have track id 7"):
        write(path, [twins], name)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_the_source_leaves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "poses.csv", random_poses())
    text = path.read_text()
    last = text.rindex(",0.")
    path.write_text(text[:last] + ",high\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PosecliError, match="column score: a number expected, found 'high'"):
        convert(path, tmp_path / "poses.json")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", FORMATS)
def test_frames_are_read_one_by_one(tmp_path: Path, name: str) -> None:
    """The first picture is there before anyone on the last has been parsed."""
    path = write(path_in(tmp_path, name), random_poses(), name)
    poses = open_poses(path).poses
    assert next(poses).frame_index == 0
    assert [frame.frame_index for frame in poses] == [1, 2, 3, 4]
