"""A stage of the pipeline in a thread of its own: it works ahead while the stages after it are busy."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class _End:
    """After the last item: why there are no more."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Ahead(Generic[Item]):
    """The items of a stream in order, taken from it in a thread, which waits while enough are ready.

    The thread starts with the first item that is asked for. It has ended, and the stream is closed, when the items have
    been gone through, when the stream raised an error (which is raised here, once, where its item would have been), and
    at the end of the `with` block, whatever ended it. Whatever the stream reads from must stay open for that block.

    Args:
        stream: a generator, say; nobody else may take items of it.
        size: items that are ready at most. Another one may be in the making.
    """

    def __init__(self, stream: Iterable[Item], size: int) -> None:
        self._stream = stream
        self._ready: queue.Queue[Item | _End] = queue.Queue(max(size, 1))
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_over = False

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if self._is_over:
            raise StopIteration
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="posecli-ahead", daemon=True)
            self._thread.start()
        item = self._ready.get()
        if not isinstance(item, _End):
            return item
        self.close()
        raise StopIteration if item.error is None else item.error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the thread, after the item that it is at; closing twice is fine."""
        self._is_over = True
        self._stopped.set()
        # A thread that waits to hand on its item finds room, and then sees that it is to stop.
        while not self._ready.empty():
            self._ready.get_nowait()
        if self._thread is not None:
            self._thread.join()
        # Another stage's thread may wait for an item still: there will be none.
        with suppress(queue.Full):
            self._ready.put_nowait(_End())

    def _work(self) -> None:
        end = _End()
        try:
            try:
                for item in self._stream:
                    self._hand_on(item)
                    if self._stopped.is_set():
                        break
            finally:
                if hasattr(self._stream, "close"):
                    self._stream.close()
        except BaseException as error:  # the consumer's to handle, an interruption too
            end = _End(error)
        self._hand_on(end)

    def _hand_on(self, item: Item | _End) -> None:
        if not self._stopped.is_set():
            self._ready.put(item)
