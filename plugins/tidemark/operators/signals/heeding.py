"""Heed the tables that matter: while one is late, low ones yield and batches grow.

`core/freshness/feedback.py` decides, by what the DAG `freshness` remembers. Without tables of high
priority nothing is asked; a record that cannot be read, or is not kept any more, holds nobody up.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tidemark.core.errors import TidemarkError
from tidemark.core.freshness.feedback import CALM, Feedback, feedback, heeded
from tidemark.core.settings.drain_settings import MOST_BYTES, MOST_MESSAGES
from tidemark.core.settings.targets import Target
from tidemark.hooks.project import read_rules, read_targets
from tidemark.hooks.storage.freshness_store import FreshnessStore
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.operators.stream import QueueStream

_log = logging.getLogger(__name__)
# Runs that nobody asked for: a person's run goes on.
_BY_ITSELF = {"scheduled", "asset_triggered"}


def yields(stream: str, dag_run: Any, bucket: StagingBucket) -> str:
    """Return why a run of a table or queue does nothing now; "" if it may go on."""
    if str(getattr(dag_run.run_type, "value", dag_run.run_type)) not in _BY_ITSELF:
        return ""
    priority = read_rules().rule(stream).priority
    return _asked(bucket).yields(priority) if priority == "low" else ""


def grown_limit(rows: int | None, bucket: StagingBucket) -> int | None:
    """Return how many rows a run reads, where it is limited."""
    return rows * _asked(bucket).growth if rows is not None else None


def grown_target(target: Target, bucket: StagingBucket) -> Target:
    """Return a target with how much of its debt one run pays."""
    growth = _asked(bucket).growth
    return target.model_copy(
        update={
            "catch_up_batches": target.catch_up_batches * growth,
            "catch_up_bytes": target.catch_up_bytes * growth,
        }
    )


def grown_drain(stream: QueueStream) -> QueueStream:
    """Return a queue with how much one receiver takes; for how long it takes it stays."""
    drain, growth = stream.drain, _asked(stream.bucket).growth
    sizes = {
        "most_messages": min(MOST_MESSAGES, drain.most_messages * growth),
        "most_bytes": min(MOST_BYTES, drain.most_bytes * growth),
    }
    return replace(stream, drain=drain.model_copy(update=sizes)) if growth > 1 else stream


def _asked(bucket: StagingBucket) -> Feedback:
    freshness = read_rules()
    if not any(rule.priority == "high" for rule in freshness.tables.values()):
        return CALM
    try:
        record = FreshnessStore(bucket).record()
    except TidemarkError as error:
        _log.warning("Nobody knows which tables are late, so none is heeded: %s", error)
        return CALM
    if not heeded(record, datetime.now(UTC)):
        return CALM
    enabled = {name: target.enabled for name, target in read_targets().by_name.items()}
    found = feedback(record, freshness, enabled)
    if found.late:
        late = ", ".join(f"{table} on {target}" for table, target in found.late)
        _log.info("Batches may be %s times as large: late is %s", found.growth, late)
    return found
