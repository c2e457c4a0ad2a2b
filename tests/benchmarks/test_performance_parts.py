"""The parts of the speed measurements, on networks and clips as small as can be: what is measured is what is said."""

import pytest
import torch

from benchmarks.performance import stages, tokens, windows
from benchmarks.performance.clips import people_clip
from benchmarks.performance.encoders import measure_encoders, random_crops
from benchmarks.scan_peers import plain_loop
from posecli.nn.pose_model import PoseModel
from tests.nn.test_pose_model import small


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return PoseModel(small(**{"temporal.output": "every_frame"})).optimize_for_inference()


def test_encoders_have_a_row_for_each_precision(model):
    rows = measure_encoders({"light": model}, windows=(1,), rounds=1)
    assert [(row["precision"], row["crops"]) for row in rows] == [
        ("fp32", model.config.input.frames),
        ("bf16", model.config.input.frames),
    ]
    assert rows[0]["ratio"] == 1


def test_windows_name_modes_and_scans(model):
    rows = windows.measure_windows(model, windows.as_keyframe(model), rounds=1)
    frames = model.config.input.frames
    assert [(row["mode"], row["answers"]) for row in rows[:4]] == [
        ("every frame", frames),
        ("every frame", frames),
        ("every frame, flip test", frames),
        ("exact", 1),
    ]
    assert [row["scan"] for row in rows[4:7]] == ["numba", "numba", "reference loop"]
    assert all(row["ms_per_frame"] == pytest.approx(row["ms"] / row["answers"]) for row in rows)


@torch.inference_mode()
def test_the_keyframe_mode_is_the_same_network(model):
    images = random_crops(model, 1)
    middle = model.config.input.frames // 2
    heatmaps = model.answer(model.encode(images))
    keyframe = windows.as_keyframe(model)
    torch.testing.assert_close(keyframe(images)[0].shape, heatmaps[0, middle : middle + 1].shape)
    assert keyframe.output_frames == (middle,)
    assert model.output_frames == tuple(range(model.config.input.frames))


@torch.inference_mode()
def test_another_scan_gives_the_same_heatmaps_and_does_all_of_them(model):
    calls = []

    def counted(*arguments):
        calls.append(1)
        return plain_loop(*arguments)

    images = random_crops(model, 1)
    expected = model(images)
    with windows.scanned_by(counted):
        found = model(images)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    temporal = model.config.temporal
    assert len(calls) == temporal.gsm_blocks + temporal.lrm_blocks
    torch.testing.assert_close(model(images), expected, rtol=0, atol=0)


def test_the_transformer_of_table_7_stands_between_the_same_shapes():
    with torch.device("meta"):
        network = tokens.build(tokens.NETWORKS[1], (16, 12))
        heatmaps = network(torch.zeros(1, tokens.FRAMES, tokens.CHANNELS, 16, 12))
    assert heatmaps.shape == (1, tokens.JOINTS, 16, 12)
    assert sum(isinstance(module, tokens.Block) for module in network.modules()) == 6


def test_what_does_not_fit_is_said_and_not_tried():
    # 12 heads x 15,360 squared x 4 bytes, twice: 21.1 GiB.
    assert tokens.attention_gib(15_360) == pytest.approx(21.09, abs=0.01)
    plain, fused = tokens.NETWORKS[1:]
    assert "needs 21 GiB, more than 12" in tokens._why_not(plain, 15_360, [])
    assert tokens._why_not(plain, 3840, []) is None
    rows = [{"network": fused, "tokens": 15_360, "ms": 30_000.0}]
    assert "would take 480 s" in tokens._why_not(fused, 61_440, rows)
    rows[0]["ms"] = 1000.0
    assert tokens._why_not(fused, 61_440, rows) is None


def test_grids_of_the_paper():
    assert list(tokens.GRIDS) == [960, 3840, 15_360, 61_440]


def test_stages_of_an_estimation(tmp_path):
    clip = people_clip(tmp_path, 1, 4)
    assert people_clip(tmp_path, 1, 4) == clip
    run = stages.run_once(stages.make_estimation(flip=False), clip)
    assert run["frames"] == 4
    assert set(run["stages"]) >= set(stages.STAGES) - {"crop", "encode", "temporal", "heatmaps"}
    assert run["poses"] == 0 or set(run["stages"]) == set(stages.STAGES)
    assert all(seconds > 0 for seconds in run["stages"].values())
    assert stages.VideoFile.frames.__name__ == "frames"  # everything is as it was
