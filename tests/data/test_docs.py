"""docs/datasets.md against what the code does."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from posecli.config import load_config
from posecli.data.augment import Augmentation
from posecli.data.datasets import DATASETS, load_dataset
from tests.data.trees import (
    person17,
    person18,
    write_jhmdb_clip,
    write_jhmdb_split,
    write_posetrack17,
    write_posetrack18,
)

TEXT = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text("utf-8")
TREES = dict(re.findall(r"^## (\S[^\n]*)\n\n```\n(.*?)```", TEXT, re.M | re.S))


def block(language):
    return re.search(rf"```{language}\n(.*?)```", TEXT, re.S)[1]


def paths(title):
    """The files of a tree as the documentation draws it, without the dataset's own folder."""
    return re.findall(r"^  (\S+)", TREES[title], re.M)


def test_the_table_is_the_registry():
    metrics = {"posetrack": "PoseTrack AP", "pck": "PCK", "oks": "OKS AP"}
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*?\| ([^|]+) \| [^|]+ \|$", TEXT, re.M))
    assert rows == {name: metrics[dataset.metric] for name, dataset in DATASETS.items()}


def test_the_python_example_runs(tmp_path, monkeypatch):
    image = 10003420000
    people = [person18(image, 50), person18(image + 2, 60), person18(image, 300, track_id=2)]
    write_posetrack18(tmp_path / "posetrack18", people, unlabelled=(1, 3))
    monkeypatch.setenv("POSECLI_DATA", str(tmp_path))
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(block("python"), {})
    assert output.getvalue() == "000342_mpii_test: 2 of 4 pictures labelled, 2 people\n"


def test_the_config_example_is_read(tmp_path, monkeypatch):
    file = tmp_path / "posecli.toml"
    file.write_text(block("toml"))
    monkeypatch.setenv("POSECLI_CONFIG", str(file))
    assert load_config().data == {"posetrack17": Path("/data/posetrack17"), "sub-jhmdb": tmp_path / "jhmdb"}


def test_the_trees_are_where_files_are_looked_for(tmp_path):
    picture, _, annotation = paths("PoseTrack 2017")
    place = str(Path(picture).parent)
    write_posetrack17(tmp_path / "17", {0: [person17(5)]}, place=place, name=Path(annotation).stem)
    people = [person18(10003420000, 5)]
    write_posetrack18(tmp_path / "18", people, name=Path(paths("PoseTrack 2018")[-1]).stem)
    write_posetrack18(tmp_path / "21", people, annotation_folder=paths("PoseTrack21")[1].split("/")[0])
    write_jhmdb_clip(tmp_path / "jhmdb", "catch", "CLIP", mask=(1, 1, 5, 5))
    write_jhmdb_split(tmp_path / "jhmdb", "catch", {"CLIP": 2})
    for folder, title, name in (
        ("17", "PoseTrack 2017", "posetrack17"),
        ("18", "PoseTrack 2018", "posetrack18"),
        ("21", "PoseTrack21", "posetrack21"),
        ("jhmdb", "sub-JHMDB", "sub-jhmdb"),
    ):
        assert load_dataset(name, tmp_path / folder, "val")
        for path in paths(title):
            if "train" not in path:
                assert (tmp_path / folder / path).is_file(), path


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("scale", ("scale", "scale_range")),
        ("rotation", ("rotation_probability", "rotation", "rotation_limit")),
        ("flip", ("flip_probability",)),
        ("half body", ("half_body_probability", "half_body_keypoints")),
        ("truncation", ("truncation_probability", "truncation_keep")),
    ],
)
def test_the_augmentation_table_has_the_defaults(row, fields):
    line = re.search(rf"^\| {row} \|.*$", TEXT, re.M)[0]
    told = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", line)}
    for field in fields:
        value = getattr(Augmentation(), field)
        for number in value if isinstance(value, tuple) else (value,):
            assert {number, number * 100} & told, (field, number)
