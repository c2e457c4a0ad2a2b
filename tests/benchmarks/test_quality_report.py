"""The document that is written from the figures: only between its markers, and the same figures make the same files."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.report import fill, read_figures, rounded, write_figures, write_report
from benchmarks.quality.tables import blocks, difference_table, pck_table, percent, points
from posecli.errors import PosecliError

PAGE = Path(__file__).parents[2] / "docs" / "quality.md"
METHODS = ("encoder", "gsm", "whole", "thunder")
KINDS = ("blur", "occlusion", "dark", "compression")


def shares(keypoints=10, methods=METHODS, base=0.5):
    return {
        "keypoints": keypoints,
        "pck": {method: [base + 0.01 * i, base + 0.2] for i, method in enumerate(methods)},
    }


def gaps(others):
    return {other: {"value": 0.02, "low": -0.01, "high": 0.05, "units": 10} for other in others}


def kind(methods=METHODS):
    others = [method for method in methods if method != "whole"]
    return shares(methods=methods) | {
        "harmed": shares(4, methods) | {"difference": gaps(others)},
        "hidden": {"keypoints": 0, "pck": {method: [None, None] for method in methods}},
        "clips": [{"source": "walk", "labels": "teacher", "people": 3} | shares(methods=methods)],
        "difference": gaps(others),
        "jitter": {"labels": 0.005} | dict.fromkeys(methods, 0.01),
    }


@pytest.fixture
def figures():
    joints = [{"joint": "nose"} | shares()]
    box = {
        "detector": "embedded",
        "data": "pictures",
        "pictures": 3,
        "threshold": 0.15,
        "boxes_per_picture": 2.5,
    }
    recalls = {f"recall{size}": 0.9 for size in ("", "_small", "_medium", "_large", "_tall")}
    return {
        "model": {"name": "glsmamba-t", "sha256": "0123456789abcdef", "gsm_only": False},
        "every": 3,
        "detection": [box | {"ap50": 0.7612} | recalls],
        "sources": [{"source": "coco", "labels": "human", "people": 2} | shares()],
        "human": {"people": 2, "joints": joints, "difference": gaps(("encoder", "thunder"))} | shares(),
        "agreement": {"people": 2, "joints": joints} | shares(),
        "clean": kind(),
        "degraded": {name: kind() for name in KINDS},
        "switches": [
            {"clip": "all", "seconds": 12.0, "switches": 4, "switches_per_minute": 20.0, "fragments": 5,
             "idf1": 0.75, "mota": None}
        ],
    }  # fmt: skip


def copied_page(folder):
    page = folder / "quality.md"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")
    return page


def outside_of_blocks(text, names):
    for name in names:
        before, after = f"<!-- {name} -->", f"<!-- /{name} -->"
        text = text[: text.index(before)] + text[text.index(after) :]
    return text


def test_the_page_has_a_place_for_every_block(figures, tmp_path):
    page, made = copied_page(tmp_path), blocks(figures)
    before = page.read_text("utf-8")
    write_report(tmp_path, figures)
    after = page.read_text("utf-8")
    assert outside_of_blocks(after, made) == outside_of_blocks(before, made)
    for name, content in made.items():
        assert f"<!-- {name} -->\n{content}\n<!-- /{name} -->" in after
    pictures = {path.name for path in (tmp_path / "images").iterdir()}
    assert pictures == {name for name in pictures if f"images/{name}" in after}
    assert {f"images/{name}" for name in pictures} == {
        part.split(")")[0] for part in after.split("](")[1:] if part.startswith("images/")
    }


def test_the_same_figures_make_the_same_files(figures, tmp_path):
    copied_page(tmp_path)
    write_report(tmp_path, figures)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write_report(tmp_path, figures)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == first
    assert len(first) == 8


def test_without_teachers_their_columns_are_left_out(figures, tmp_path):
    methods = METHODS[:3]
    figures["sources"] = [{"source": "coco", "labels": "human", "people": 2} | shares(methods=methods)]
    joints = [{"joint": "nose"} | shares(methods=methods)]
    figures["human"] = {"people": 2, "joints": joints} | shares(methods=methods)
    figures["agreement"] = {"people": 2, "joints": joints} | shares(methods=methods)
    figures["clean"], figures["degraded"] = kind(methods), {name: kind(methods) for name in KINDS}
    assert not any("Thunder" in text for text in blocks(figures).values())
    copied_page(tmp_path)
    figures["human"]["difference"] = gaps(("encoder",))
    write_report(tmp_path, figures)
    assert (tmp_path / "images" / "quality_differences.svg").is_file()


def test_nothing_measured_yet_leaves_the_tables_as_they_are(tmp_path):
    page = copied_page(tmp_path)
    write_report(tmp_path, {})
    before, after = PAGE.read_text("utf-8"), page.read_text("utf-8")
    assert "Nothing was measured yet." in after
    assert outside_of_blocks(after, ["model", "bars"]) == outside_of_blocks(before, ["model", "bars"])


def test_a_table_of_shares(figures):
    rows = [{"source": "coco"} | shares(1234, ("encoder", "whole"))]
    assert pck_table(rows, {"source": "source"}).splitlines() == [
        "| source | keypoints | encoder alone @0.1 | + LRM (whole) @0.1 | encoder alone @0.2 | + LRM (whole) @0.2 |",
        "| --- | --- | --- | --- | --- | --- |",
        "| coco | 1,234 | 50.0 | 51.0 | 70.0 | 70.0 |",
    ]
    last = difference_table({"people": figures["human"]}).splitlines()[-1]
    assert last == "| people | whole model | Thunder | +2.0 | -1.0 to +5.0 | 10 |"
    assert (percent(None), points(-0.0123)) == ("-", "-1.2")


def test_harmed_frames_have_their_own_differences(figures):
    rows = [line.split(" | ")[0] for line in blocks(figures)["differences"].splitlines()[2:]]
    assert rows[:4] == ["| clean"] * 3 + ["| clean, harmed frames"]
    figures["clean"]["harmed"] = shares(figures["clean"]["keypoints"])
    assert "clean, harmed" not in blocks(figures)["differences"]


def test_figures_are_kept_as_json_without_nan(tmp_path):
    path = tmp_path / "quality.json"
    write_figures(path, {"a": {"b": [float("nan"), 0.123456]}, "n": 3})
    assert path.read_text().count("NaN") == 0
    assert read_figures(path) == {"a": {"b": [None, 0.1235]}, "n": 3}
    assert read_figures(tmp_path / "none.json") == {}
    path.write_text("{")
    with pytest.raises(
        PosecliError, match=r"quality\.json: can't be read as JSON .*; remove it to measure anew"
    ):
        read_figures(path)
    assert rounded(np.float64(0.25)) == 0.25


def test_a_page_without_a_marker_is_said_so_and_left_alone(figures, tmp_path):
    page = copied_page(tmp_path)
    page.write_text(page.read_text("utf-8").replace("<!-- /bars -->", ""), "utf-8")
    before = page.read_bytes()
    with pytest.raises(PosecliError, match="needs one line <!-- bars --> and one <!-- /bars --> after it"):
        write_report(tmp_path, figures)
    assert page.read_bytes() == before
    assert fill("<!-- a -->\nold\n<!-- /a -->\n", {"a": "new"}, page) == "<!-- a -->\nnew\n<!-- /a -->\n"


def test_no_part_means_that_only_the_page_is_written(figures, tmp_path, monkeypatch):
    from benchmarks.quality.__main__ import main

    page = copied_page(tmp_path)
    write_figures(tmp_path / "quality.json", figures)
    before = (tmp_path / "quality.json").read_bytes()
    words = ["quality", "nowhere", "--cache", "nowhere", "--docs", str(tmp_path), "--parts"]
    monkeypatch.setattr("sys.argv", words)
    main()
    assert blocks(figures)["switches"] in page.read_text("utf-8")
    assert (tmp_path / "quality.json").read_bytes() == before


def test_data_that_is_not_there_is_one_line(tmp_path, monkeypatch, capsys):
    from benchmarks.quality.__main__ import main

    words = ["quality", str(tmp_path / "none"), "--cache", str(tmp_path), "--docs", str(tmp_path)]
    monkeypatch.setattr("sys.argv", [*words, "--parts", "detector"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "quality: detector"
    assert error[1].startswith(f"quality: {tmp_path / 'none'}: no coco data for split 'val'; looked for ")
    assert len(error) == 2


def test_the_page_tells_what_the_json_says():
    """Whoever changes one of the two has to run `python -m benchmarks.quality ... --parts`."""
    figures = json.loads((PAGE.parent / "quality.json").read_text())
    text = PAGE.read_text("utf-8")
    assert fill(text, blocks(figures), PAGE) == text
