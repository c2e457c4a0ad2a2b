"""Streams that break off: a web server that hangs up in the middle, and a device that is none."""

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.video import ffmpeg, open_source
from posecli.video.live import LiveStream

from .making import make_video

COUNT = 40


@pytest.fixture
def server(tmp_path):
    """Serves the folder; the first `breaks` answers stop in the middle."""

    class Handler(BaseHTTPRequestHandler):
        breaks, states_length = 0, True

        def do_GET(self):
            body = (tmp_path / self.path[1:]).read_bytes() if (tmp_path / self.path[1:]).is_file() else None
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            if Handler.states_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if Handler.breaks:
                Handler.breaks -= 1
                body = body[: len(body) // 2]
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    Handler.url = f"http://127.0.0.1:{served.server_port}/"
    yield Handler
    served.shutdown()
    served.server_close()
    thread.join()


def noise():
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(COUNT)]


def same(a, b):
    assert [(frame.index, frame.time_s) for frame in a] == [(frame.index, frame.time_s) for frame in b]
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("breaks", [0, 1, 2])
def test_a_video_goes_on_where_it_broke_off(server, tmp_path, breaks):
    make_video(tmp_path / "a.mkv", noise(), options={"g": "5"})
    with open_source(tmp_path / "a.mkv") as video:
        whole = list(video.frames())
    server.breaks = breaks
    with LiveStream(f"{server.url}a.mkv", back_off_s=(0.01,) * 5) as stream:
        frames = list(stream.frames())
        said = stream.warnings
    same(frames, whole)
    assert any("connected again" in line for line in said) == bool(breaks)


def test_who_never_comes_back_is_given_up_and_what_came_is_kept(server, tmp_path):
    make_video(tmp_path / "a.mkv", noise(), options={"g": "5"})
    server.breaks = 100
    with LiveStream(f"{server.url}a.mkv", back_off_s=(0.01,) * 3) as stream:
        frames = list(stream.frames())
        assert any("ended after 3 attempts" in line for line in stream.warnings)
    assert 0 < len(frames) < COUNT


def test_nobody_there_is_an_error_in_one_line(server):
    with pytest.raises(PosecliError, match="cannot open"):
        open_source(f"{server.url}nothing.mkv")


@pytest.fixture
def device(monkeypatch):
    """FFmpeg's test picture, 5 frames a connection, in the place of a camera."""
    picture = "testsrc2=size=64x48:rate=10:duration=0.5"
    monkeypatch.setattr(ffmpeg, "camera_device", lambda name: (picture, "lavfi"))
    monkeypatch.setattr("posecli.video.live.LiveStream._is_replayed", lambda *_: False)


def test_a_camera_is_connected_again_and_its_times_go_on_by_the_clock(device):
    now = iter(np.arange(1000) * 0.3)
    with LiveStream("camera:0", back_off_s=(0.01,) * 3, clock=lambda: next(now)) as stream:
        frames = list(islice(stream.frames(), 12))
        assert stream.files == []
    assert [frame.index for frame in frames] == list(range(12))
    times = [frame.time_s for frame in frames]
    # Asked once a frame and once a connection, this clock says that each break lasted 0.3 s.
    np.testing.assert_allclose(np.diff(times), [0.1] * 4 + [0.3] + [0.1] * 4 + [0.3] + [0.1], atol=1e-6)
    assert (np.diff([frame.pts for frame in frames]) > 0).all()


def test_it_ends_when_it_is_stopped(device):
    with open_source("camera:0") as stream:
        frames = stream.frames()
        next(frames)
        stream.stop()
        assert list(frames) == []


def test_no_camera(monkeypatch):
    with pytest.raises(PosecliError, match="camera:77"):
        open_source("camera:77")
