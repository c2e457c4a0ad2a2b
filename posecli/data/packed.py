"""A sequence's people in a few arrays: some 250 bytes a person instead of more than a kilobyte.

A data set has hundreds of thousands of labelled people. As arrays they fit into memory, and processes that are
forked share them.

n people, K keypoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from posecli.data.people import Person


class PackedPeople(Mapping[int, tuple[Person, ...]]):
    """People by their place in a sequence; each access makes the Person objects of one place anew.

    Args:
        people: by place; places without people are left out.
    """

    def __init__(self, people: Mapping[int, Sequence[Person]]) -> None:
        places = [place for place in sorted(people) if people[place]]
        everyone = [person for place in places for person in people[place]]
        self._places = np.array(places, np.int32)
        self._starts_n = np.cumsum([0] + [len(people[place]) for place in places])
        blank = np.full(4, np.nan, np.float32)
        if not everyone:
            return
        self._boxes_n4 = np.stack([person.box for person in everyone])
        self._keypoints_nK2 = np.stack([person.keypoints for person in everyone])
        self._labelled_nK = np.stack([person.labelled for person in everyone])
        self._head_boxes_n4 = np.stack([blank if p.head_box is None else p.head_box for p in everyone])
        self._areas_n = np.array([np.nan if p.area is None else p.area for p in everyone], np.float64)
        self._flags_n2 = np.array([(person.human, person.crowd) for person in everyone], bool)
        self._track_ids_n = np.array([person.track_id for person in everyone], np.int64)
        for shared in (self._boxes_n4, self._keypoints_nK2, self._labelled_nK, self._head_boxes_n4):
            shared.setflags(write=False)  # every Person made of a row looks into it

    def __getitem__(self, place: int) -> tuple[Person, ...]:
        at = int(np.searchsorted(self._places, place))
        if at == len(self._places) or self._places[at] != place:
            raise KeyError(place)
        return tuple(self._person(i) for i in range(self._starts_n[at], self._starts_n[at + 1]))

    def _person(self, i: int) -> Person:
        head_box = self._head_boxes_n4[i]
        human, crowd = self._flags_n2[i].tolist()
        return Person(
            self._boxes_n4[i],
            self._keypoints_nK2[i],
            self._labelled_nK[i],
            human,
            crowd,
            int(self._track_ids_n[i]),
            None if np.isnan(head_box[0]) else head_box,
            None if np.isnan(self._areas_n[i]) else float(self._areas_n[i]),
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self._places.tolist())

    def __len__(self) -> int:
        return len(self._places)
