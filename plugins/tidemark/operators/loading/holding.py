"""Ask a target whether it holds a batch, patiently or briefly."""

import logging
from datetime import UTC, datetime

from tidemark.core.errors import TidemarkError
from tidemark.core.loading.ledger import holds
from tidemark.core.settings.quiet_times import quiet_until
from tidemark.core.storage.batches import Batch
from tidemark.hooks.warehouses.warehouse import BRIEF
from tidemark.operators.stream import Stream

_log = logging.getLogger(__name__)


def patient_holds(stream: Stream, name: str, batch: Batch) -> bool:
    """Return whether a target that is waited for holds a batch. Raises if it cannot be asked."""
    try:
        entries = stream.warehouse(stream.project.target(name)).holds([batch.batch_id])
    except TidemarkError as error:
        raise error.during_load(stream.table.name, name, owed=False) from error
    return holds(batch.batch_id, batch.read_to, entries)


def brief_holds(stream: Stream, name: str, batch: Batch) -> bool:
    """Return whether a target that nobody waits for holds a batch. No answer means that it owes
    (protocol rule 17); nor is one asked that must be left alone now."""
    target = stream.project.targets.by_name.get(name)
    if target is None or not target.enabled:
        return False
    if until := quiet_until(target.no_operation, datetime.now(UTC)):
        _log.info("%s is left alone until %s, so it owes %s", name, until, batch.batch_id)
        return False
    # Asked briefly: the ledger is locked while a load of its own is under way, and the primary
    # does not wait for it.
    try:
        entries = stream.warehouse(target, BRIEF).holds([batch.batch_id])
        return holds(batch.batch_id, batch.read_to, entries)
    except TidemarkError as error:
        _log.warning("%s cannot be asked, so it owes %s: %s", name, batch.batch_id, error)
        return False
