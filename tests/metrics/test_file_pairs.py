"""Which files belong together, and what is said where one is missing."""

import pytest

from posecli.errors import PosecliError
from posecli.metrics.file_pairs import file_pairs


def touch(folder, *names):
    folder.mkdir()
    for name in names:
        (folder / name).write_text("{}")
    return folder


@pytest.fixture
def truth(tmp_path):
    return touch(tmp_path / "truth", "b.json", "a.json", ".hidden.json", "notes.txt")


def test_folders_by_name_in_sorted_order(truth, tmp_path):
    found = touch(tmp_path / "found", "a.json", "b.csv", "c.json")
    assert file_pairs(truth, found) == [
        (truth / "a.json", found / "a.json"),
        (truth / "b.json", found / "b.csv"),
    ]


def test_two_files_need_no_common_name(truth, tmp_path):
    found = touch(tmp_path / "found", "c.json")
    assert file_pairs(truth / "a.json", found / "c.json") == [(truth / "a.json", found / "c.json")]


def test_a_file_and_a_folder(truth, tmp_path):
    found = touch(tmp_path / "found", "a.json")
    assert file_pairs(truth / "a.json", found) == [(truth / "a.json", found / "a.json")]
    with pytest.raises(PosecliError, match=r"a\.json is one file, but .*truth has 2"):
        file_pairs(truth, found / "a.json")


def test_what_is_missing(truth, tmp_path):
    found = touch(tmp_path / "found", "a.json")
    with pytest.raises(PosecliError, match=r"found/b\.json: there is no such file"):
        file_pairs(truth, found)
    with pytest.raises(PosecliError, match=r"--gt .*nowhere: there is no such file or folder"):
        file_pairs(tmp_path / "nowhere", found)
    with pytest.raises(PosecliError, match=r"--pred .*nowhere: there is no such file or folder"):
        file_pairs(truth, tmp_path / "nowhere")
    with pytest.raises(PosecliError, match=r"--gt .*empty: there are no \.json files"):
        file_pairs(touch(tmp_path / "empty"), found)
