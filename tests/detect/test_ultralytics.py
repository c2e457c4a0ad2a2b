"""The ultralytics detector against a fake package with the same interface (the real one is an extra)."""

import sys
import types

import numpy as np
import pytest
import torch

from posecli.detect import make_detector
from posecli.errors import PosecliError


class FakeYolo:
    names = {0: "bicycle", 1: "person"}  # noqa: RUF012
    calls = []  # noqa: RUF012

    def __init__(self, path):
        if "broken" in path:
            raise RuntimeError("invalid magic number\nsecond line")
        self.path = path

    def predict(self, **arguments):
        FakeYolo.calls.append(arguments)
        boxes = types.SimpleNamespace(
            xyxy=torch.tensor([[1.0, 2, 30, 40], [5, 5, 9, 9], [3, 4, 50, 60]]),
            conf=torch.tensor([0.4, 0.95, 0.8]),
            cls=torch.tensor([1.0, 0.0, 1.0]),
        )
        return [types.SimpleNamespace(boxes=boxes) for _ in arguments["source"]]


@pytest.fixture
def fake_package(monkeypatch):
    module = types.ModuleType("ultralytics")
    module.YOLO, module.__version__ = FakeYolo, "8.9.9"
    monkeypatch.setitem(sys.modules, "ultralytics", module)
    FakeYolo.calls.clear()
    return module


def test_only_people_best_first(fake_package):
    detector = make_detector("yolo11n.onnx", device="cpu", threshold=0.25)
    found = detector.detect([np.zeros((80, 90, 3), np.uint8)] * 2)
    assert len(found) == 2
    np.testing.assert_array_equal(found[1].xyxy, [[3, 4, 50, 60], [1, 2, 30, 40]])
    np.testing.assert_allclose(found[1].scores, [0.8, 0.4])


def test_what_the_package_is_asked_for(fake_package):
    image = np.zeros((4, 5, 3), np.uint8)
    image[..., 0] = 200  # red in RGB
    make_detector("yolo11n.onnx", device=torch.device("cpu"), threshold=0.25).detect([image])
    (call,) = FakeYolo.calls
    assert call["conf"] == 0.25
    assert call["classes"] == [1]
    assert call["device"] == "cpu"
    np.testing.assert_array_equal(call["source"][0][0, 0], [0, 0, 200])  # BGR


def test_no_pictures_no_call(fake_package):
    assert make_detector("yolo11n.onnx", device="cpu", threshold=0.25).detect([]) == []
    assert FakeYolo.calls == []


def test_a_pickle_is_warned_about_and_onnx_is_not(fake_package, recwarn):
    make_detector("yolo11n.onnx", device="cpu", threshold=0.25)
    assert not recwarn.list
    with pytest.warns(UserWarning, match="pickle"):
        make_detector("yolo11n.pt", device="cpu", threshold=0.25)


def test_a_broken_model_is_one_line(fake_package):
    with pytest.raises(PosecliError, match=r"broken\.onnx.*invalid magic number\)$"):
        make_detector("broken.onnx", device="cpu", threshold=0.25)


def test_a_model_without_people(fake_package, monkeypatch):
    monkeypatch.setattr(FakeYolo, "names", {0: "cat"})
    with pytest.raises(PosecliError, match="no class called person"):
        make_detector("cats.onnx", device="cpu", threshold=0.25)


def test_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(PosecliError, match=r"pip install 'posecli\[yolo\]'"):
        make_detector("yolo11n.pt", device="cpu", threshold=0.25)


def test_provenance(fake_package):
    told = make_detector("models/yolo11n.onnx", device="cpu", threshold=0.25).provenance()
    assert told == {
        "name": "yolo11n.onnx",
        "package": "ultralytics 8.9.9",
        "weights": "models/yolo11n.onnx",
        "threshold": 0.25,
    }
