"""How far each warehouse has one queue's events, by its state document, which alone is read.

What it takes is imported when it is first asked: a receiver that tells nothing of this starts in
half the time without.
"""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tidemark.hooks.project import read_targets

if TYPE_CHECKING:
    from tidemark.hooks.storage.state_store import StateStore


class QueueStanding:
    """One queue. One thread at a time."""

    def __init__(self, queue: str) -> None:
        self._queue = queue

    def as_of(self) -> dict[str, datetime | None]:
        """Return by target up to when it is complete; None if it holds nothing yet.

        Targets that are switched off are left out, and nothing is told of a queue that was never
        drained. Raises `TidemarkError` for a wrong configuration, and for a bucket or a document
        that cannot be read.
        """
        from tidemark.core.freshness.standing import standings

        state = self._states.read(self._queue)
        known = standings(state) if state else {}
        return {name: each.as_of for name, each in known.items() if each.enabled}

    @cached_property
    def _states(self) -> "StateStore":
        from tidemark.hooks.storage.staging_bucket import StagingBucket
        from tidemark.hooks.storage.state_store import StateStore

        return StateStore(StagingBucket(read_targets().staging))
