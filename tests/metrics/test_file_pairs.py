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


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".h5", ".trc"])
def test_predictions_of_every_suffix_are_found(truth, tmp_path, suffix):
    found = touch(tmp_path / "found", f"a{suffix}")
    assert file_pairs(truth / "a.json", found) == [(truth / "a.json", found / f"a{suffix}")]


def test_a_folder_of_openpose_is_one_sequence(truth, tmp_path):
    touch(tmp_path / "found")
    inner = touch(tmp_path / "found" / "a", "a_000000000000_keypoints.json")
    assert file_pairs(truth / "a.json", inner) == [(truth / "a.json", inner)]
    assert file_pairs(truth / "a.json", inner.parent) == [(truth / "a.json", inner)]
