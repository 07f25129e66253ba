"""Take items from an iterable in a thread of its own, so that making and using them overlap."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")

_POLL_SECONDS = 0.5  # how soon a thread notices that its other side has gone
_PATIENCE_SECONDS = 2.0  # an item in the making is waited for so long before it is interrupted


class Ahead(Generic[Item]):
    """An iterator that is at most `depth` finished items ahead of whoever iterates over it.

    Order, end and errors are those of `items`. Leaving the block stops the thread and closes
    `items` (if it is a generator) before it goes on; errors of a stopped iterable are dropped,
    because somebody else's error is on its way already.

    :param meanwhile: called now and then while the next item is awaited; what it raises ends
        the iteration
    :param interrupt: called once if the block is left and `items` is still busy a moment later;
        should make it fail
    """

    def __init__(
        self,
        items: Iterable[Item],
        *,
        name: str,
        depth: int = 1,
        meanwhile: Callable[[], None] = lambda: None,
        interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        self._items, self._meanwhile, self._interrupt = items, meanwhile, interrupt
        self._queue: queue.Queue[Item | _End] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._drop()
        self._thread.join(_PATIENCE_SECONDS)
        if self._thread.is_alive():
            self._interrupt()
            self._thread.join()
        self._drop()

    def __iter__(self) -> Iterator[Item]:
        while True:
            try:
                item = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                self._meanwhile()
                continue
            if isinstance(item, _End):
                if item.error:
                    raise item.error
                return
            yield item
            del item  # memory: the next item is awaited without holding this one

    def _run(self) -> None:
        end = _End()
        try:
            self._take_all()
        except BaseException as error:  # whatever it is, the other side must not wait for ever
            end = _End(error)
        self._hand_on(end)

    def _take_all(self) -> None:
        items = iter(self._items)
        try:
            for item in items:
                if not self._hand_on(item):
                    return
                del item
        finally:
            close = getattr(items, "close", None)
            if close:
                close()

    def _hand_on(self, item: "Item | _End") -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def _drop(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


class _End:
    """Stands behind the last item."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
