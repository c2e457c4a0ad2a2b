"""Settings of an estimation and what they load: what `posecli estimate` and `posecli.estimate` have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posecli.detect.tracking import (
    DEFAULT_THRESHOLD,
    DEFAULT_TRACKER,
    NOMINAL_FRAME_RATE,
    TrackerName,
)
from posecli.device import Precision, pick_device, prefers_bf16, use_threads
from posecli.errors import UsageError
from posecli.pipeline.window_modes import WindowChoice, WindowMode, choose_mode

if TYPE_CHECKING:
    import torch

    from posecli.detect.file import BoxFile
    from posecli.detect.protocol import Detector
    from posecli.pipeline.journal import Journal
    from posecli.pipeline.options import Options
    from posecli.smooth import Chain
    from posecli.types import Frame, Poses
    from posecli.video import Source
    from posecli.video.part import Part
    from posecli.video.source import Place
    from posecli.weights.models import LoadedModel

DEFAULT_MODEL = "glsmamba-t"
MOST_AHEAD = 8  # frames that are decoded ahead: as many as a chunk has, but 4K pictures are large
DEFAULT_DETECT_EVERY = 1  # frames; docs/tracking.md has the measurement


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What decides about the poses, by the names of the options; docs/cli.md explains each.

    Raises:
        UsageError: detect_every is above 1 and nobody is detected, or nobody tracked.
    """

    model: str = DEFAULT_MODEL
    detector: str = "embedded"
    boxes: Path | None = None
    threshold: float = DEFAULT_THRESHOLD
    tracker: TrackerName = DEFAULT_TRACKER
    detect_every: int | None = None  # None: DEFAULT_DETECT_EVERY where people are detected and tracked
    device: str = "auto"
    precision: Precision = "auto"
    windows: WindowChoice = "auto"
    batch: int = 8
    chunk: int = 8
    threads: int = 0
    rotate: int | None = None
    part: Part | None = None  # of each video; None is all of it
    person: str | None = None  # who is kept: posecli.pipeline.persons
    smooth: tuple[str, ...] = ()
    flip: bool = True

    def __post_init__(self) -> None:
        if self.detect_every is None or self.detect_every == 1:
            return
        if self.boxes is not None:
            raise UsageError(
                "--detect-every is for a detector: --boxes tells where people are, leave one out"
            )
        if self.tracker == "none":
            raise UsageError("--detect-every needs a tracker, to know who is who: choose another than none")

    @property
    def looks_every(self) -> int:
        """The detector looks at every so many frames."""
        if self.detect_every is not None:
            return self.detect_every
        is_followed = self.boxes is None and self.tracker != "none"
        return DEFAULT_DETECT_EVERY if is_followed else 1


@dataclass(frozen=True, slots=True)
class Networks:
    """A model on its device."""

    device: torch.device
    bf16: bool
    model: LoadedModel


class Session:
    """Estimates by the same settings, one video after the other; the networks are loaded with the first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def smoother(self) -> Chain:
        """What the poses go through at last.

        Raises:
            UsageError: a filter that there is not, or one that needs the whole clip.
        """
        from posecli.smooth import check_streams, make_chain

        chain = make_chain(self.settings.smooth)
        check_streams(chain)
        return chain

    @cached_property
    def networks(self) -> Networks:
        """The model on its device.

        Raises:
            PosecliError: it, or the device, is not there.
        """
        use_threads(self.settings.threads)
        device = pick_device(self.settings.device)
        precision = self.settings.precision
        bf16 = prefers_bf16(device) if precision == "auto" else precision == "bf16"

        from posecli.weights.models import load_model

        loaded = load_model(self.settings.model)
        loaded.model.to(device)
        return Networks(device, bf16, loaded)

    @cached_property
    def windows(self) -> WindowMode:
        """How windows are laid and looked at.

        Raises:
            UsageError: the model cannot answer in the mode that is asked for.
        """
        loaded = self.networks.model
        return choose_mode(self.settings.windows, loaded.model.output_frames, loaded.name)

    def open(self, source: str) -> Source:
        """What the poses are estimated on: the source, or the part of it that is wanted.

        Raises:
            PosecliError: it cannot be read, or there is no such part.
        """
        from posecli.video import open_source
        from posecli.video.part import PartOfSource

        video = open_source(source, rotate=self.settings.rotate, threads=self.settings.threads)
        if self.settings.part is None:
            return video
        try:
            return PartOfSource(video, self.settings.part)
        except BaseException:
            video.close()
            raise

    def read_ahead(self, frames: Iterator[Frame], video: Source) -> AbstractContextManager[Iterator[Frame]]:
        """The frames of a video for the length of a `with` block: decoded in a thread while the networks work.

        A network stream or a camera is not read ahead: it comes at its own pace, and a wait for it can be long.
        """
        from posecli.pipeline.overlap import Ahead

        return Ahead(frames, min(self.settings.chunk, MOST_AHEAD)) if video.files else nullcontext(frames)

    def people(self, picture_names: list[str] | None, place: Place | None = None) -> Detector | BoxFile:
        """Who says where people are: the file of boxes, or the detector.

        Args:
            picture_names: file names of the source's pictures, by which a file's boxes may be found.
            place: where the source lies in the video of which a file has the boxes.
        """
        from posecli.detect.file import BoxFile
        from posecli.pipeline.placing import PlacedBoxFile

        if self.settings.boxes is None:
            return self._detector
        boxes = BoxFile(self.settings.boxes, picture_names)
        return boxes if place is None or self.settings.part is None else PlacedBoxFile(boxes, place)

    def tracker_name(self, people: Detector | BoxFile) -> str:
        """The tracker; "file" where identities are there and kept: no tracker is needed, nor the wait for it."""
        return "file" if getattr(people, "has_ids", False) else self.settings.tracker

    @cached_property
    def options(self) -> Options:
        """What shapes speed and memory."""
        from posecli.pipeline.options import Options

        settings, bf16 = self.settings, self.networks.bf16
        return Options(windows=self.windows, batch=settings.batch, chunk=settings.chunk, bf16=bf16)

    def poses(
        self,
        frames: Iterable[Frame],
        frame_rate: float | None,
        people: Detector | BoxFile,
        journal: Journal | None = None,
    ) -> Iterator[Poses]:
        """Poses of every frame, in order, smoothed if that is wished."""
        from posecli.detect.tracking import make_tracker
        from posecli.nn.flip_test import FlipTested
        from posecli.pipeline.estimator import estimate
        from posecli.pipeline.journal import NO_JOURNAL
        from posecli.pipeline.persons import keep_person
        from posecli.smooth import smooth_stream

        name, every = self.tracker_name(people), self.settings.looks_every
        tracker = make_tracker(
            "none" if name == "file" else name,
            (frame_rate or NOMINAL_FRAME_RATE) / every,  # its unit of time is from look to look
            threshold=self.settings.threshold,
        )
        network = self.networks.model.model
        model = FlipTested(network) if self.settings.flip else network
        poses = estimate(frames, people, tracker, model, self.options, journal or NO_JOURNAL, every)
        if self.settings.person is not None:
            poses = keep_person(poses, self.settings.person)
        return smooth_stream(poses, self.smoother) if self.smoother.filters else poses

    def provenance(self, source: str, people: Detector | BoxFile) -> dict[str, Any]:
        """What the result depends on: neither times, nor how the run was controlled."""
        from posecli import __version__

        loaded, rotate = self.networks.model, self.settings.rotate
        precision = "bf16" if self.networks.bf16 else "fp32"
        every = self.settings.looks_every
        told: dict[str, Any] = {
            "tool": "posecli",
            "version": __version__,
            "command": "estimate",
            "source": source,
            "model": {"name": loaded.name, "sha256": loaded.sha256, "precision": precision},
            "detector": people.provenance() | ({"every": every} if every > 1 else {}),
            "tracker": self.tracker_name(people),
            "windows": self.windows,
        }
        if rotate is not None:
            told["rotate"] = rotate
        if self.settings.flip:
            told["flip"] = True
        if self.settings.part is not None:
            told |= self.settings.part.provenance()
        if self.settings.person is not None:
            told["person"] = self.settings.person
        if self.smoother.filters:
            told["smoothing"] = self.smoother.provenance()
        return told

    @cached_property
    def _detector(self) -> Detector:
        from posecli.detect import make_detector

        networks, settings = self.networks, self.settings
        return make_detector(
            settings.detector, device=networks.device, threshold=settings.threshold, bf16=networks.bf16
        )
