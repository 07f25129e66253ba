"""Apply now what a target owes, all of it."""

import os
from collections.abc import Iterator
from datetime import datetime

from tidemark.operators.loading.admission import NothingToLoad, NotNow
from tidemark.operators.loading.sequence import Loading
from tidemark.operators.stream import Stream


class CatchUp:
    """A load without the bounds of a run: whoever asks waits for the end.

    :param now: by our clock, and a part of what tells this attempt from others
    :ivar reason: why nothing was applied; "" if something was
    """

    def __init__(self, stream: Stream, target: str, now: datetime) -> None:
        found = stream.project.target(target)
        unbounded = found.model_copy(
            update={"catch_up_batches": 1_000_000, "catch_up_bytes": 2**60}
        )
        self._seconds = found.statement_timeout_ms / 1000
        self._loading = Loading(
            stream, unbounded, None, ("catchup", os.getpid(), now.isoformat()), now
        )
        self.reason = ""

    @property
    def receipts(self) -> dict[str, dict[str, int]]:
        """Per batch that the target holds now: its rows, by what became of them."""
        return self._loading.receipts

    def stop(self) -> None:
        """Cancel what is under way: nobody waits for it any more."""
        self._loading.stop()

    def apply(self) -> Iterator[tuple[str, ...]]:
        """Apply group after group, oldest first; yields the batches of each as it begins. Raises
        what a load raises."""
        try:
            self._loading.admission.ask(by_hand=True)
            while under_way := self._loading.begin_next():
                yield under_way.batch_ids
                self._loading.settle(under_way, self._loading.wait(under_way, self._seconds))
        except (NothingToLoad, NotNow) as reason:
            self.reason = str(reason)
