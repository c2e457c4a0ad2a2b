"""posecli eval --dataset: from folders on disk to a table, with a model that puts every joint in the box's middle."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from posecli.cli import main
from tests.data.making import annotation, write_clip, write_coco
from tests.data.trees import (
    person18,
    write_jhmdb_clip,
    write_jhmdb_split,
    write_posetrack17,
    write_posetrack18,
)

ID = 10003420000  # of picture 0 in write_posetrack18's sequence
BLACK = np.zeros((120, 160, 3), np.uint8)


@pytest.fixture
def evaluate(monkeypatch, capsys, network):
    def call(*arguments):
        """The exit code, the table's rows by name, and the lines on standard error."""
        monkeypatch.setattr(
            sys, "argv", ["posecli", "eval", "--model", str(network.file), *map(str, arguments)]
        )
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        head, *rows = [line.split("\t") for line in captured.out.splitlines()] or [[]]
        table = {name: dict(zip(head[1:], values, strict=True)) for name, *values in rows}
        return exit_.value.code, table, captured.err.splitlines()

    return call


def in_the_middle(image_id, x, y, **fields):
    """A person all of whose joints are in the middle of the box: at x, y."""
    keypoints = [[x, y, 1]] * 17
    box = {"bbox": [x - 15, y - 25, 30, 50], "keypoints": [v for point in keypoints for v in point]}
    return person18(image_id, 0, **fields) | box


@pytest.fixture
def posetrack(tmp_path):
    people = [in_the_middle(ID + i, 35 + 6 * i, 35) for i in (0, 1, 3)]
    write_posetrack18(tmp_path / "data", people, unlabelled=(2,))
    return tmp_path / "data"


def test_true_boxes_of_posetrack18(evaluate, posetrack):
    code, table, errors = evaluate("--dataset", "posetrack18", "--data", posetrack, "--gt-boxes")
    assert (code, errors) == (0, [])
    assert set(table["AP"].values()) == {"100.00"}


def test_results_are_saved_and_told_alike(evaluate, posetrack, tmp_path):
    """The detector's box is right on two pictures of three: figures in between, the same from the files."""
    arguments = ("--dataset", "posetrack18", "--data", posetrack, "--mota")
    code, table, errors = evaluate(
        *arguments, "--save-results", tmp_path / "r18", "--json", tmp_path / "f.json"
    )
    assert (code, errors) == (0, [])
    assert table["recall"]["Mean"] == "66.67"
    code, _, _ = evaluate(*arguments, "--save-results", tmp_path / "r17", "--result-format", "posetrack17")
    assert code == 0
    gt = posetrack / "annotations" / "val"
    for folder in ("r18", "r17"):
        files = ("--metric", "posetrack", "--gt", gt, "--pred", tmp_path / folder, "--mota")
        assert evaluate(*files) == (0, table, [])
    assert "annolist" in json.loads((tmp_path / "r17" / "000342_mpii_test.json").read_text())
    figures = json.loads((tmp_path / "f.json").read_text())
    assert f"{figures['AP']['Mean']:.2f}" == table["AP"]["Mean"]
    assert figures["splits"] == ["val"]
    assert figures["boxes"] == {"name": "one box"}


def test_boxes_from_a_file(evaluate, posetrack, tmp_path):
    boxes = [
        {"image_id": ID, "bbox": [20, 10, 30, 50], "score": 0.9, "category_id": 1},
        {"image_id": ID + 1, "bbox": [26, 10, 30, 50], "score": 0.2, "category_id": 1},
    ]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    arguments = ("--dataset", "posetrack18", "--data", posetrack, "--boxes", tmp_path / "boxes.json")
    code, table, _ = evaluate(*arguments)
    assert code == 0
    assert table["recall"]["Mean"] == "66.67"  # two of three people
    assert evaluate(*arguments, "--threshold", "0.5")[1]["recall"]["Mean"] == "33.33"
    (tmp_path / "boxes.json").write_text(json.dumps([boxes[0] | {"image_id": 5}]))
    code, _, errors = evaluate(*arguments)
    assert code == 1
    assert "none of its boxes is on a picture of the dataset" in errors[0]


def test_posetrack17_results_are_in_its_own_form(evaluate, tmp_path):
    joints = [{"id": [i], "x": [60], "y": [50]} for i in range(15)]
    head = {"x1": [50], "y1": [40], "x2": [70], "y2": [60]}
    person = {"track_id": [0], "annopoints": [{"point": joints}]} | head
    data, results = tmp_path / "data", tmp_path / "results"
    write_posetrack17(data, {1: [person], 4: [person]})
    run = ("--dataset", "posetrack17", "--data", data, "--gt-boxes", "--save-results", results)
    code, table, _ = evaluate(*run)
    assert (code, table["AP"]["Mean"]) == (0, "100.00")
    (file,) = results.iterdir()
    pictures = [entry["image"][0]["name"] for entry in json.loads(file.read_text())["annolist"]]
    assert [picture[-6:] for picture in pictures] == ["02.jpg", "05.jpg"]  # as the annotations have them
    gt = data / "annotations" / "val"
    assert evaluate("--metric", "posetrack", "--gt", gt, "--pred", results) == (0, table, [])


def test_sub_jhmdb_is_the_mean_of_three(evaluate, tmp_path):
    """Each split tests another clip. The middle of the box is near enough for some joints, not for others."""
    for number in (1, 2, 3):
        clip = f"clip{number}"
        write_jhmdb_clip(tmp_path, "catch", clip, length=2, mask=(40, 30, 140 + 60 * number, 130))
        write_jhmdb_split(tmp_path, "catch", {clip: 2}, number)
    arguments = ("--dataset", "sub-jhmdb", "--data", tmp_path, "--gt-boxes")
    parts = [evaluate(*arguments, "--split", number)[1]["PCK"] for number in ("1", "2", "3")]
    code, table, _ = evaluate(*arguments)
    assert code == 0
    assert evaluate(*arguments, "--split", "all")[1] == table
    means = {name: np.mean([float(part[name]) for part in parts]) for name in parts[0]}
    assert len({part["Mean"] for part in parts}) > 1
    for name, mean in means.items():
        assert float(table["PCK"][name]) == pytest.approx(mean, abs=0.011)


def test_coco_stills(evaluate, tmp_path):
    people = [
        annotation(7, [20, 20, 40, 80]),
        annotation(9, [50, 10, 60, 90]),
        annotation(9, [10, 10, 30, 90]),
    ]
    people = [person | {"id": i + 1, "area": 2000} for i, person in enumerate(people)]
    write_coco(tmp_path, [(7, BLACK, {}), (9, BLACK, {})], people, split="val")
    arguments = ("--dataset", "coco", "--data", tmp_path, "--gt-boxes", "--save-results", tmp_path / "r")
    code, table, errors = evaluate(*arguments)
    assert (code, errors) == (0, [])
    assert table["OKS"]["AP"] == "100.00"
    gt = tmp_path / "annotations" / "val.json"
    assert evaluate("--metric", "oks", "--gt", gt, "--pred", tmp_path / "r" / "val.json") == (0, table, [])
    code, _, errors = evaluate(*arguments, "--limit", "1")  # over the results of all
    assert (code, len(errors)) == (1, 1)
    assert "--force" in errors[0]
    assert evaluate(*arguments, "--limit", "1", "--force")[1]["OKS"]["AP"] == "100.00"


def test_clips_of_video(evaluate, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    people = [annotation(100 + i, [20, 20, 40, 80], track_id=1) for i in (0, 1, 3)]
    write_clip(tmp_path, "walk", [BLACK] * 4, people, split="val", frames=(0, 1, 3))
    code, table, errors = evaluate("--dataset", "clips", "--data", tmp_path, "--gt-boxes", "--flip")
    assert (code, errors) == (0, [])
    assert table["OKS"]["AP"] == "100.00"


def test_the_guide_s_python_runs(network, posetrack, monkeypatch, capsys):
    guide = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")
    section = guide[guide.index("## From a model") : guide.index("## From files")]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    monkeypatch.setenv("POSECLI_DATA_POSETRACK18", str(posetrack))
    exec(compile(code, "evaluation.md", "exec"), {})
    assert capsys.readouterr().out == "100.0\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--gt-boxes", "--boxes", "b.json"), 2, "give one of them"),
        (("--metric", "oks"), 2, "one or the other"),
        (("--result-format", "coco"), 2, "--save-results"),
        (("--boxes", "b.json"), 1, "b.json: there is no such file"),
        (("--save-results", "nowhere/results"), 1, "nowhere does not exist"),
        (("--split", "test"), 2, "has no split 'test'"),
        (("--device", "gpu"), 1, "no such device"),
        (("--json", "nowhere/f.json"), 1, "does not exist"),
    ],
)
def test_mistakes_are_told_in_a_line(evaluate, posetrack, tmp_path, monkeypatch, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    found, table, errors = evaluate("--dataset", "posetrack18", "--data", posetrack, *arguments)
    assert (found, table, len(errors)) == (code, {}, 1)
    assert said in errors[0]


def test_mota_is_posetracks(evaluate, tmp_path):
    write_coco(tmp_path, [(7, BLACK, {})], [annotation(7, [20, 20, 40, 80])], split="val")
    code, _, errors = evaluate("--dataset", "coco", "--data", tmp_path, "--mota")
    assert code == 2
    assert "--mota is of the PoseTrack datasets" in errors[0]


def test_a_damaged_picture_ends_the_run(evaluate, posetrack, tmp_path):
    picture = posetrack / "images" / "val" / "000342_mpii_test" / "000003.jpg"
    picture.write_bytes(b"\xff\xd8 no picture")
    arguments = ("--dataset", "posetrack18", "--data", posetrack, "--gt-boxes")
    code, table, errors = evaluate(*arguments, "--save-results", tmp_path / "r")
    assert (code, table) == (1, {})
    assert errors == [f"posecli: {picture} is damaged or not a picture: replace it"]
    assert not list(tmp_path.glob("r/*"))
