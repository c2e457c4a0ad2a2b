"""One estimation after the other: what was asked for on the command line, applied to a video and its output."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posecli.cli.checks import check_absent
from posecli.cli.console import Advance, count, progress, say, warnings_in_one_line
from posecli.cli.stopping import ended_by_interrupt
from posecli.errors import PosecliError
from posecli.pipeline.session import Session, Settings

if TYPE_CHECKING:
    from posecli.formats import PoseWriter
    from posecli.pipeline.journal import Journal
    from posecli.types import Poses
    from posecli.video import Source

# In these forms a joint's score is its own times its box's: the kits that read them rank joints by it alone.
RANKED_BY_BOX = ("posetrack17", "posetrack18")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """The options of `posecli estimate` beyond the settings of a session; docs/cli.md explains each."""

    format: str | None
    resume: bool
    force: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one video."""

    frames: int
    persons: int
    seconds: float
    was_done: bool = False  # earlier: nothing was worked out

    def __str__(self) -> str:
        if self.was_done:
            return "done already"
        counts = f"{count(self.frames, 'frame', 'frames')}, {count(self.persons, 'pose', 'poses')}"
        return f"{counts}, {self.frames / self.seconds:.1f} frames/s"


class Estimation:
    """Estimates poses by the same wishes, in one video or many; the networks are loaded with the first."""

    def __init__(self, settings: Settings, wishes: Wishes) -> None:
        self.session = Session(settings)
        self._wishes = wishes

    def run(self, source: str, output: Path, task: str = "estimate") -> Outcome:
        """One video; its output is there when this returns.

        Args:
            task: what the progress bar calls it.

        Raises:
            PosecliError: as of the parts; finished sections are kept in a journal beside the output.
        """
        from posecli.formats import open_writer
        from posecli.formats.base import weighted_by_box
        from posecli.formats.smoothed import open_smoothed_writer
        from posecli.pipeline.placing import placed

        session, wishes = self.session, self._wishes
        started = time.perf_counter()
        with warnings_in_one_line(wishes.quiet), session.open(source) as video, ExitStack() as stack:
            # Only now PyTorch, which takes seconds to start.
            people = session.people(video.picture_names, video.place)
            provenance = session.provenance(source, people)
            if wishes.resume and self._is_done(output, provenance, video):
                return Outcome(0, 0, 0, was_done=True)
            if not wishes.force:
                check_absent(output)
            _make_folder(output.parent)
            journal = self._journal(output, provenance, video)
            # Smoothed poses have the raw ones beside them in the file.
            open_ = open_smoothed_writer if session.smoother.filters else open_writer
            writer = open_(
                output,
                wishes.format,
                video=replace(video.place.whole, frame_rate=video.info.frame_rate),
                skeleton=session.networks.model.model.config.joints,
                provenance=provenance,
            )
            pictures = stack.enter_context(session.read_ahead(journal.frames(video), video))
            poses = session.poses(pictures, video.info.frame_rate, people, journal)
            if session.settings.part is not None:
                poses = placed(poses, video.place)
            if wishes.format in RANKED_BY_BOX:
                poses = map(weighted_by_box, poses)
            with (
                _hint(journal, wishes.quiet),
                ended_by_interrupt(video),
                writer,
                progress(task, video.info.frame_count, quiet=wishes.quiet) as advance,
            ):
                frames, persons = _write(poses, writer, advance)
            journal.remove()
            for message in video.warnings:
                warnings.warn(message, stacklevel=1)
        return Outcome(frames, persons, time.perf_counter() - started)

    def _is_done(self, output: Path, provenance: dict[str, Any], video: Source) -> bool:
        from posecli.formats.registry import DEFAULT_BY_SUFFIX
        from posecli.pipeline.done import is_done
        from posecli.pipeline.journal import journal_folder, remove_journal

        name = self._wishes.format or DEFAULT_BY_SUFFIX[output.suffix.lower()]
        boxes = self.session.settings.boxes
        done = is_done(output, name, provenance, [*video.files, *([boxes] if boxes else [])])
        if done:  # a run that was killed between its last two moments leaves its journal
            remove_journal(journal_folder(output))
        return done

    def _journal(self, output: Path, provenance: dict[str, Any], video: Source) -> Journal:
        """A journal beside the output; none for a stream, which plays once, or into a pipe, which cannot be resumed."""
        from posecli.pipeline.journal import NO_JOURNAL, FolderJournal, journal_folder, remove_journal

        is_pipe = output.exists() and not output.is_file() and not output.is_dir()
        if not video.files or is_pipe:
            return NO_JOURNAL
        folder, wishes = journal_folder(output), self._wishes
        model = self.session.networks.model.model
        options = self.session.options
        # As far back as a window reaches, and the picture that the camera's motion is told from.
        context = max(options.reach_of(model), self.session.settings.looks_every)
        section = options.section_of(model)
        run = provenance | self._circumstances(video)
        try:
            return FolderJournal(folder, run, section, resume=wishes.resume, context=context)
        except PosecliError:
            if not wishes.force:
                raise
            remove_journal(folder)
            return FolderJournal(folder, run, section, resume=wishes.resume, context=context)

    def _circumstances(self, video: Source) -> dict[str, Any]:
        """What decides about a result's last bits, beside the provenance."""
        import torch

        from posecli.nn.scan.registry import ENVIRONMENT_VARIABLE
        from posecli.pipeline.journal import fingerprint

        settings = self.session.settings
        return {
            "video": fingerprint(video.files),
            "boxes": fingerprint([settings.boxes]) if settings.boxes else None,
            "batch": settings.batch,
            "chunk": settings.chunk,
            "device": str(self.session.networks.device),
            "threads": torch.get_num_threads(),
            "scan": os.environ.get(ENVIRONMENT_VARIABLE),
            "torch": torch.__version__,
        }


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PosecliError(f"{folder} cannot be made: {error.strerror}") from error


def _write(poses: Iterable[Poses], writer: PoseWriter, advance: Advance) -> tuple[int, int]:
    """How many frames there were, and poses on them."""
    frames = persons = 0
    for frame in poses:
        writer.write(frame)
        advance(count(len(frame), "person", "people"))
        frames, persons = frames + 1, persons + len(frame)
    return frames, persons


@contextmanager
def _hint(journal: Journal, quiet: bool) -> Iterator[None]:
    """Within this block, whoever is stopped is told how to go on."""
    try:
        yield
    except BaseException:
        if journal.finished and not quiet:
            done = count(journal.finished, "frame is", "frames are")
            say("info", f"{done} finished and kept: go on with --resume")
        raise
