"""The page on speed: what its tables say, what is asked for, and that it tells what the measurements say."""

from pathlib import Path

import pytest

from benchmarks.performance.bars import bars, growth
from benchmarks.performance.report import PARTS, read_results, write_report
from benchmarks.performance.stages import REST, STAGES
from benchmarks.performance.tables import DRAWN, blocks, machines, time
from benchmarks.quality.report import fill, write_figures
from posecli.errors import PosecliError

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
MACHINE = {"processor": "P", "cores": 2, "threads": 2, "python": "3", "torch": "2", "bf16": True, "gpu": None}


def timed(ms, **others):
    return {"ms": ms, "low_ms": 0.9 * ms, "high_ms": 1.1 * ms, "runs": 5, "cpu_ms": ms, "share": 1.0} | others


def scan_row(backend, direction, ms):
    return timed(ms, backend=backend, direction=direction, ratio=1.0, updates_per_s=2.83e11 / ms)


def window_row(scan, ms, ratio):
    return timed(
        ms, network="b", mode="exact", scan=scan, precision="fp32", ratio=ratio, ms_per_frame=ms, answers=1
    )


def stage_row(people, flip, rate):
    stages = dict.fromkeys((*STAGES, REST), 2.0)
    rates = {"frames_per_s": rate, "low_frames_per_s": rate - 1, "high_frames_per_s": rate + 1}
    row = timed(1000 / rate, people=people, flip=flip, frames=75, poses_per_frame=people, stages=stages)
    return row | rates


@pytest.fixture
def results():
    """Something of every part; the numbers are made up."""
    rows = {
        "scan": [scan_row("numba", "forward", 100.0), scan_row("numba", "backward", 310.0)],
        "encoder": [timed(8.0, encoder="E", crops=5, precision="bf16", ratio=0.5)],
        "windows": [window_row("numba", 2000.0, 1.0), window_row("mambapy", 60_000.0, 30.0)],
        "table7": [
            timed(ms, network="glsmamba", tokens=tokens, peak_mb=mb + 400, work_mb=mb)
            for tokens, ms, mb in ((3840, 100.0, 50.0), (15_360, 400.0, 200.0))
        ]
        + [{"network": "transformer, plain attention", "tokens": 15_360, "skipped": "too large"}],
        "stages": [stage_row(1, False, 26.0), stage_row(4, True, 9.0), stage_row(10, True, 3.0)],
        "startup": [
            timed(20_000.0, run="first", flip=True, peak_mb=700.0),
            timed(4500.0, run="later", flip=True, peak_mb=600.0),
        ],
        "memory": [
            {"clip_seconds": 60, "frames": 600, "seconds": 20.0, "peak_megabytes": 700.0, "ratio_to_first": 1.0},
            {"clip_seconds": 1800, "frames": 18_000, "seconds": 500.0, "peak_megabytes": 714.0,
             "ratio_to_first": 1.02},
        ],
    }  # fmt: skip
    return {
        part: {"machine": MACHINE | {"load": 0.1}, "rows": rows[part], "skipped": {"triton": "no GPU"}}
        for part in PARTS
    }


def test_the_page_has_a_place_for_every_block_and_picture(results, tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")
    write_report(tmp_path, results)
    text = page.read_text("utf-8")
    for name, content in blocks(results).items():
        assert f"<!-- {name} -->\n{content}\n<!-- /{name} -->" in text
    pictures = {path.name for path in (tmp_path / "images").iterdir()}
    assert pictures == {f"performance_{part}.svg" for part in DRAWN}
    assert all(f"(images/{name})" in text for name in pictures)


def test_the_page_tells_what_the_files_say():
    """Whoever changes one of the two has to run `python -m benchmarks.performance --cache ... --parts --docs`."""
    text = PAGE.read_text("utf-8")
    assert fill(text, blocks(read_results(PAGE.parent / "performance")), PAGE) == text


def test_what_was_asked_for(results):
    told = {bar.what: (bar.measured, bar.met) for bar in bars(results)}
    assert told == {
        "scan, state updates a second": ("2.8e+09", True),
        "scan, backward over forward": ("3.1", False),
        "b, times faster than on the scan of mambapy": ("30.0", True),
        "estimate, people: 1, --no-flip": ("26.0", True),
        "estimate, people: 4, the defaults": ("9.0", False),
        "first frame of a later run": ("4.5", True),
        "peak memory of 30 minutes over 1": ("1.02", True),
    }


def test_parts_that_were_not_measured_are_left_out(results):
    assert set(blocks({"encoder": results["encoder"]})) == {"machine", "bars", "encoder"}
    assert blocks({}) == {"machine": "Nothing was measured yet."}


def test_growth_is_the_power_between_the_two_largest():
    rows = [{"network": "a", "tokens": n, "ms": n**2, "work_mb": float(n)} for n in (10, 20, 40)] + [
        {"network": "b", "tokens": 10, "ms": 1.0}
    ]
    assert growth(rows, "ms") == {"a": pytest.approx(2)}
    assert growth(rows, "work_mb") == {"a": pytest.approx(1)}


def test_times_are_told_in_the_unit_that_fits():
    assert time(timed(2.0)) == "2.00 (1.80 to 2.20) ms"
    assert time(timed(60_000.0, runs=1)) == "60.0 s"


def test_machines_that_differ_are_told_apart(results):
    results["stages"]["machine"] = MACHINE | {"load": 2.0, "threads": 1}
    first, second = machines(results).splitlines()
    assert "threads: 2" in first
    assert "scan (load 0.1)" in first
    assert second.endswith("threads: 1, bf16 is the faster; Python 3, PyTorch 2: stages (load 2.0).")


def test_a_page_without_a_marker_is_said_so(results, tmp_path):
    (tmp_path / "performance.md").write_text("no markers\n")
    with pytest.raises(PosecliError, match="needs one line <!-- machine -->"):
        write_report(tmp_path, results)
    with pytest.raises(PosecliError, match="there is no such document"):
        write_report(tmp_path / "none", results)


def test_files_of_parts_are_read_back(results, tmp_path):
    write_figures(tmp_path / "encoder.json", results["encoder"])
    assert read_results(tmp_path) == {"encoder": results["encoder"]}
