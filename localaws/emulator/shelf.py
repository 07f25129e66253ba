"""The messages of a standard queue, found without looking at all of them."""

from __future__ import annotations

import copy
import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Message = dict[str, Any]


class Shelf:
    """In place of the emulator's list, which it searches whole at every call: with a long queue,
    receiving and deleting would take the longer the more there is. A copy is a list again, so what
    the emulator keeps on disk stays what it was.

    Times are seconds of the epoch, by the caller's clock.

    :param complete: adds what a message lacks that another service put in
    """

    def __init__(
        self, messages: Iterable[Message] = (), complete: Callable[[Message], None] = lambda _: None
    ) -> None:
        self._all: dict[str, Message] = {}
        self._handles: dict[str, str] = {}
        # (when it can be received, a number that settles ties, its id): of messages that have been
        # received, which may be due in the dead-letter queue by then, and of all others. An entry
        # whose time is no longer the message's has been replaced by another.
        self._hidden: list[tuple[float, int, str]] = []
        self._ready: list[tuple[float, int, str]] = []
        self._number = itertools.count()
        self._complete = complete
        self.looked = 0.0  # when it was last searched for messages that are too old
        for message in messages:
            self.append(message)

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Message]:
        return copy.deepcopy(list(self._all.values()), memo)

    def append(self, message: Message) -> None:
        """Put in a message, which may have been received before."""
        self._complete(message)
        self._all[message["id"]] = message
        if handle := message["receipt_handle"]:
            self._handles[handle] = message["id"]
        self._place(message)

    def clear(self) -> None:
        """Take out all of them."""
        for each in (self._all, self._handles, self._hidden, self._ready):
            each.clear()

    def due(self, now: float) -> Iterator[Message]:
        """Yield those that were received and can be again, each of them once."""
        while (message := self._first(self._hidden, now)) is not None:
            heapq.heappush(self._ready, (message["visible_at"], next(self._number), message["id"]))
            yield message

    def take(self, most: int, now: float) -> list[Message]:
        """Return messages that can be received; `hide` must follow for each. Call `due` before."""
        found: list[Message] = []
        while len(found) < most and (message := self._first(self._ready, now)) is not None:
            found.append(message)
        return found

    def hide(self, message: Message, handle: str, until: float) -> None:
        """Give a message a new handle, the only one that counts, and hide it."""
        self._handles.pop(message["receipt_handle"] or "", None)
        self._handles[handle] = message["id"]
        message["receipt_handle"], message["visible_at"] = handle, until
        self._place(message)

    def change(self, handle: str, until: float) -> bool:
        """Hide a message until another time; False if no message has this handle."""
        message = self._all.get(self._handles.get(handle, ""))
        if message is None:
            return False
        message["visible_at"] = until
        self._place(message)
        return True

    def remove(self, handle: str) -> bool:
        """Take out a message; False if none has this handle."""
        return self._all.pop(self._handles.pop(handle, ""), None) is not None

    def pop(self, message: Message) -> None:
        """Take out a message that is here."""
        del self._all[message["id"]]
        self._handles.pop(message["receipt_handle"] or "", None)

    def _place(self, message: Message) -> None:
        heap = self._hidden if message["receive_count"] else self._ready
        heapq.heappush(heap, (message["visible_at"], next(self._number), message["id"]))

    def _first(self, heap: list[tuple[float, int, str]], now: float) -> Message | None:
        while heap and heap[0][0] <= now:
            at, _, name = heapq.heappop(heap)
            message = self._all.get(name)
            if message is not None and message["visible_at"] == at:
                return message
        return None
