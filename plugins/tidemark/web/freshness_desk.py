"""What the freshness API answers from: a survey that is at most so many seconds old.

While one is looked for anew, the last is answered from, for a while: its lags only come out too
great, because an as-of that has moved meanwhile is not known yet.
"""

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from tidemark.core.errors import TidemarkError
from tidemark.core.freshness.answers import Json, table, without_history
from tidemark.core.freshness.hysteresis import Hold
from tidemark.core.freshness.survey import Survey
from tidemark.hooks.project import files_changed, read_freshness, read_project
from tidemark.hooks.storage.freshness_store import FreshnessStore, listed, places
from tidemark.hooks.storage.staging_bucket import StagingBucket

_LOG = logging.getLogger("tidemark.freshness")
# So much longer than fresh a survey is answered from, while a new one is on its way.
_STALE_ANSWERS = 3


@dataclass(frozen=True)
class Look:
    """A survey, and when it was made by this process's clock, in seconds."""

    survey: Survey
    made: float

    @cached_property
    def tables(self) -> dict[str, Json]:
        """What is answered of each table."""
        return {name: table(self.survey, name) for name in self.survey.listed}

    @cached_property
    def texts(self) -> dict[str, str]:
        """The same as JSON, without histories."""
        return {name: json.dumps(without_history(each)) for name, each in self.tables.items()}

    @cached_property
    def long_texts(self) -> dict[str, str]:
        """The same as JSON, with histories."""
        return {name: json.dumps(each) for name, each in self.tables.items()}


class FreshnessDesk:
    """Looks at the state documents when it is asked, and at most every so many seconds.

    :param refresh_seconds: how many; None: as `freshness.yaml` says
    """

    def __init__(self, refresh_seconds: float | None = None) -> None:
        self._chosen = refresh_seconds
        self.refresh_seconds = refresh_seconds or 0.0
        self._look: Look | None = None
        self._looking: asyncio.Task[None] | None = None
        self._trouble: Exception | None = None
        self._store: FreshnessStore | None = None
        self._configured: tuple[object, ...] | None = None
        self._holds: dict[tuple[str, str], Hold] = {}

    async def look(self) -> tuple[Look, bool]:
        """Return what is known, and whether it was known before.

        Raises `TidemarkError` if nothing is, and S3 or the configuration does not let us know.
        """
        known, age = self._look, self.age()
        if known and age < self.refresh_seconds:
            return known, True
        # Not cancelled with the request that began it: others wait for it too.
        self._looking = self._looking or asyncio.create_task(self._renew())
        if known and age < _STALE_ANSWERS * self.refresh_seconds:
            return known, True
        await asyncio.shield(self._looking)
        if self._look is None:
            assert self._trouble is not None
            raise self._trouble
        return self._look, self._look is known

    async def _renew(self) -> None:
        try:
            self._look = await asyncio.to_thread(self._fresh)
        except TidemarkError as error:  # what is known is answered from, and says how old it is
            _LOG.error("%s", error)
            self._trouble = error
        finally:
            self._looking = None

    def age(self) -> float:
        """Return how old what is known is, in seconds."""
        return time.monotonic() - self._look.made if self._look else 0.0

    def _fresh(self) -> Look:
        """Look at everything, off the loop that answers others."""
        now, made = datetime.now(UTC), time.monotonic()
        changed = files_changed()
        if self._store is None or changed != self._configured:
            project = read_project()
            freshness = read_freshness(project)
            self._known = freshness, places(project), listed(project)
            if self._chosen is None:
                self.refresh_seconds = freshness.refresh_seconds
            self._store = FreshnessStore(StagingBucket(project.targets.staging))
            self._configured = changed
        freshness, where, streams = self._known
        survey = Survey(
            looked_at=now,
            freshness=freshness,
            places=where,
            listed=streams,
            standings=self._store.standings(streams),
            record=self._store.record(),
            holds=self._holds,
        )
        self._holds = survey.remembered()
        return Look(survey, made)
