"""What a load tells of what its target holds: to the state document, the log and XCom."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from tidemark.core.loading.ledger import LedgerEntry, newest_base
from tidemark.core.settings.targets import Target
from tidemark.core.storage.batches import Batch
from tidemark.core.storage.noting import untold
from tidemark.core.storage.state import TableState, with_load
from tidemark.hooks import metrics
from tidemark.operators.stream import Stream

_log = logging.getLogger(__name__)


def report(
    stream: Stream,
    target: Target,
    now: datetime,
    held: Sequence[str],
    entries: Mapping[str, LedgerEntry],
    known: Mapping[str, Batch],
) -> tuple[list[str], TableState]:
    """Strike what the target holds off its debt, and note the newest load.

    Returns which of it nobody had reported before, and the document as it then stands.

    :param held: batches that it holds, oldest first; :param entries: its ledger, as far as asked
    :param known: documents of batches, as far as they were read
    """
    listed = [batch_id for batch_id in held if batch_id in entries]
    newest = entries[listed[-1]] if listed else None
    batch = known.get(newest.batch_id) if newest else None
    mirror = target.name == stream.project.targets.required[0].name
    news: list[str] = []

    def change(state: TableState) -> TableState:
        nonlocal news
        before = state.targets.get(target.name)
        if before is not None:
            news = [each for each in listed if untold(before, each, entries[each].loaded_at)]
        return with_load(
            state,
            target.name,
            held,
            rows={newest.batch_id: newest.rows_merged} if newest else {},
            size=batch.bytes if batch else None,
            loaded_at=newest.loaded_at if newest else None,
            mirror=mirror,
            base=newest_base(entries.values()),
        )

    state = stream.states.update(stream.table.name, now, change)
    return news, state


def receipt(stream: str, target: Target, entry: LedgerEntry, *, told: bool) -> dict[str, int]:
    """Return the receipt of a batch, by the ledger; whatever was extracted is accounted for.

    :param told: whether an earlier load has told of it: then it does not count again
    """
    if not told:
        metrics.count("rows_merged", entry.rows_merged, table=stream, target=target.name)
        metrics.count("dedup_rows", entry.rows_stale, table=stream, target=target.name)
    extracted = entry.rows_staged + entry.rows_set_aside
    _log.info(
        "%s holds %s: %s rows extracted = %s merged + %s stale + %s set aside",
        target.name,
        entry.batch_id,
        extracted,
        entry.rows_merged,
        entry.rows_stale,
        entry.rows_set_aside,
    )
    return {
        "extracted": extracted,
        "staged": entry.rows_staged,
        "merged": entry.rows_merged,
        "stale": entry.rows_stale,
        "set_aside": entry.rows_set_aside,
    }
