"""What docs/robustness.md promises: limits, and readers that raise nothing but our errors for any text."""

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posecli import MOST_PICTURE_PIXELS
from posecli.errors import PosecliError
from posecli.formats import read_poses
from posecli.video.pictures import read_picture
from posecli.weights.presets import load_preset

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: (
        st.lists(values) | st.dictionaries(st.sampled_from(["images", "annotations", "id"]), values)
    ),
)


def png(side):
    """A header that promises a square of this side, and nothing more."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def test_a_picture_beyond_the_limit_is_refused(tmp_path, capfd):
    side = int(MOST_PICTURE_PIXELS**0.5) + 1
    (tmp_path / "a.png").write_bytes(png(side))
    with pytest.raises(PosecliError, match="damaged"):
        read_picture(tmp_path / "a.png")
    assert capfd.readouterr().err == ""


@settings(derandomize=True, max_examples=60, deadline=None)
@given(value=JSON)
def test_any_json_is_read_or_refused(tmp_path_factory, value):
    import json

    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(value))
    with suppress(PosecliError):
        read_poses(path)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bytes")
    for name, read in (("a.csv", read_poses), ("a.toml", lambda path: load_preset(str(path)))):
        (folder / name).write_bytes(data)
        with suppress(PosecliError):
            read(folder / name)
