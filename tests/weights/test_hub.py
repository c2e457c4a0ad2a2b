"""Never on the network: the client's download is replaced, or told to be offline with an empty cache."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from posecli.errors import PosecliError
from posecli.weights.hub import VITPOSE_FILES, pull
from posecli.weights.lock import read_pins

huggingface_hub = pytest.importorskip("huggingface_hub", reason="the hub's client is optional")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """posecli's own cache, where the lock file is kept."""
    monkeypatch.setattr("posecli.weights.lock.user_folder", lambda kind: tmp_path / kind)
    return tmp_path / "cache"


@pytest.fixture
def downloaded(tmp_path, monkeypatch):
    """The download always finds this file, kept as the hub's cache keeps it; calls are recorded."""
    path = tmp_path / "models--owner--name" / "snapshots" / "c0ffee" / "model.safetensors"
    path.parent.mkdir(parents=True)
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
    assert pull("owner/name", "model.safetensors", "v2", hashlib.sha256(b"weights").hexdigest()) == path
    assert calls == [("owner/name", "model.safetensors", "abc"), ("owner/name", "model.safetensors", "v2")]
    assert read_pins() == {}, "who says what to fetch needs no lock"


def test_the_first_pull_is_recorded_and_later_ones_ask_for_the_same(downloaded, cache):
    path, calls = downloaded
    digest = hashlib.sha256(b"weights").hexdigest()
    pull("owner/name", "model.safetensors")
    assert json.loads((cache / "hub-lock.json").read_text()) == {
        "owner/name/model.safetensors": {"revision": "c0ffee", "sha256": digest}
    }
    pull("owner/name", "model.safetensors")
    assert [revision for *_, revision in calls] == [None, "c0ffee"]
    path.write_bytes(b"others")
    with pytest.raises(PosecliError, match=f"instead of {digest}"):
        pull("owner/name", "model.safetensors")


def test_an_update_records_anew(downloaded):
    path, calls = downloaded
    pull("owner/name", "model.safetensors")
    path.write_bytes(b"others")
    pull("owner/name", "model.safetensors", update=True)
    assert [revision for *_, revision in calls] == [None, None]
    assert read_pins()["owner/name/model.safetensors"].sha256 == hashlib.sha256(b"others").hexdigest()


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": {"revision": "x"}}', "[" * 100_000, "\0"])
def test_a_damaged_lock_is_told(downloaded, cache, text):
    cache.mkdir()
    (cache / "hub-lock.json").write_text(text)
    with pytest.raises(PosecliError, match=r"hub-lock\.json: damaged; delete it"):
        pull("owner/name", "model.safetensors")


class Mirror(BaseHTTPRequestHandler):
    """A hub of one file, on this machine."""

    commit, body = "0123456789abcdef" * 2 + "01234567", b"weights"

    def do_HEAD(self):
        found = self.path.startswith("/owner/name/resolve/") and self.path.endswith("/model.safetensors")
        self.send_response(200 if found else 404)
        self.send_header("X-Repo-Commit", self.commit)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(self.body) if found else 0))
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def test_a_mirror_is_asked_by_its_variable(tmp_path):
    """The client reads the variable when it is imported, so it is asked in a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code = "from posecli.weights.hub import pull; print(pull('owner/name', 'model.safetensors'))"
    mirror = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HUB_DISABLE_XET": "1"}
    here = dict.fromkeys(("HF_HOME", "HOME", "XDG_CACHE_HOME"), str(tmp_path))
    try:
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | mirror | here
        )
    finally:
        server.shutdown()
        server.server_close()
    path = Path(ran.stdout.strip())
    assert path.read_bytes() == b"weights", ran.stderr
    assert Mirror.commit in path.parts
    if sys.platform == "linux":
        pins = json.loads((tmp_path / "posecli" / "hub-lock.json").read_text())
        assert pins["owner/name/model.safetensors"]["revision"] == Mirror.commit


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


def test_public_files_are_pinned():
    for name, file in VITPOSE_FILES.items():
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", file.repo_id)
        assert file.repo_id.endswith(f"/{name}")
        assert re.fullmatch(r"[0-9a-f]{40}", file.revision)
        assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)


def test_the_package_is_light():
    code = "import sys, posecli.weights.hub; print({'torch', 'huggingface_hub'} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
