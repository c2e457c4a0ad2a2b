"""An RTSP camera that hangs up: connected again, and nothing of what it then sends is lost."""

import av
import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.video import open_source
from posecli.video.live import LiveStream

from .making import index_of, make_video, moving
from .rtsp_server import RtspServer, transport_stream

needs_rtsp = pytest.mark.skipif("rtsp" not in av.formats_available, reason="FFmpeg was built without RTSP")
pytestmark = needs_rtsp

FIRST, COUNT = 10, 31


@pytest.fixture
def streams(tmp_path):
    """Two transport streams, of the first pictures and of the others. Each ends with one more picture, which never
    arrives: a receiver knows that a picture is whole when the next one begins."""
    images = moving(COUNT + 1)
    parts = (images[: FIRST + 1], images[FIRST:])
    for number, part in enumerate(parts):
        make_video(tmp_path / f"{number}.ts", part, options={"tune": "zerolatency"})
    return [[transport_stream(tmp_path / f"{number}.ts")] for number in range(len(parts))]


def test_all_that_is_sent_after_a_break_arrives(streams):
    with (
        RtspServer([lambda: streams[0], lambda: streams[1]]) as server,
        LiveStream(server.url, back_off_s=(0.05,) * 3) as stream,
    ):
        frames = list(stream.frames())
        said = stream.warnings
    assert all("TCP" in transport for transport in server.transports), "without loss, if the server can"
    assert [index_of(frame.image) for frame in frames] == list(range(COUNT))
    assert [frame.index for frame in frames] == list(range(COUNT))
    steps = np.diff([frame.time_s for frame in frames])
    np.testing.assert_allclose(np.delete(steps, FIRST - 1), 1 / 30, atol=1e-4)
    assert steps[FIRST - 1] >= 1 / 30 - 1e-4, "times go on by the clock"
    assert "connected again after the stream broke off: 1" in said
    assert any("ended after 3 attempts" in line for line in said)


def test_a_server_that_turns_everyone_away(streams):
    with RtspServer([]) as server, pytest.raises(PosecliError, match=f"{server.url}"):
        open_source(server.url)
