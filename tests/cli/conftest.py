"""A tiny video, and a model and a detector that stand in for the networks."""

import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import posecli.detect
import posecli.weights.models
from posecli.cli import main
from posecli.nn.pose_model import EncodedWindows
from posecli.skeletons import COCO
from posecli.types import Boxes
from posecli.video import VideoWriter
from posecli.weights.models import LoadedModel

WIDTH, HEIGHT = 96, 64
BOX = np.array([[20, 10, 50, 60]], np.float32)


class MiddleModel(torch.nn.Module):
    """Puts every keypoint into the middle of the crop, which is the middle of the person's box."""

    output_frames = (0,)
    config = SimpleNamespace(
        joints=COCO, input=SimpleNamespace(frames=1, height=64, width=48, box_scale=1.25)
    )

    def __init__(self) -> None:
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))
        self.on_forward = lambda: None

    def encode(self, images_BTHWC):
        return EncodedWindows(torch.zeros(*images_BTHWC.shape[:2], 1, 1, 1), None)

    def answer(self, encoded):
        self.on_forward()
        return torch.zeros(len(encoded.features_BTCHW), 1, len(COCO), 1, 1)

    def forward(self, images_BTHWC):
        return self.answer(self.encode(images_BTHWC))

    def keypoints(self, heatmaps_BFKHW, box_heights_B=None):
        points = torch.tensor([23.5, 31.5]).expand(*heatmaps_BFKHW.shape[:3], 2)
        return points, torch.ones(points.shape[:3])


class OneBox:
    """Finds the same person on every picture."""

    name = "one box"

    def detect(self, images):
        return [Boxes(BOX, np.array([0.9], np.float32)) for _ in images]

    def provenance(self):
        return {"name": self.name}


@pytest.fixture
def network(monkeypatch, tmp_path):
    """What `--model` and the detector load; its file is there, as the command checks."""
    model = MiddleModel()
    monkeypatch.setattr(posecli.weights.models, "load_model", lambda name: LoadedModel(model, name, "0"))
    monkeypatch.setattr(posecli.detect, "make_detector", lambda *_, **__: OneBox())
    model.file = tmp_path / "model.safetensors"
    model.file.touch()
    return model


def write_video(path: Path, count: int) -> Path:
    """Noise, so that the file has a size."""
    random = np.random.default_rng(0)
    with VideoWriter(path, width=WIDTH, height=HEIGHT, frame_rate=25) as writer:
        for _ in range(count):
            writer.write(random.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8))
    return path


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "clip.mkv", 8)


@pytest.fixture
def command(monkeypatch, capsys):
    def call(*arguments):
        """The exit code, and the lines on standard error; nothing may be on standard output."""
        monkeypatch.setattr(sys, "argv", ["posecli", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        assert captured.out == ""
        return exit_.value.code, captured.err.splitlines()

    return call


@contextmanager
def full_disk(at_bytes):
    """The system lets no file grow beyond a size: a full disk that needs no disk."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
