"""The files that keep what a run told: CSV, and TensorBoard's where that is there."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.train.checkpoint import RunState
from posecli.train.observer import Observer, Values
from posecli.train.recipe import Recipe


class CsvLogs(Observer):
    """log.csv and quality.csv in the run's folder.

    A resumed run goes on with them; what an interrupted one logged after its last checkpoint happens again, and is
    dropped first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._logs: list[CsvLog] = []

    def on_start(self, state: RunState, recipe: Recipe) -> None:
        evaluated = min(state.step, recipe.steps - 1)  # the last evaluation is made in any case
        self._logs = [
            CsvLog(self._folder / "log.csv", last_step=state.step),
            CsvLog(self._folder / "quality.csv", last_step=evaluated),
        ]

    def on_log(self, step: int, values: Values) -> None:
        self._logs[0].write({"step": step, **values})

    def on_evaluation(self, step: int, values: Values) -> None:
        self._logs[1].write({"step": step, **values})

    def close(self) -> None:
        for log in self._logs:
            log.close()


class CsvLog:
    """Rows of numbers, one a line, flushed at once; columns are those of the first row, the first of them "step".

    Args:
        path: an earlier log there goes on.
        last_step: the earlier log's rows of later steps are dropped; 0 begins anew.
    """

    def __init__(self, path: Path, last_step: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ReplacingFile(path) as stream:
            csv.writer(stream).writerows(_rows_until(path, last_step) if last_step > 0 else [])
        self._stream = path.open("a", newline="")
        self._writer = csv.writer(self._stream)

    def write(self, row: Values) -> None:
        if self._stream.tell() == 0:
            self._writer.writerow(row)
        # Six digits that count: rates are small numbers.
        self._writer.writerow(
            float(f"{value:.6g}") if isinstance(value, float) else value for value in row.values()
        )
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()


class TensorBoardLogs(Observer):
    """The same figures as TensorBoard's event files: train/NAME and quality/NAME over the steps.

    Raises:
        PosecliError: the package tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise PosecliError("--tensorboard needs a package: pip install tensorboard") from None
        self._make_writer = SummaryWriter
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def on_start(self, state: RunState, recipe: Recipe) -> None:
        # Later points of an interrupted run are about to be drawn again.
        self._writer = self._make_writer(str(self._folder), purge_step=state.step + 1)

    def on_log(self, step: int, values: Values) -> None:
        self._write("train", step, values)

    def on_evaluation(self, step: int, values: Values) -> None:
        self._write("quality", step, values)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _write(self, group: str, step: int, values: Values) -> None:
        assert self._writer is not None
        for name, value in values.items():
            # TensorBoard allows few characters in a name: no @, as in pck@0.1.
            self._writer.add_scalar(f"{group}/{name}".replace("@", "_at_").replace(" ", "_"), value, step)
        self._writer.flush()


def tensorboard_logs(folder: Path, wanted: bool | None) -> list[Observer]:
    """TensorBoard's logs, or none.

    Args:
        wanted: None asks for them if the package is there.

    Raises:
        PosecliError: they are wanted, and the package is not there.
    """
    if wanted is None and find_spec("tensorboard") is None:
        return []
    return [] if wanted is False else [TensorBoardLogs(folder)]


def _rows_until(path: Path, last_step: int) -> list[list[str]]:
    """The header and the rows of a log up to a step; a line that a kill cut off is left out."""
    if not path.is_file():
        return []
    with path.open(newline="") as stream:
        header, *rows = list(csv.reader(stream)) or [[]]
    whole = [row for row in rows if len(row) == len(header)]
    return [header] + [row for row in whole if int(row[0]) <= last_step] if header else []
