"""What is imported when: --help must not wait for PyTorch, and nothing waits for what it does not need."""

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAVY = {"torch", "cv2", "av", "numba", "pandas", "scipy", "trackers", "supervision", "matplotlib"}
COMMANDS = ["estimate", "detect", "smooth", "render", "view", "train", "models", "convert", "validate"]
# Of training, of tests and of other tools: estimating needs none of them.
UNRELATED = {
    "timm", "pandas", "transformers", "matplotlib", "ultralytics", "pycocotools", "huggingface_hub", "torchvision",
    "tensorboard", "motmetrics", "onnxruntime", "pyarrow", "h5py", "ray", "sympy", "torch._dynamo", "torch._inductor",
}  # fmt: skip


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


def test_estimating_imports_nothing_unrelated(tmp_path):
    """All of it happens, from the command to the written poses: what is imported at the first need is seen too."""
    clip = EXAMPLES / "people.mp4"
    command = ["estimate", str(clip), "-o", str(tmp_path / "poses.json"), "-q", "--end", "0.03"]
    modules = imported_by(
        "from posecli.cli import app; from posecli.cli.exits import run; "
        f"run(lambda: app({command!r}, standalone_mode=False))"
    )
    assert (tmp_path / "poses.json").is_file()
    assert {"torch", "trackers", "numba", "av"} <= modules
    assert not UNRELATED & modules
