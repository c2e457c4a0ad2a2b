"""A JSON list of people, one entry a line, with a sidecar for what it has no place for: written as it comes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import Contents, PoseWriter, convert_poses, converted
from posecli.formats.coco import dumps
from posecli.formats.sidecar import SidecarWriter
from posecli.skeletons import COCO
from posecli.types import Poses


class JsonListWriter(PoseWriter):
    """Of formats whose people have COCO's keypoints; a subclass says what an entry is."""

    def __init__(self, path: Path, contents: Contents) -> None:
        self._skeleton = contents.skeleton
        self._output = ReplacingFile(path)
        self._sidecar = SidecarWriter(path, converted(contents, COCO), boxes=False)
        self._stack = ExitStack()
        self._separator = "[\n"

    @abstractmethod
    def entries(self, poses: Poses) -> Iterable[Mapping[str, Any]]:
        """The people of a frame, whose keypoints are COCO's."""

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(self._output)
        # Entered last, finished first: should it fail, the list is not put in place either.
        self._stack.enter_context(self._sidecar)
        return self

    def write(self, poses: Poses) -> None:
        poses = convert_poses(poses, self._skeleton, COCO)
        self._sidecar.write(poses)
        for entry in self.entries(poses):
            self._file.write(self._separator + dumps(entry))
            self._separator = ",\n"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.write("[]\n" if self._separator == "[\n" else "]\n")
        self._stack.__exit__(kind, error, trace)
