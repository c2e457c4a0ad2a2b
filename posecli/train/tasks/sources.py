"""The samples that a recipe names: where they lie, and their labels in the skeleton of the network that is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from posecli.config import DATASET_NAMES
from posecli.data.crops import PeopleSource, SequencePeople, StillPeople
from posecli.data.datasets import find_data, load_dataset
from posecli.data.footage import Footage, convert_person
from posecli.data.people import Picture, load_coco
from posecli.data.recent import RecentPictures
from posecli.data.rendered import RenderedScenes
from posecli.data.windows import CameraMotion, MovingStills, RenderedWindows, SequenceWindows, WindowSource
from posecli.errors import PosecliError
from posecli.skeletons import COCO, Skeleton
from posecli.train.recipe import DataShare

SYNTHETIC = "synthetic"
STILLS = "coco"
CLIPS = "clips"
MIN_KEYPOINTS = 4  # of a person in stills and clips, many of whom are labelled in part
MIN_SIDE = 48.0  # pixels: of the boxes of people without labels


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowShape:
    """How windows are cut from sequences (see SequenceWindows)."""

    length: int
    strides: tuple[int, ...] = (1,)
    keyframe: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """The datasets of a recipe.

    Args:
        data: the folder of them all; None: each as posecli.data.datasets.find_data finds it.
        cache: folder for decoded clips.
        skeleton: whose keypoints samples have, by name; those that a dataset lacks are not labelled.
        user: the task, for messages.
    """

    data: Path | None
    cache: Path
    skeleton: Skeleton
    user: str

    def footage(self, entry: DataShare, split: str) -> list[Footage]:
        """Labelled sequences of a split, "train" or "val", with the dataset's own keypoints.

        Raises:
            PosecliError: the dataset is unknown, or not there as a whole.
        """
        self._check(entry)
        return load_dataset(entry.name, self.data, f"{split}{entry.split}", self.cache)

    def sequences(self, entry: DataShare, split: str) -> list[Footage]:
        """The same with the keypoints of `skeleton`."""
        return [footage.in_skeleton(self.skeleton) for footage in self.footage(entry, split)]

    def people(self, entry: DataShare, split: str, stride: int = 1) -> PeopleSource:
        """Single people, for crops. Raises as `footage` does."""
        self._check(entry)
        if entry.name == SYNTHETIC:
            return RenderedScenes(entry.size)
        least = MIN_KEYPOINTS if split == "train" else 1
        if entry.name == STILLS and entry.labels == "boxed":
            return StillPeople(self._stills(split), 0, min_side=MIN_SIDE)
        if entry.name == STILLS:
            return StillPeople(self._stills(split), least, entry.labels == "human")
        group = None if entry.name == CLIPS else entry.name
        return SequencePeople(self.sequences(entry, split), least, stride, group)

    def windows(
        self, entry: DataShare, split: str, shape: WindowShape, motion: CameraMotion | None = None
    ) -> WindowSource:
        """Windows of single people. Raises as `footage` does.

        Args:
            motion: of the camera over stills.
        """
        self._check(entry)
        if entry.name == SYNTHETIC:
            return RenderedWindows(RenderedScenes(entry.size), shape.length)
        if entry.name == STILLS:
            least = MIN_KEYPOINTS if split == "train" else 1
            people = StillPeople(self._stills(split), least, entry.labels == "human")
            return MovingStills(people, shape.length, motion)
        return self.sequence_windows(entry, self.sequences(entry, split), shape)

    def sequence_windows(
        self, entry: DataShare, sequences: list[Footage], shape: WindowShape
    ) -> SequenceWindows:
        """Windows of sequences that are loaded already."""
        is_clips = entry.name == CLIPS
        return SequenceWindows(
            sequences,
            shape.length,
            shape.strides,
            entry.stride,
            keyframe=shape.keyframe,
            min_keypoints=0 if is_clips else 1,
            group=None if is_clips else entry.name,
            recent=RecentPictures(0) if is_clips else None,  # clips are mapped into memory already
        )

    def _stills(self, split: str) -> list[Picture]:
        pictures = load_coco(find_data(STILLS, self.data), split)
        if self.skeleton.name == COCO.name:
            return pictures
        return [
            replace(
                picture,
                people=tuple(convert_person(person, COCO, self.skeleton) for person in picture.people),
            )
            for picture in pictures
        ]

    def _check(self, entry: DataShare) -> None:
        known = (*sorted(DATASET_NAMES), SYNTHETIC)
        if entry.name not in known:
            raise PosecliError(
                f"dataset '{entry.name}' is unknown to the {self.user} task; known: {', '.join(known)}"
            )
        if entry.name == SYNTHETIC and self.skeleton.name != COCO.name:
            raise PosecliError(
                f"dataset '{SYNTHETIC}' has the keypoints of coco, the model those of {self.skeleton.name}"
            )
