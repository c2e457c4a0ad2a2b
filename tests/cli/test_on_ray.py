"""posecli estimate --ray. With POSECLI_TEST_RAY=1 on a Ray of two workers, started here or named by RAY_ADDRESS."""

import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import posecli.pipeline.options
from posecli.cluster.connection import import_ray
from posecli.errors import PosecliError
from posecli.pipeline.options import Options

from .conftest import write_video
from .ray_stand_ins import DEADLY, SECTION

FIXED = ("--device", "cpu", "--threads", 1, "--batch", 3, "--no-flip")
ON_RAY = ("--ray", "auto", "--ray-workers", 2)
EXAMPLE = Path(__file__).parents[2] / "examples/people.mp4"
PATIENCE_S = 180.0


@pytest.fixture(scope="module")
def wants_ray():
    if "POSECLI_TEST_RAY" not in os.environ:
        pytest.skip(
            "starts a Ray of two workers, which takes minutes on a busy machine: set POSECLI_TEST_RAY=1"
        )
    try:
        return import_ray()  # the first import of it: what it prints is settled then
    except PosecliError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def cluster(wants_ray):
    """Its workers have stand-ins for the networks. It takes a while to start, and on a busy machine it may fail."""
    ray = wants_ray
    address = os.environ.get("RAY_ADDRESS", "local")
    started = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 80 * 2**20}
    tests = Path(__file__).parents[1]
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            runtime_env={
                "env_vars": {"PYTHONPATH": str(tests)},
                "worker_process_setup_hook": f"{__package__}.ray_stand_ins.set_up",
            },
            **(started if address == "local" else {}),
        )
    except Exception as error:
        pytest.skip(f"Ray does not start here: {error}")
    yield ray
    ray.shutdown()


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Two videos that are well, and one that is not."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "videos"
    folder.mkdir()
    write_video(folder / "a.mkv", 4 * SECTION + 2)
    write_video(folder / "c.mkv", 2)
    (folder / "b.mp4").write_text("not a video\n" * 50)
    return folder


@pytest.fixture
def estimate(command, network, monkeypatch):
    monkeypatch.setattr(posecli.pipeline.options, "Options", functools.partial(Options, section=SECTION))

    def call(*arguments):
        return command("estimate", *arguments, "--model", network.file, *FIXED)

    return call


def contents(folder):
    """Without the hidden, unfinished file of a worker that was killed."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if not path.name.startswith(".")}


def test_the_bytes_of_the_plain_run_though_one_video_is_broken_and_a_worker_is_killed(
    cluster, estimate, videos
):
    plain = estimate("videos/", "-o", "plain/")
    DEADLY.touch()
    found = estimate("videos/", "-o", "out/", *ON_RAY)
    assert found == plain
    assert not DEADLY.exists()  # in the middle of a.mkv, with a section in its journal
    assert found[0] == 1
    assert found[1][-1] == "posecli: 2 of 3 videos done, 1 failed"
    assert contents("out") == contents("plain")

    (videos / "b.mp4").unlink()
    times = {path: path.stat().st_mtime_ns for path in Path("out").iterdir()}
    assert estimate("videos/", "-o", "out/", *ON_RAY) == (0, [])  # all is done already
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_folder_that_is_gone_ends_the_run_in_one_line(cluster, command, videos):
    (videos / "sub").mkdir()
    os.chdir(videos / "sub")
    (videos / "sub").rmdir()
    code, lines = command("estimate", videos, "-o", videos.parent / "out/", *FIXED, *ON_RAY)
    assert code == 1
    assert len(lines) == 1


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes under /proc")
def test_ctrl_c_ends_a_ray_that_was_started_here(wants_ray, tmp_path):
    """As in a terminal, where all processes in the foreground get it: one line, exit code 130, and nobody works on."""
    (tmp_path / "videos").mkdir()
    for name in ("a", "b"):
        shutil.copy(EXAMPLE, tmp_path / "videos" / f"{name}.mp4")
    command = [sys.executable, "-m", "posecli", "estimate", "videos/", "-o", "out/", "--ray", "local"]
    mark = f"POSECLI_TEST_MARK={tmp_path.name}-{os.getpid()}"  # all that it starts inherit it
    running = subprocess.Popen(
        [*command, "--ray-workers", "2", "--device", "cpu", "--threads", "1"],
        cwd=tmp_path, env=os.environ | dict([mark.split("=")]), stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert comes_true(lambda: list(tmp_path.glob("out/.*.part"))), "a worker is at work"
        assert len(processes(mark)) > 2
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=PATIENCE_S)
        assert (running.returncode, said) == (130, "posecli: interrupted\n")
        assert comes_true(lambda: not processes(mark)), processes(mark)
        assert not contents(tmp_path / "out")
    finally:
        for process in processes(mark):
            os.kill(int(process.name), signal.SIGKILL)


def comes_true(condition):
    end = time.monotonic() + PATIENCE_S
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def processes(mark):
    """Their folders under /proc, by a variable of their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder)
    return found


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-o", "out/", "--ray-workers", "2"], 2, "--ray-workers is of --ray"),
        (["-o", "out.json", "--ray", "local"], 2, "give a folder"),
        (["-o", "out/", "--ray", "local", "--device", "cuda:1"], 2, "use cuda"),
        (["-o", "out/", "--ray", "nowhere"], 2, "HOST:PORT"),
        (["-o", "out/", "--ray", "127.0.0.1:1"], 1, "nobody answers"),
    ],
)
def test_mistakes(command, network, tmp_path, monkeypatch, arguments, code, said):
    monkeypatch.setitem(sys.modules, "ray", sys.modules.get("ray") or FakeRay)
    monkeypatch.setattr(sys.modules["ray"], "is_initialized", lambda: False)
    clip = write_video(tmp_path / "a.mkv", 2)
    monkeypatch.chdir(tmp_path)
    found, lines = command("estimate", clip, *arguments, "--model", network.file)
    assert (found, len(lines)) == (code, 1)
    assert said in lines[0]


class FakeRay:
    """Enough of Ray to find out that there is no cluster."""

    @staticmethod
    def is_initialized():
        raise NotImplementedError


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PosecliError, match=r"pip install 'posecli\[ray\]'"):
        import_ray()
