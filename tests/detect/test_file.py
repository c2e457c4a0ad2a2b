import json

import numpy as np
import pytest

from posecli.detect.file import BoxFile
from posecli.detect.stream import track_people
from posecli.detect.tracking import make_tracker
from posecli.errors import PosecliError
from posecli.types import Boxes, Tracks

from .helpers import frame


def write(path, *rows):
    """Rows: (frame index, x, y, width, height, score, track id or None)."""
    entries = [
        {"image_id": t, "category_id": 1, "bbox": bbox, "score": score}
        | ({} if i is None else {"track_id": i})
        for t, *bbox, score, i in rows
    ]
    path.write_text(json.dumps(entries))
    return path


def test_ids_are_kept_and_no_tracker_is_asked(tmp_path):
    path = write(
        tmp_path / "boxes.json",
        (0, 10, 20, 30, 40, 0.9, 7),
        (2, 11, 20, 30, 40, 0.8, 7),
        (2, 90, 5, 8, 9, 0.5, 3),
    )
    file = BoxFile(path)
    assert file.has_ids
    result = [people for _, people in track_people(file.attach([frame(t) for t in range(3)]), None)]
    assert [sorted(people.ids.tolist()) for people in result] == [[7], [], [3, 7]]
    np.testing.assert_array_equal(result[0].xyxy, [[10, 20, 40, 60]])


def test_boxes_without_ids_go_through_the_tracker(tmp_path):
    path = write(tmp_path / "boxes.json", *((t, 10 + t, 20, 30, 40, 0.9, None) for t in range(4)))
    file = BoxFile(path)
    assert not file.has_ids
    assert isinstance(file.at(frame(1)), Boxes)
    stream = track_people(file.attach([frame(t) for t in range(5)]), make_tracker("bytetrack", 25))
    assert [people.ids.tolist() for _, people in stream] == [[1], [1], [1], [1], []]


@pytest.mark.parametrize(("track_id", "kind"), [(1, Tracks), (None, Boxes)])
def test_a_picture_without_boxes_is_of_the_same_kind(tmp_path, track_id, kind):
    file = BoxFile(write(tmp_path / "boxes.json", (0, 1, 2, 3, 4, 0.9, track_id)))
    assert type(file.at(frame(5))) is kind
    assert len(file.at(frame(5))) == 0


def test_an_id_twice_on_a_picture_is_refused(tmp_path):
    path = write(tmp_path / "boxes.json", (4, 1, 2, 3, 4, 0.9, 1), (4, 50, 2, 3, 4, 0.9, 1))
    with pytest.raises(PosecliError, match=r"boxes\.json: picture 4 has a track_id twice"):
        BoxFile(path)


def test_no_such_file(tmp_path):
    with pytest.raises(PosecliError, match=r"missing\.json"):
        BoxFile(tmp_path / "missing.json")
