"""SHA256SUMS beside weights."""

import hashlib

import pytest

from posecli.errors import PosecliError
from posecli.weights.locate import models_dir
from posecli.weights.sums import SUMS_FILE, stated_sha256

EMBEDDED = sorted(models_dir().glob("*.safetensors"))


@pytest.mark.parametrize("path", EMBEDDED, ids=lambda path: path.name)
def test_the_sums_of_what_comes_with_posecli_fit(path):
    """After new weights: cd models && sha256sum *.safetensors > SHA256SUMS"""
    assert stated_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_is_listed_that_is_not_there():
    if not EMBEDDED:
        pytest.skip("no weights inside")
    listed = [line.split()[-1] for line in (models_dir() / SUMS_FILE).read_text().splitlines()]
    assert sorted(listed) == [path.name for path in EMBEDDED]


def test_both_forms_of_sha256sum_and_names_with_spaces(tmp_path):
    (tmp_path / SUMS_FILE).write_text(f"{'A' * 64}  a b.pth\n{'1' * 64} *c.pth\n")
    assert stated_sha256(tmp_path / "a b.pth") == "a" * 64
    assert stated_sha256(tmp_path / "c.pth") == "1" * 64
    assert stated_sha256(tmp_path / "other.pth") is None


def test_without_sums_nothing_is_stated(tmp_path):
    assert stated_sha256(tmp_path / "a.pth") is None


@pytest.mark.parametrize("text", ["nonsense", "12  a.pth", "\n"])
def test_another_form_is_told(tmp_path, text):
    (tmp_path / SUMS_FILE).write_text(text)
    with pytest.raises(PosecliError, match="line 1 is not a SHA-256"):
        stated_sha256(tmp_path / "a.pth")
