"""What is finished of a long estimation, on the disk, so that it can go on after a kill, a power cut or a full disk.

A journal is a folder beside the output: `journal.json` says what run it is of, and `00000120.npz` holds all that was
found on the frames of the section that begins with number 120: detections and poses. A section is written when its
last pose is known, and is on the disk before the run goes on. No other state is kept: an estimation that goes on
lets every frame pass once more but asks the journal instead of the networks, and so its tracker, its bridge and its
windows become what they were. The journal also knows what the tracker was told of each picture (posecli.detect.eyes),
so that the pictures need not be there: reading goes on, by exact timestamp, shortly before the first unfinished frame.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from posecli.detect.tracking import NoTracker, Tracker
from posecli.errors import PosecliError
from posecli.formats.document import read_document
from posecli.pipeline.durable import sync_folder, write_durably
from posecli.pipeline.sections import DAMAGE, Section
from posecli.pipeline.tape import NOT_READ, TapedEyes
from posecli.types import Boxes, FloatArray, Frame, Poses
from posecli.video.source import Source, checksum

SUFFIX = ".journal"
HEADER = "journal.json"
SECTIONS_HELD = 2  # the detections are read a little ahead of the poses


class Journal:
    """Knows nothing and keeps nothing: for estimations that need not survive. FolderJournal does both.

    Attributes:
        finished: the frames before this one are answered from here.
    """

    finished = 0

    def boxes(self, frame: Frame) -> Boxes:
        """What the detector found on a finished frame."""
        raise LookupError(f"frame {frame.index} is not in the journal")

    def poses(self, frame: Frame) -> Poses:
        """The poses on a finished frame."""
        raise LookupError(f"frame {frame.index} is not in the journal")

    def note(self, frame: Frame, boxes: Boxes) -> None:
        """Takes down what the detector found on the next frame."""

    def turn(self, frame: Frame) -> None:
        """The tracker is about to be shown this frame."""

    def frames(self, video: Source) -> Iterator[Frame]:
        """A video's frames. Those that are finished need no picture, except the last few."""
        return video.frames()

    def watch(self, tracker: Tracker) -> None:
        """Takes down what the tracker is told of pictures (posecli.detect.eyes)."""

    def keep(self, stream: Iterable[Poses]) -> Iterator[Poses]:
        """The same poses; those that are new are kept."""
        return iter(stream)

    def remove(self) -> None:
        """Everything is done: nothing of the journal is needed any more."""


NO_JOURNAL = Journal()


class FolderJournal(Journal):
    """A journal on the disk; the folder is made with the first finished section.

    Args:
        folder: where it is (journal_folder).
        run: all that the poses depend on, JSON values by name. A journal of another run is refused.
        section: frames of a section.
        resume: go on with what is there. Without it there must be nothing.
        context: pictures that are needed before the first unfinished frame: those that a window reaches back, and at
            least the one with which the camera's motion is found.

    Raises:
        PosecliError: there is a journal and `resume` is not set, it is of another run, or it cannot be read.
    """

    def __init__(
        self, folder: Path, run: dict[str, Any], section: int, *, resume: bool, context: int = 1
    ) -> None:
        self._folder, self._section, self._context = folder, section, context
        self._run: dict[str, Any] = json.loads(json.dumps({"section": section} | run, default=str))
        self._eyes: TapedEyes | None = None
        self._needs_pictures = True  # the tracker does, and nobody can tell it what is on them
        self._noted: dict[int, Boxes] = {}
        self._told: dict[int, list[FloatArray]] = {}
        self._stamps: dict[int, int | None] = {}
        self._checksums: dict[int, int] = {}
        self._new: list[Poses] = []
        self._read = lru_cache(SECTIONS_HELD)(lambda first: Section.read(self._path(first)))
        if folder.exists():
            _check_header(folder, self._run, resume)
            self._drop_torn()

    def boxes(self, frame: Frame) -> Boxes:
        section, place = self._find(frame.index)
        return section.boxes[place]

    def poses(self, frame: Frame) -> Poses:
        section, place = self._find(frame.index)
        return section.poses[place]

    def turn(self, frame: Frame) -> None:
        if frame.index < self.finished:
            if self._eyes is not None:
                section, place = self._find(frame.index)
                self._eyes.replay(section.answers[place])
            return
        self._stamps[frame.index] = frame.pts
        if (frame.index + self._context) % self._section == 0:
            self._checksums[frame.index] = checksum(frame.image)
        if self._eyes is not None:
            self._told[frame.index] = self._eyes.record()

    def watch(self, tracker: Tracker) -> None:
        if hasattr(tracker, "eyes"):
            tracker.eyes = self._eyes = TapedEyes(tracker.eyes)
        self._needs_pictures = self._eyes is None and not isinstance(tracker, NoTracker)

    def frames(self, video: Source) -> Iterator[Frame]:
        """A video's frames. Those that are finished have no picture, except the last few, where the video can be read
        from there on and the picture there is the one that it was. Watch the tracker before the first is taken.
        """
        start = self.finished - self._context
        if start > 0 and not self._needs_pictures:
            section, place = self._find(start)
            stamp = section.stamps[place]
            if stamp is not None and video.skip_to(start, stamp, section.checksum):
                for index in range(start):
                    section, place = self._find(index)
                    poses = section.poses[place]
                    yield Frame(index, poses.time_s, NOT_READ, section.stamps[place], poses.name)
        yield from video.frames()

    def _find(self, index: int) -> tuple[Section, int]:
        """A finished frame's section, and its place there."""
        place = index % self._section
        return self._read(index - place), place

    def note(self, frame: Frame, boxes: Boxes) -> None:
        self._noted[frame.index] = boxes

    def keep(self, stream: Iterable[Poses]) -> Iterator[Poses]:
        """The same poses. Each finished section is on the disk before its last pose is handed on.

        Raises:
            PosecliError: it cannot be written; what was written before stays.
        """
        for poses in stream:
            if poses.frame_index >= self.finished:
                self._new.append(poses)
                if len(self._new) == self._section:
                    self._finish()
            yield poses

    def remove(self) -> None:
        remove_journal(self._folder)

    def _finish(self) -> None:
        first = self.finished
        indices = range(first, first + self._section)
        boxes = [self._noted.pop(index) for index in indices if index in self._noted]
        told = [self._told.pop(index) for index in indices if index in self._told]
        stamps = [self._stamps.pop(index) for index in indices]
        last = self._checksums.pop(indices[-self._context], 0)
        # Copies: the poses are handed on, and whoever gets them may change them.
        section = Section(first, [replace(poses) for poses in self._new], boxes, stamps, told, last)
        if not (self._folder / HEADER).is_file():
            self._begin()
        write_durably(self._path(first), section.to_bytes())
        self._new = []
        self.finished = first + self._section

    def _begin(self) -> None:
        try:
            self._folder.mkdir(exist_ok=True)
            sync_folder(self._folder.parent)
        except OSError as error:
            raise PosecliError(f"{self._folder} cannot be made: {error.strerror}") from error
        write_durably(self._folder / HEADER, json.dumps(self._run, indent=1).encode())

    def _path(self, first: int) -> Path:
        return _section_path(self._folder, first)

    def _drop_torn(self) -> None:
        """Counts the sections up to the first that is missing or damaged; that one is worked out anew."""
        while (path := self._path(self.finished)).is_file():
            try:
                if len(Section.read(path)) != self._section:
                    break
            except DAMAGE:
                break
            self.finished += self._section


def journal_folder(output: Path) -> Path:
    """Where the journal of an output is."""
    return output.with_name(output.name + SUFFIX)


def remove_journal(folder: Path) -> None:
    """Removes a journal, its header last; what cannot be removed stays."""
    if not (folder / HEADER).is_file():
        return
    for path in folder.glob("*.npz"):
        with suppress(OSError):
            path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def fingerprint(files: Iterable[Path]) -> dict[str, Any]:
    """Tells files from others, and from what they were before: how many, their sizes, when they were changed last."""
    stats = [path.stat() for path in files]
    times = " ".join(str(stat.st_mtime_ns) for stat in stats)
    return {
        "files": len(stats),
        "bytes": sum(stat.st_size for stat in stats),
        "changed": hashlib.sha256(times.encode()).hexdigest()[:16],
    }


def _section_path(folder: Path, first: int) -> Path:
    return folder / f"{first:08d}.npz"


def _check_header(folder: Path, run: dict[str, Any], resume: bool) -> None:
    if not (folder / HEADER).is_file():
        if folder.is_dir() and not any(folder.glob("[!.]*")):
            return  # the very first moment of a run that was killed
        raise PosecliError(f"{folder} is in the way and no journal of posecli: move it away")
    if not resume:
        raise PosecliError(
            f"{folder} holds what an interrupted run finished: go on with --resume, or start anew with --force"
        )
    earlier = read_document(folder / HEADER)
    if not isinstance(earlier.value, dict):
        earlier.fail("no journal of posecli; start anew with --force")
    for name in (*run, *(earlier.value.keys() - run.keys())):
        then, now = earlier.value.get(name), run.get(name)
        if then != now:
            raise PosecliError(
                f"{folder} is of a run with another {name} ({json.dumps(then)} then, {json.dumps(now)} now): "
                "give the same once more, or start anew with --force"
            )
