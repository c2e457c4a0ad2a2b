"""Poses as they come out of a file: what is known of the video first, then one picture after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter
from typing import Any

from posecli.formats.base import Person, fill_frames, stack_people
from posecli.skeletons import Skeleton
from posecli.types import Poses, Recording, VideoInfo

# Readers parse every entry of a file (an annotation, a line, ...) within such a block. contextlib.nullcontext lets
# an error through and ends the reading; posecli.formats.validate notes it and goes on with the next entry.
Entry = Callable[[], AbstractContextManager[Any]]

NOBODY: tuple[int | None, Iterable[tuple[int, Person]]] = (None, ())
NO_VIDEO = VideoInfo("", 0, 0, None, None, None)  # of a file that tells nothing of it


@dataclass(frozen=True, slots=True)
class PoseStream:
    """A file of poses, opened."""

    video: VideoInfo
    skeleton: Skeleton
    provenance: dict[str, Any]
    poses: Iterator[Poses]  # in order of frame_index, people or not; read as they are asked for


def collected(stream: PoseStream) -> Recording:
    """The whole of it in memory."""
    return Recording(stream.video, stream.skeleton.name, list(stream.poses), stream.provenance)


def merged(
    frames: Mapping[int, Poses], people: Callable[[], Iterable[tuple[int, Person]]], *, in_order: bool
) -> Iterator[Poses]:
    """The frames in order of their index, with their people on them.

    Args:
        frames: empty frames, each under the key by which people refer to it.
        people: starts to read the people, each after its frame's key (all of them keys of frames).
        in_order: whether they come in order of the frames' indices. Otherwise they are all held in memory.
    """
    if not in_order:
        groups: dict[int, list[Person]] = {}
        for own_key, person in people():
            groups.setdefault(frames[own_key].frame_index, []).append(person)
        yield from fill_frames(frames.values(), groups)
        return
    coming: Iterator[tuple[int | None, Iterable[tuple[int, Person]]]] = groupby(people(), key=itemgetter(0))
    key, group = next(coming, NOBODY)
    for own_key, frame in sorted(frames.items(), key=lambda item: item[1].frame_index):
        if key == own_key:
            yield stack_people(frame, [person for _, person in group])
            key, group = next(coming, NOBODY)
        else:
            yield frame


def are_in_order(frames: Mapping[int, Poses], keys: Iterable[Any]) -> bool:
    """Whether the frames of these keys, unchecked from a file, come by rising index; strange keys do not count."""
    indices = (frames[key].frame_index for key in keys if isinstance(key, int) and key in frames)
    return all(a <= b for a, b in pairwise(indices))


def by_index(poses: Callable[[], Iterator[Poses]], indices: Iterable[int]) -> Iterator[Poses]:
    """Whole frames in order of their index: as they are read if they already are, else from memory.

    Args:
        poses: starts to read them.
        indices: their indices alone.
    """
    if all(a < b for a, b in pairwise(indices)):
        return poses()
    return iter(sorted(poses(), key=attrgetter("frame_index")))
