"""Opening a teacher's ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from posecli.errors import PosecliError


def open_onnx(path: Path, title: str, fits: Callable[[list[Any]], bool]) -> Any:
    """An onnxruntime session on one thread: onnxruntime's own would fight with the trainer's.

    Args:
        title: the teacher's name, for messages.
        fits: whether outputs (each with a name and a shape) are those of this teacher.

    Raises:
        PosecliError: onnxruntime is missing, or the file, or the file can't be read as ONNX or is another model.
    """
    try:
        import onnxruntime
    except ImportError:
        raise PosecliError('a teacher needs onnxruntime: pip install "posecli[teacher]"') from None
    if not path.is_file():
        raise PosecliError(f"{path}: there is no such teacher file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session: Any = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base
        raise PosecliError(f"{path}: can't be read as ONNX ({str(error).splitlines()[0]})") from None
    outputs = session.get_outputs()
    if not fits(outputs):
        names = ", ".join(output.name for output in outputs)
        raise PosecliError(f"{path}: is no {title}: its outputs are {names}")
    return session
