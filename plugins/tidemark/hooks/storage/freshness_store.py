"""What freshness is made of, out of the staging bucket: all state documents, and the record.

One listing shows which documents have changed; only those are read. Nothing is decided here.
"""

import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from pydantic import ValidationError

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.core.freshness.heartbeats import Heartbeat
from tidemark.core.freshness.record import KEY, Record
from tidemark.core.freshness.standing import Standing, standings
from tidemark.core.freshness.survey import Listed, Place
from tidemark.core.storage.state_reading import parse_state
from tidemark.core.streams import state_key
from tidemark.hooks.project import Project
from tidemark.hooks.storage.staging_bucket import StagingBucket

_log = logging.getLogger(__name__)
_DOCUMENTS = "watermark/"
_READERS = 8
_RACES = 10


class FreshnessStore:
    """Reads state documents and keeps what it has read; one for each process that asks often."""

    def __init__(self, bucket: StagingBucket) -> None:
        self.bucket = bucket
        self._known: dict[str, tuple[str, dict[str, Standing] | None]] = {}
        self._record: tuple[str, Record] = ("", Record())

    def standings(self, streams: Mapping[str, Listed]) -> dict[str, dict[str, Standing]]:
        """Return where each table and queue stands on each target, as far as there is a document.

        One that cannot be read is left out, and told in the log: the others are not to blame.
        Raises `TidemarkError` if the bucket cannot be listed.
        """
        keys = {state_key(name): name for name in streams}
        found = {
            stored.key: stored.etag
            for stored in self.bucket.objects_below(_DOCUMENTS)
            if stored.key in keys
        }
        changed = [key for key, etag in found.items() if self._known.get(key, ("",))[0] != etag]
        with ThreadPoolExecutor(_READERS) as readers:
            self._known |= dict(readers.map(lambda key: self._read(key, keys[key]), changed))
        known = ((keys[key], self._known[key][1]) for key in found)
        return {name: standing for name, standing in known if standing is not None}

    def _read(self, key: str, name: str) -> tuple[str, tuple[str, dict[str, Standing] | None]]:
        found = self.bucket.read(key)
        if found is None:  # gone since the listing
            return key, ("", None)
        text, etag = found
        try:
            return key, (etag, standings(parse_state(text, key, name)))
        except TidemarkError as error:
            _log.error("%s", error)
            return key, (etag, None)

    def record(self) -> Record:
        """Return what is remembered; nothing if there is no record, or none that can be read.

        It only describes: what it held is measured anew from now on.
        """
        found = self.bucket.read(KEY)
        if found is None:
            return Record()
        text, etag = found
        if etag != self._record[0]:
            self._record = etag, _parsed(text)
        return self._record[1]

    def update(self, change: Callable[[Record], Record]) -> Record:
        """Apply a change to the newest record; a lost race reads and decides anew.

        Raises `TryAgain` if the race is lost ten times in a row.
        """
        for attempt in range(_RACES):
            found = self.bucket.read(KEY)
            changed = change(_parsed(found[0]) if found else Record())
            text = changed.model_dump_json().encode()
            written = (
                self.bucket.replace(KEY, text, found[1])
                if found
                else self.bucket.put_new(KEY, text)
            )
            if written:
                return changed
            time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - jitter
        raise TryAgain(what=f"{KEY} changes too fast to be written", do="Clear the task.")

    def write_beat(self, beat: Heartbeat) -> None:
        """Note a heartbeat that was written to its source."""
        text = beat.model_dump_json().encode()
        self.bucket.put_file(_beat_key(beat.table), text, hashlib.sha256(text).hexdigest())

    def beat(self, table: str) -> Heartbeat | None:
        """Return the newest heartbeat of a table; None if there is none that can be read."""
        found = self.bucket.read(_beat_key(table))
        try:
            return Heartbeat.model_validate_json(found[0]) if found else None
        except ValidationError as error:
            _log.error("The heartbeat of %s cannot be read: %s errors", table, error.error_count())
            return None


def _beat_key(table: str) -> str:
    return f"freshness/beats/{table}.json"


def listed(project: Project) -> dict[str, Listed]:
    """Return what the configuration says of each table and drained queue."""
    return dict(_listed(project))


def places(project: Project) -> dict[str, Place]:
    """Return what the configuration says of each target."""
    return {
        name: Place(target.role, target.enabled, target.breaker_limits)
        for name, target in project.targets.by_name.items()
    }


def _listed(project: Project) -> Iterator[tuple[str, Listed]]:
    targets = project.targets.by_name.values()
    for table in project.tables.values():
        yield (
            table.name,
            Listed(
                kind="table",
                dag_id=table.dag_id,
                schedule=table.schedule,
                safety_lag=table.safety_lag,
                source=table.source,
                relations={
                    each.name: f"{each.database_schema}.{table.table_on(each.name)}"
                    for each in targets
                    if table.goes_to(each.name)
                },
            ),
        )
    for name in project.drained_queues:
        events, drain = project.event_table(name), project.drained(name)[1]
        yield (
            name,
            Listed(
                kind="queue",
                dag_id=events.dag_id,
                schedule=drain.schedule,
                safety_lag=timedelta(),
                source=None,
                relations={
                    each.name: f"{each.database_schema}.{events.table_on(each.name)}"
                    for each in targets
                    if events.goes_to(each.name)
                },
            ),
        )


def _parsed(text: bytes) -> Record:
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        _log.error("%s cannot be read, and is begun anew: %s errors", KEY, error.error_count())
        return Record()
