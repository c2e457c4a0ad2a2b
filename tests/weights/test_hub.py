"""Never on the network: the client's download is replaced, or told to be offline with an empty cache."""

import hashlib
import re
import subprocess
import sys

import pytest

from posecli.errors import PosecliError
from posecli.weights.hub import VITPOSE_FILES, pull

huggingface_hub = pytest.importorskip("huggingface_hub", reason="the hub's client is optional")


@pytest.fixture
def downloaded(tmp_path, monkeypatch):
    """The download always finds this file; calls are recorded."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    calls = []

    def download(repo_id, filename, revision=None):
        calls.append((repo_id, filename, revision))
        return str(path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return path, calls


def test_pull_asks_for_the_revision(downloaded):
    path, calls = downloaded
    assert pull("owner/name", "model.safetensors", "abc") == path
    assert pull("owner/name", "model.safetensors") == path
    assert calls == [("owner/name", "model.safetensors", "abc"), ("owner/name", "model.safetensors", None)]


def test_pull_checks_the_hash(downloaded):
    path, _ = downloaded
    digest = hashlib.sha256(b"weights").hexdigest()
    assert pull("owner/name", "model.safetensors", sha256=digest.upper()) == path
    path.write_bytes(b"others")
    with pytest.raises(PosecliError, match=rf"{re.escape(str(path))}: SHA-256 .* instead of {digest}"):
        pull("owner/name", "model.safetensors", sha256=digest)


def test_offline_with_an_empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(PosecliError, match=r"owner/name/model\.safetensors at v1: not in the hub's cache"):
        pull("owner/name", "model.safetensors", "v1")


def test_a_name_that_cannot_be():
    with pytest.raises(PosecliError, match="not the name of a repository"):
        pull("a/b/c", "model.safetensors")


def test_what_the_client_lets_through_is_one_line(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("connection reset\nby peer")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(
        PosecliError, match=r"the download failed \(RuntimeError: connection reset\)"
    ) as error:
        pull("owner/name", "model.safetensors")
    assert "\n" not in str(error.value)


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(PosecliError, match="pip install huggingface_hub"):
        pull("owner/name", "model.safetensors")


def test_public_files_are_pinned_by_both_or_by_neither():
    for name, file in VITPOSE_FILES.items():
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", file.repo_id)
        assert file.repo_id.endswith(f"/{name}")
        assert (file.revision is None) == (file.sha256 is None)


def test_the_package_is_light():
    code = "import sys, posecli.weights.hub; print({'torch', 'huggingface_hub'} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
