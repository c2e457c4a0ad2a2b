"""Raw keypoints read back from files of smoothed ones."""

from __future__ import annotations

import csv
import warnings
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.formats import open_writer
from posecli.formats.convert import convert
from posecli.formats.raw import open_smoothed, read_raw
from posecli.formats.smoothed import open_smoothed_writer
from posecli.formats.validate import validate
from posecli.skeletons import COCO
from posecli.smooth import make_chain, smooth
from posecli.smooth.kinematics import kinematics
from posecli.types import Poses, VideoInfo
from tests.formats.test_round_trip import SUFFIX
from tests.smooth.people import random_walk

VIDEO = VideoInfo("clip.mp4", 640, 360, 25.0, "1/25", 12)


def with_a_gap() -> list[Poses]:
    """Two people who are missing on one frame; the first lacks a joint on another."""
    frames = list(random_walk(12))
    frames[5] = Poses.empty(5, frames[5].time_s, len(COCO))
    keypoints, scores = frames[7].keypoints.copy(), frames[7].scores.copy()
    keypoints[0, 3], scores[0, 3] = np.nan, np.nan
    frames[7] = replace(frames[7], keypoints=keypoints, scores=scores)
    return frames


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.json", "coco"), ("a.csv", "csv"), ("a.csv", "csv-wide"), ("a.parquet", "parquet"), ("a.npz", "npz")],
)
def test_it_is_what_was_smoothed(tmp_path, name, format):
    before = with_a_gap()
    after = smooth(before, make_chain(["fill", "butterworth:cutoff=3"]), frame_rate=25)
    assert len(after[5]) == 2, "the filters add both people, or nothing is tested"
    with open_smoothed_writer(
        tmp_path / name, format, video=VIDEO, skeleton=COCO, provenance={"smoothing": {}}
    ) as writer:
        for frame in after:
            writer.write(frame)
    recording = read_raw(tmp_path / name)
    assert recording is not None
    for found, wanted in zip(recording.frames, before, strict=True):
        assert (found.frame_index, found.tracks.ids.tolist()) == (
            wanted.frame_index,
            wanted.tracks.ids.tolist(),
        )
        np.testing.assert_allclose(found.keypoints, wanted.keypoints, atol=1e-3)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-6)
        np.testing.assert_allclose(found.tracks.xyxy, wanted.tracks.xyxy, atol=1e-3)


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.npz", "a.trc"])
def test_files_that_keep_none(tmp_path, name):
    with open_writer(tmp_path / name, video=VIDEO, skeleton=COCO, provenance={}) as writer:
        for frame in random_walk(3):
            writer.write(frame)
    assert read_raw(tmp_path / name) is None


TABLES = ("csv", "csv-wide", "parquet", "parquet-wide")


def smoothed_file(folder, format, measures=()):
    """Two people with a filled gap and, in tables, angles and speeds."""
    path = folder / f"from-{format}{SUFFIX[format]}"
    frames = smooth(with_a_gap(), make_chain(["fill", "hampel"], min_score=0.5), frame_rate=25)
    wanted = {"angles": "angle" in measures, "speeds": "speed" in measures}
    tables = kinematics(frames, COCO, **wanted, frame_rate=25)
    frames = [replace(frame, measures=table) for frame, table in zip(frames, tables, strict=True)]
    with open_smoothed_writer(
        path, format, video=VIDEO, skeleton=COCO, provenance={"smoothing": {}}, measures=measures
    ) as writer:
        for frame in frames:
            writer.write(frame)
    return path, frames


def assert_kept(found, expected, measures):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
        np.testing.assert_array_equal(a.raw_keypoints, b.raw_keypoints)
        np.testing.assert_array_equal(a.raw_scores, b.raw_scores)
        np.testing.assert_array_equal(a.filled, b.filled)
        assert tuple(a.measures) == measures
        for name in measures:
            np.testing.assert_array_equal(a.measures[name], b.measures[name].astype(np.float32))


@pytest.mark.parametrize(("source", "target"), product(("coco", "npz", *TABLES), ("coco", "npz", *TABLES)))
def test_converting_keeps_it(tmp_path, source, target):
    path, frames = smoothed_file(tmp_path, source)
    assert any(frame.filled.any() for frame in frames), "or nothing is tested"
    end = tmp_path / f"to{SUFFIX[target]}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is left out
        convert(path, end, to_format=target)
    stream, measures = open_smoothed(end)
    assert measures == ()
    assert_kept(stream.poses, frames, ())


@pytest.mark.parametrize(("source", "target"), product(TABLES, TABLES))
def test_converting_keeps_measures(tmp_path, source, target):
    path, frames = smoothed_file(tmp_path, source, ("angle", "speed"))
    convert(path, tmp_path / f"to{SUFFIX[target]}", to_format=target)
    stream, measures = open_smoothed(tmp_path / f"to{SUFFIX[target]}")
    assert measures == ("angle", "speed")
    assert_kept(stream.poses, frames, measures)


def test_there_and_back_are_the_same_bytes(tmp_path):
    path, _ = smoothed_file(tmp_path, "csv", ("speed",))
    convert(path, tmp_path / "wide.parquet", to_format="parquet-wide")
    convert(tmp_path / "wide.parquet", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_what_there_is_no_room_for_is_said(tmp_path):
    path, frames = smoothed_file(tmp_path, "csv", ("angle",))
    with pytest.warns(UserWarning, match="^coco has no place for angle: left out$"):
        convert(path, tmp_path / "a.json")
    assert_kept(open_smoothed(tmp_path / "a.json")[0].poses, frames, ())
    message = "^trc has no place for the keypoints before they were smoothed, angle: left out$"
    with pytest.warns(UserWarning, match=message):
        convert(path, tmp_path / "a.trc")
    assert open_smoothed(tmp_path / "a.trc") is None


def test_a_mistake_in_a_raw_column_is_found(tmp_path):
    """convert stops at it, and leaves nothing; validate says where it is."""
    path, _ = smoothed_file(tmp_path, "csv-wide")
    rows = list(csv.reader(path.open()))
    rows[3][rows[0].index("nose_x_raw")] = "left"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    place = "line 4, column nose_x_raw: a number expected, found 'left'"
    with pytest.raises(PosecliError, match=place):
        convert(path, tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()
    assert [place in problem for problem in validate(path).problems] == [True]
