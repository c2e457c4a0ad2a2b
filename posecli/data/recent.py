"""The pictures that were decoded last: neighbouring windows share most of theirs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from posecli.types import Image

MAX_BYTES = 128 * 2**20  # some twenty pictures of 1920 x 1080


class RecentPictures:
    """Keeps decoded pictures up to a number of bytes; those used longest ago go first.

    Every process has its own: a copy that goes to another process (a DataLoader's worker) arrives empty.

    Args:
        max_bytes: how much is kept; a single larger picture is not kept at all.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._pictures: OrderedDict[Hashable, Image] = OrderedDict()

    def get(self, key: Hashable, decode: Callable[[], Image]) -> Image:
        """The picture of this key, decoded if it is not kept. Not to be written to."""
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        picture = decode()
        if picture.nbytes <= self._max_bytes:
            self._pictures[key] = picture
            self._bytes += picture.nbytes
        while self._bytes > self._max_bytes:
            self._bytes -= self._pictures.popitem(last=False)[1].nbytes
        return picture

    def __len__(self) -> int:
        return len(self._pictures)

    def __reduce__(self) -> tuple[type[RecentPictures], tuple[int]]:
        return RecentPictures, (self._max_bytes,)
