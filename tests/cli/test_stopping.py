"""posecli estimate on a camera or a stream, and Ctrl-C."""

import os
import signal
import time

import pytest

from posecli.formats import read_poses
from posecli.video import ffmpeg
from tests.video.making import make_video, moving
from tests.video.rtsp_server import RtspServer, transport_stream
from tests.video.test_rtsp import needs_rtsp


@pytest.fixture
def camera(monkeypatch):
    """FFmpeg's test picture without an end in the place of a camera."""
    monkeypatch.setattr(ffmpeg, "camera_device", lambda name: ("testsrc2=size=96x64:rate=25", "lavfi"))


@pytest.fixture
def estimate(command, network):
    def call(*arguments):
        return command("estimate", *arguments, "--model", network.file, "--device", "cpu", "--threads", 1)

    return call


def interrupt_on_forward(network, *numbers):
    """Ctrl-C while the model runs, for the n-th times."""
    seen = []

    def on_forward():
        seen.append(None)
        if len(seen) in numbers:
            os.kill(os.getpid(), signal.SIGINT)

    network.on_forward = on_forward


@pytest.mark.parametrize("options", [(), ("--stride", 2)])
def test_the_first_ends_the_stream_and_keeps_its_poses(estimate, network, camera, tmp_path, options):
    interrupt_on_forward(network, 3)
    assert estimate("camera:0", "-o", tmp_path / "poses.json", *options) == (0, [])
    frames = read_poses(tmp_path / "poses.json").frames
    assert len(frames) >= 24
    assert all(len(frame) == 1 for frame in frames)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_interrupts(estimate, network, camera, tmp_path):
    interrupt_on_forward(network, 3, 4)
    code, lines = estimate("camera:0", "-o", tmp_path / "poses.json")
    assert (code, lines) == (130, ["posecli: interrupted"])
    assert not list(tmp_path.glob("*poses*"))


def test_an_end_ends_it(estimate, camera, tmp_path):
    assert estimate("camera:0", "-o", tmp_path / "poses.json", "--end", "0.4") == (0, [])
    assert len(read_poses(tmp_path / "poses.json").frames) == 10


@needs_rtsp
def test_a_stream_that_broke_off_once(estimate, network, tmp_path):
    """Connected again it goes on until Ctrl-C, which keeps the poses, and the server is told."""
    images = moving(300, 96, 64)
    for name, part in (("first", images[:20]), ("then", images[20:])):
        make_video(tmp_path / f"{name}.ts", part, options={"tune": "zerolatency", "g": "10"})
    piece = 188 * 20

    def then():
        data = transport_stream(tmp_path / "then.ts")
        for start in range(0, len(data), piece):
            yield data[start : start + piece]
            time.sleep(0.02)
        server.torn_down.wait(20)

    with RtspServer([lambda: [transport_stream(tmp_path / "first.ts")], then]) as server:
        sent = []

        def on_forward():
            if server.served == 2 and not sent:
                sent.append(os.kill(os.getpid(), signal.SIGINT))

        network.on_forward = on_forward
        code, lines = estimate(server.url, "-o", tmp_path / "poses.json")
        assert server.torn_down.wait(10)
    assert code == 0
    assert sent
    assert lines == ["posecli: warning: connected again after the stream broke off: 1"]
    frames = read_poses(tmp_path / "poses.json").frames
    assert len(frames) >= 20
    assert all(len(frame) == 1 for frame in frames)
