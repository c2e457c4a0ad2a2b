"""Result files against what PoseTrack's kits look for, and against the poses that went in."""

import json
from dataclasses import replace

import numpy as np
import pytest

from posecli.data.footage import FootageFrame
from posecli.data.results import result_name, write_results
from posecli.formats import read_poses
from posecli.skeletons import POSETRACK17, POSETRACK18, convert
from posecli.types import Poses, Tracks
from tests.pipeline.oracle import make_footage

ID = 10_000_010_000  # of the film's first picture


def poses_on(index, people, seed=0):
    rng = np.random.default_rng(seed + index)
    boxes = rng.uniform(0, 99, (people, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    tracks = Tracks(np.arange(people) + 4, boxes, rng.random(people).astype(np.float32))
    points = rng.uniform(-5, 300, (people, len(POSETRACK18), 2)).astype(np.float32)
    return Poses(index, index / 25, tracks, points, rng.random(points.shape[:2]).astype(np.float32))


@pytest.fixture
def film(tmp_path):
    """Five pictures, the last one not among the annotations; only the second and the fourth are labelled."""
    footage = make_footage(tmp_path, {}, 5, labelled={1, 3})
    last = footage.frames[4]
    unlisted = FootageFrame(last.path, last.name, -5, labelled=False)
    return replace(footage, frames=(*footage.frames[:4], unlisted))


@pytest.fixture
def found(film):
    return [
        replace(poses_on(1, 2), name=film.frames[1].name),
        replace(poses_on(3, 0), name=film.frames[3].name),
    ]


def test_2018_has_every_listed_picture_under_its_name_and_id(tmp_path, film, found):
    write_results(tmp_path / "r.json", film, found, "posetrack18", {"tool": "posecli"})
    content = json.loads((tmp_path / "r.json").read_text())
    names = [f"images/val/000001_film/{i:06d}.png" for i in range(4)]
    assert [image["file_name"] for image in content["images"]] == names
    assert [image["id"] for image in content["images"]] == [ID, ID + 1, ID + 2, ID + 3]
    assert [image["frame_id"] for image in content["images"]] == [ID, ID + 1, ID + 2, ID + 3]
    assert {(image["width"], image["height"], image["nframes"]) for image in content["images"]} == {
        (250, 200, 4)
    }
    assert [annotation["image_id"] for annotation in content["annotations"]] == [ID + 1, ID + 1]
    assert [annotation["track_id"] for annotation in content["annotations"]] == [4, 5]
    for row, annotation in enumerate(content["annotations"]):
        triples = np.array(annotation["keypoints"], np.float32).reshape(17, 3)
        np.testing.assert_array_equal(triples[:, :2], found[0].keypoints[row])
        np.testing.assert_array_equal(triples[:, 2], 2)
        np.testing.assert_array_equal(np.array(annotation["scores"], np.float32), found[0].scores[row])


def test_2017_has_every_listed_picture_and_a_dummy_where_there_is_nobody(tmp_path, film, found):
    write_results(tmp_path / "r.json", film, found, "posetrack17", {})
    content = json.loads((tmp_path / "r.json").read_text())["annolist"]
    assert [e["image"][0]["name"] for e in content] == [
        f"images/val/000001_film/{i:06d}.png" for i in range(4)
    ]
    for index in (0, 2, 3):
        (person,) = content[index]["annorect"]
        (point,) = person["annopoints"][0]["point"]
        assert point["score"] == [-100]
    assert [person["track_id"] for person in content[1]["annorect"]] == [[4], [5]]
    expected, scores = convert(found[0].keypoints, found[0].scores, POSETRACK18, POSETRACK17)
    for row, person in enumerate(content[1]["annorect"]):
        points = person["annopoints"][0]["point"]
        assert [point["id"] for point in points] == [[i] for i in range(15)]
        places = np.array([[p["x"][0], p["y"][0], p["score"][0]] for p in points], np.float32)
        np.testing.assert_array_equal(places[:, :2], expected[row])
        np.testing.assert_array_equal(places[:, 2], scores[row])


@pytest.mark.parametrize("form", ["posetrack18", "coco"])
def test_poses_are_read_back_exactly(tmp_path, film, found, form):
    write_results(tmp_path / "r.json", film, found, form, {"tool": "posecli"})
    recording = read_poses(tmp_path / "r.json")
    assert recording.skeleton == "posetrack18"
    assert [len(poses) for poses in recording.frames] == [0, 2, 0, 0]
    read = recording.frames[1]
    assert read.name == film.frames[1].name
    for a, b in (
        (read.keypoints, found[0].keypoints),
        (read.scores, found[0].scores),
        (read.tracks.ids, found[0].tracks.ids),
        (read.tracks.xyxy, found[0].tracks.xyxy),
        (read.tracks.scores, found[0].tracks.scores),
    ):
        np.testing.assert_array_equal(a, b)


def test_a_file_is_called_as_its_annotations(film):
    assert result_name(film, [film]) == "000001_film.json"
    other = replace(film, name="000002_other")
    assert result_name(other, [film, other]) == "000002_other.json"  # one annotation file for both
    own = replace(film, annotation=film.annotation.with_name("labels.json"))
    assert result_name(own, [film, own]) == "labels.json"
    assert result_name(replace(film, annotation=None), [film]) == "000001_film.json"
    matrix = replace(film, annotation=film.annotation.with_name("joint_positions.mat"))
    assert result_name(matrix, [matrix]) == "000001_film.json"


def test_a_run_that_breaks_off_leaves_the_earlier_file(tmp_path, film, found):
    path = tmp_path / "r.json"
    write_results(path, film, found, "posetrack18", {})
    before = path.read_bytes()

    def broken():
        yield found[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_results(path, film, broken(), "posetrack17", {})
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))
