"""One estimation after the other: what was asked for on the command line, applied to a video and its output."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posecli.cli.checks import check_absent
from posecli.cli.console import Advance, count, progress, warnings_in_one_line
from posecli.cli.options import Precision, use_threads
from posecli.errors import PosecliError

if TYPE_CHECKING:
    import torch

    from posecli.detect.file import BoxFile
    from posecli.detect.protocol import Detector
    from posecli.formats import PoseWriter
    from posecli.pipeline.estimator import Options
    from posecli.pipeline.journal import Journal
    from posecli.smooth import Chain
    from posecli.types import Poses
    from posecli.video import Source
    from posecli.weights.models import LoadedModel

# In these forms a joint's score is its own times its box's: the kits that read them rank joints by it alone.
RANKED_BY_BOX = ("posetrack17", "posetrack18")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """The options of `posecli estimate`, as they were typed; docs/cli.md explains each."""

    model: str
    format: str | None
    detector: str
    boxes: Path | None
    threshold: float
    tracker: str
    device: str
    precision: Precision
    batch: int
    chunk: int
    threads: int
    rotate: int | None
    smooth: tuple[str, ...]
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


@dataclass(frozen=True, slots=True)
class _Networks:
    device: torch.device
    bf16: bool
    model: LoadedModel


class Estimation:
    """Estimates poses by the same wishes, in one video or many; the networks are loaded with the first."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes

    def run(self, source: str, output: Path, task: str = "estimate") -> Outcome:
        """One video; its output is there when this returns.

        Args:
            task: what the progress bar calls it.

        Raises:
            PosecliError: as of the parts; finished sections are kept in a journal beside the output.
        """
        from posecli.detect.file import BoxFile
        from posecli.formats import open_writer
        from posecli.formats.base import weighted_by_box
        from posecli.smooth.output import open_smoothed_writer
        from posecli.video import open_source

        wishes = self._wishes
        started = time.perf_counter()
        with warnings_in_one_line(wishes.quiet), open_source(source, rotate=wishes.rotate) as video:
            box_file = None if wishes.boxes is None else BoxFile(wishes.boxes, video.picture_names)
            # Only now PyTorch, which takes seconds to start.
            networks = self.networks
            people = box_file or self._detector
            # Identities that are there are kept: then no tracker is needed, nor the wait for its package.
            tracker = "file" if box_file and box_file.has_ids else wishes.tracker
            provenance = self._provenance(source, people, tracker)
            if wishes.resume and self._is_done(output, provenance, video):
                return Outcome(0, 0, 0, was_done=True)
            if not wishes.force:
                check_absent(output)
            _make_folder(output.parent)
            journal = self._journal(output, provenance, video)
            # Smoothed poses have the raw ones beside them in the file.
            open_ = open_smoothed_writer if self.smoother.filters else open_writer
            writer = open_(
                output,
                wishes.format,
                video=video.info,
                skeleton=networks.model.model.config.joints,
                provenance=provenance,
            )
            poses = self._poses(video, people, tracker, journal)
            if wishes.format in RANKED_BY_BOX:
                poses = map(weighted_by_box, poses)
            with (
                _hint(journal, wishes.quiet),
                writer,
                progress(task, video.info.frame_count, quiet=wishes.quiet) as advance,
            ):
                frames, persons = _write(poses, writer, advance)
            journal.remove()
            for message in video.warnings:
                warnings.warn(message, stacklevel=1)
        return Outcome(frames, persons, time.perf_counter() - started)

    @cached_property
    def smoother(self) -> Chain:
        """What the poses go through at last.

        Raises:
            UsageError: a filter that there is not, or one that needs the whole clip.
        """
        from posecli.smooth import check_streams, make_chain

        chain = make_chain(self._wishes.smooth)
        check_streams(chain)
        return chain

    @cached_property
    def networks(self) -> _Networks:
        """The model on its device.

        Raises:
            PosecliError: it, or the device, is not there.
        """
        from posecli.device import pick_device, prefers_bf16

        use_threads(self._wishes.threads)
        device = pick_device(self._wishes.device)
        precision = self._wishes.precision
        bf16 = prefers_bf16(device) if precision == "auto" else precision == "bf16"

        from posecli.weights.models import load_model

        loaded = load_model(self._wishes.model)
        loaded.model.to(device)
        return _Networks(device, bf16, loaded)

    @cached_property
    def _detector(self) -> Detector:
        from posecli.detect import make_detector

        networks, wishes = self.networks, self._wishes
        return make_detector(
            wishes.detector, device=networks.device, threshold=wishes.threshold, bf16=networks.bf16
        )

    @property
    def _options(self) -> Options:
        from posecli.pipeline.estimator import Options

        return Options(batch=self._wishes.batch, chunk=self._wishes.chunk, bf16=self.networks.bf16)

    def _poses(
        self, video: Source, people: Detector | BoxFile, tracker: str, journal: Journal
    ) -> Iterable[Poses]:
        from posecli.detect.tracking import make_tracker
        from posecli.pipeline.estimator import estimate
        from posecli.smooth import smooth_stream

        name = "none" if tracker == "file" else tracker
        follower = make_tracker(name, video.info.frame_rate, threshold=self._wishes.threshold)
        model = self.networks.model.model
        poses = estimate(journal.frames(video), people, follower, model, self._options, journal)
        return smooth_stream(poses, self.smoother) if self.smoother.filters else poses

    def _provenance(self, source: str, people: Detector | BoxFile, tracker: str) -> dict[str, Any]:
        """What the result depends on: neither times, nor how the run was controlled."""
        from posecli import __version__

        loaded, rotate = self.networks.model, self._wishes.rotate
        smoothing = {"smoothing": self.smoother.provenance()} if self.smoother.filters else {}
        return (
            {
                "tool": "posecli",
                "version": __version__,
                "command": "estimate",
                "source": source,
                "model": {
                    "name": loaded.name,
                    "sha256": loaded.sha256,
                    "precision": "bf16" if self.networks.bf16 else "fp32",
                },
                "detector": people.provenance(),
                "tracker": tracker,
            }
            | ({} if rotate is None else {"rotate": rotate})
            | smoothing
        )

    def _is_done(self, output: Path, provenance: dict[str, Any], video: Source) -> bool:
        from posecli.formats.registry import DEFAULT_BY_SUFFIX
        from posecli.pipeline.done import is_done
        from posecli.pipeline.journal import journal_folder, remove_journal

        name = self._wishes.format or DEFAULT_BY_SUFFIX[output.suffix.lower()]
        boxes = [self._wishes.boxes] if self._wishes.boxes else []
        done = is_done(output, name, provenance, [*video.files, *boxes])
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
        section = self._options.section_of(self.networks.model.model)
        # As far back as a window reaches, and the picture that the camera's motion is told from.
        context = max(self.networks.model.model.output_frames[0], 1)
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

        wishes = self._wishes
        return {
            "video": fingerprint(video.files),
            "boxes": fingerprint([wishes.boxes]) if wishes.boxes else None,
            "batch": wishes.batch,
            "chunk": wishes.chunk,
            "device": str(self.networks.device),
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
            print(f"posecli: {done} finished and kept: go on with --resume", file=sys.stderr)
        raise
