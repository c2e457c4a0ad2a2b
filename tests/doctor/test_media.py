"""OpenCV and codecs, as they are here and as they would be on a bare server."""

import sys
from types import SimpleNamespace

import cv2
import pytest

from posecli.doctor import media


def test_opencv_is_imported_elsewhere_and_its_version_told():
    (finding,) = media.opencv()
    assert (finding.detail, finding.status) == (cv2.__version__, "ok")


@pytest.mark.parametrize(
    ("stderr", "detail", "advice"),
    [
        (
            "Traceback (most recent call last):\n"
            "ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n",
            "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
            "apt install libgl1;",
        ),
        (
            "ModuleNotFoundError: No module named 'cv2'",
            "ModuleNotFoundError",
            "pip install --force-reinstall opencv",
        ),
        ("", "its import ended with -11", "pip install"),
    ],
    ids=["no libGL", "no package", "crash"],
)
def test_what_opencv_lacks_is_named(monkeypatch, stderr, detail, advice):
    result = SimpleNamespace(returncode=1 if stderr else -11, stdout="", stderr=stderr)
    monkeypatch.setattr(media.subprocess, "run", lambda *_, **__: result)
    (finding,) = media.opencv()
    assert finding.status == "failed"
    assert finding.detail.startswith(detail)
    assert advice in finding.advice


def test_the_process_that_imports_opencv_is_this_python(monkeypatch):
    called = []
    monkeypatch.setattr(media.subprocess, "run", lambda command, **_: called.append(command) or SimpleNamespace(returncode=0, stdout="5", stderr=""))  # fmt: skip  # noqa: E501
    list(media.opencv())
    assert called[0][0] == sys.executable


def test_codecs_that_posecli_cannot_do_without_are_here():
    found = {finding.name: finding for finding in media.codecs()}
    assert found["H.264 decoder"].status == found["H.264 encoder"].status == "ok"


def test_codecs_that_are_not_there_are_named():
    finding = media._codec("X decoder", "r", ("no_such_codec", "nor_this"), "failed", "X cannot be read")
    assert (finding.detail, finding.status) == ("none of no_such_codec, nor_this", "failed")
    assert finding.advice.startswith("X cannot be read: ")
