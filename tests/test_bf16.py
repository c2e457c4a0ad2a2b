"""The choice of bf16: by a trial, made once, and never an error."""

import json
import math

import pytest
import torch

from posecli import bf16
from posecli.device import prefers_bf16


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own; nothing is remembered before or after it."""
    monkeypatch.setattr(bf16, "user_folder", lambda kind: tmp_path / kind)
    bf16.bf16_pays.cache_clear()
    yield tmp_path / "cache"
    bf16.bf16_pays.cache_clear()


def trials(monkeypatch, float32_s, bf16_s):
    """The trial takes these seconds; returns the list of its runs."""
    runs = []

    def trial():
        runs.append(1)
        return float32_s, bf16_s

    monkeypatch.setattr(bf16, "trial", trial)
    return runs


@pytest.mark.parametrize(("seconds", "pays"), [((2.0, 1.0), True), ((1.0, 2.0), False), ((1.0, 1.0), False)])
def test_the_faster_is_chosen(monkeypatch, seconds, pays):
    trials(monkeypatch, *seconds)
    assert prefers_bf16(torch.device("cpu")) is pays


def test_the_answer_is_kept_and_a_later_run_does_not_try(monkeypatch, folder):
    runs = trials(monkeypatch, 2.0, 1.0)
    assert bf16.bf16_pays()
    bf16.bf16_pays.cache_clear()
    trials(monkeypatch, 1.0, 2.0)  # would say otherwise
    assert bf16.bf16_pays()
    assert len(runs) == 1
    assert list(json.loads((folder / "bf16.json").read_text()).values()) == [True]


def test_another_machine_or_pytorch_is_another_question(monkeypatch, folder):
    trials(monkeypatch, 2.0, 1.0)
    assert bf16.bf16_pays()
    bf16.bf16_pays.cache_clear()
    trials(monkeypatch, 1.0, 2.0)
    monkeypatch.setattr(bf16, "processor_name", lambda: "another")
    assert not bf16.bf16_pays()
    assert sorted(json.loads((folder / "bf16.json").read_text()).values()) == [False, True]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 3}', ""])
def test_a_damaged_file_is_made_anew(monkeypatch, folder, text):
    folder.mkdir()
    (folder / "bf16.json").write_text(text)
    runs = trials(monkeypatch, 2.0, 1.0)
    assert bf16.bf16_pays()
    assert len(runs) == 1
    assert True in json.loads((folder / "bf16.json").read_text()).values()


def test_without_a_place_to_keep_it_the_trial_decides(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(bf16, "user_folder", lambda kind: tmp_path / "file" / "posecli")
    runs = trials(monkeypatch, 2.0, 1.0)
    assert bf16.bf16_pays()
    assert len(runs) == 1


def test_the_trial_times_both():
    for seconds in bf16.trial():
        assert 0 < seconds < math.inf
