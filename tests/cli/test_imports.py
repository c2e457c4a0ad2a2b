"""What is imported when: --help must not wait for PyTorch, and nothing waits for what it does not need."""

import json
import subprocess
import sys

HEAVY = {"torch", "cv2", "av", "numba", "pandas", "scipy", "trackers", "supervision", "matplotlib"}
COMMANDS = ["estimate", "detect", "smooth", "render", "view", "train", "models", "convert", "validate"]
# Of training, of tests and of other tools: estimating needs none of them.
UNRELATED = {"timm", "pandas", "transformers", "matplotlib", "ultralytics", "pycocotools", "huggingface_hub"}


def imported_by(code):
    """The modules that a fresh interpreter has imported after the code."""
    code += "; import json, sys; print(json.dumps([name for name in sys.modules]))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_the_command_line_is_light():
    helps = "".join(f"run(lambda: app([{name!r}, '--help'], standalone_mode=False)); " for name in COMMANDS)
    modules = imported_by(
        "import contextlib, io; from posecli.cli import app; from posecli.cli.exits import run; "
        f"out = contextlib.redirect_stdout(io.StringIO()); out.__enter__(); {helps}out.__exit__(None, None, None)"
    )
    assert "posecli.cli.train" in modules
    assert not HEAVY & modules


def test_estimating_imports_nothing_unrelated():
    modules = imported_by(
        "import posecli.pipeline.estimator, posecli.weights.models, posecli.detect.embedded, posecli.formats, "
        "posecli.video.video_file, posecli.video.pictures; "
        "from posecli.detect.tracking import make_tracker; make_tracker('bytetrack', 25.0)"
    )
    assert {"torch", "trackers"} <= modules
    assert not UNRELATED & modules
