"""The Python API: posecli.estimate, posecli.load_poses and posecli.save_poses; docs/api.md shows it at work."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from posecli.detect.tracking import DEFAULT_THRESHOLD, DEFAULT_TRACKER, TrackerName
from posecli.device import Precision
from posecli.errors import UsageError
from posecli.pipeline.session import DEFAULT_MODEL, Session, Settings
from posecli.pipeline.window_modes import WindowChoice
from posecli.types import Frame, Image, Poses, Recording, VideoInfo

if TYPE_CHECKING:
    from posecli.skeletons import Skeleton

NOMINAL_FRAME_RATE = 25.0  # of pictures, which have no times of their own


class Estimation:
    """The poses of a video, frame by frame as they are worked out: an iterator of Poses.

    As a context manager it lets go of the video at the end of the block; gone through to the end, it does so itself.

    Attributes:
        video: what is known of the source.
        skeleton: the order of the keypoints; skeleton.keypoints are their names.
        provenance: what made the poses: version, model, weights' sha256, settings.
    """

    def __init__(
        self,
        poses: Iterator[Poses],
        video: VideoInfo,
        skeleton: Skeleton,
        provenance: dict[str, Any],
        resources: ExitStack,
    ) -> None:
        self.video = video
        self.skeleton = skeleton
        self.provenance = provenance
        self._poses = poses
        self._resources = resources

    def __iter__(self) -> Iterator[Poses]:
        return self

    def __next__(self) -> Poses:
        try:
            return next(self._poses)
        except BaseException:  # the end is one of them
            self.close()
            raise

    def close(self) -> None:
        """Lets go of the video; closing twice is fine."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def estimate(
    source: str | os.PathLike[str] | Iterable[Image],
    *,
    model: str | os.PathLike[str] = DEFAULT_MODEL,
    detector: str = "embedded",
    boxes: str | os.PathLike[str] | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    tracker: TrackerName = DEFAULT_TRACKER,
    detect_every: int | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    windows: WindowChoice = "auto",
    batch: int = 8,
    chunk: int = 8,
    threads: int = 0,
    rotate: int | None = None,
    start: str | float | None = None,
    end: str | float | None = None,
    stride: int = 1,
    roi: str | None = None,
    person: str | None = None,
    smooth: Sequence[str] = (),
    flip: bool = True,
    frame_rate: float = NOMINAL_FRAME_RATE,
) -> Estimation:
    """The keypoints of everyone in a video: what `posecli estimate` does, as an iterator.

    Args:
        source: a video, a picture, a folder or pattern of pictures, or a URL; or pictures, (height, width, 3) RGB
            uint8 of one size, as they come.
        start, end: seconds, or "MINUTES:SECONDS".
        smooth: filters such as "hampel" or "one-euro:beta=0.1", applied in turn.
        frame_rate: frames a second of pictures that are given as arrays.
        others: as the options of `posecli estimate`, in docs/cli.md.

    Returns:
        Poses of every frame, in order, people or not. Networks are loaded before this returns.

    Raises:
        PosecliError: the source or the model cannot be read, or the device is not there. While frames are decoded,
            the same; what is odd about the video is said as warnings at the end.
        UsageError: a value that cannot be.
    """
    from posecli.video.part import Part

    settings = Settings(
        model=os.fspath(model),
        detector=detector,
        boxes=None if boxes is None else Path(boxes),
        threshold=threshold,
        tracker=tracker,
        detect_every=None if detect_every is None else _at_least(1, detect_every=detect_every),
        device=device,
        precision=precision,
        windows=windows,
        batch=_at_least(1, batch=batch),
        chunk=_at_least(1, chunk=chunk),
        threads=_at_least(0, threads=threads),
        rotate=rotate,
        part=Part.parse(_as_text(start), _as_text(end), _at_least(1, stride=stride), roi),
        person=person,
        smooth=(smooth,) if isinstance(smooth, str) else tuple(smooth),
        flip=flip,
    )
    session = Session(settings)
    _ = session.smoother  # a filter that cannot be is said before anything is loaded
    if isinstance(source, (str, os.PathLike)):
        return _of_source(session, source)
    return _of_pictures(session, source, frame_rate)


def load_poses(path: str | os.PathLike[str], format: str | None = None) -> Recording:
    """The poses of a file, in any format that posecli reads (docs/formats.md); by its contents unless named.

    Raises:
        PosecliError: there is no such file, its format is not known, or something in it is wrong (the message
            says where).
    """
    from posecli.formats import read_poses

    return read_poses(path, format)


def save_poses(
    path: str | os.PathLike[str], poses: Estimation | Recording, format: str | None = None
) -> None:
    """Writes poses into a file that is there whole or not at all; the format is the suffix's unless named.

    Args:
        poses: what estimate or load_poses returns; an estimation is worked out while it is written.

    Raises:
        PosecliError: unknown format or suffix, or a place that cannot be written.
    """
    from posecli.formats import open_writer
    from posecli.formats.smoothed import open_smoothed_writer
    from posecli.skeletons import SKELETONS

    if isinstance(poses, Recording):
        frames, skeleton, has_raw = iter(poses.frames), SKELETONS[poses.skeleton], False
    else:
        frames, skeleton, has_raw = iter(poses), poses.skeleton, "smoothing" in poses.provenance
    # Smoothed poses have the raw ones beside them in the file, where those are still known.
    open_ = open_smoothed_writer if has_raw else open_writer
    with open_(
        Path(path), format, video=poses.video, skeleton=skeleton, provenance=poses.provenance
    ) as writer:
        for frame in frames:
            writer.write(frame)


def _of_source(session: Session, source: str | os.PathLike[str]) -> Estimation:
    from posecli.pipeline.placing import placed

    with ExitStack() as stack:
        video = stack.enter_context(session.open(os.fspath(source)))
        people = session.people(video.picture_names, video.place)
        skeleton = session.networks.model.model.config.joints

        frames = stack.enter_context(session.read_ahead(video.frames(), video))

        def poses() -> Iterator[Poses]:
            stream = session.poses(frames, video.info.frame_rate, people)
            yield from stream if session.settings.part is None else placed(stream, video.place)
            for message in video.warnings:
                warnings.warn(message, stacklevel=2)

        provenance = session.provenance(os.fspath(source), people)
        whole = replace(video.place.whole, frame_rate=video.info.frame_rate)
        return Estimation(poses(), whole, skeleton, provenance, stack.pop_all())


def _of_pictures(session: Session, pictures: Iterable[Image], frame_rate: float) -> Estimation:
    if session.settings.rotate is not None or session.settings.part is not None:
        raise UsageError(
            "rotate, start, end, stride and roi are for videos: turn or cut the arrays themselves"
        )
    remaining = iter(pictures)
    first = next(remaining, None)
    if first is None:
        raise UsageError("there are no pictures: give at least one")
    height, width = _checked(first, 0).shape[:2]
    people = session.people(None)
    skeleton = session.networks.model.model.config.joints

    def frames() -> Iterator[Frame]:
        yield Frame(0, 0.0, first)
        for index, picture in enumerate(remaining, 1):
            yield Frame(index, index / frame_rate, _checked(picture, index, (height, width)))

    video = VideoInfo("pictures", width, height, frame_rate, None, None)
    provenance = session.provenance(video.path, people)
    return Estimation(session.poses(frames(), frame_rate, people), video, skeleton, provenance, ExitStack())


def _checked(picture: Image, index: int, size: tuple[int, int] | None = None) -> Image:
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.shape[2:] != (3,):
        raise UsageError(f"picture {index} is no uint8 array of (height, width, 3)")
    if size is not None and picture.shape[:2] != size:
        raise UsageError(f"picture {index} is {picture.shape[:2]} high and wide, the first was {size}")
    return picture


def _at_least(least: int, **option: int) -> int:
    ((name, value),) = option.items()
    if value < least:
        raise UsageError(f"{name}={value}: must be {least} or more")
    return value


def _as_text(time: str | float | None) -> str | None:
    return time if time is None or isinstance(time, str) else f"{time:f}"
