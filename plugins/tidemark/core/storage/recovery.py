"""State documents written by hand's command rather than by a task. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tidemark.core.storage.batches import parse_batch_id
from tidemark.core.storage.state import Role, TableState, first_state, with_debt


def replanned(state: TableState) -> TableState:
    """Drop the batch in flight and keep the watermark; the epoch rises, so the window that is read
    anew is a new batch (protocol rule 7)."""
    return state.model_copy(update={"in_flight": None, "epoch": state.epoch + 1})


def recovered_state(
    table: str,
    ledgers: Mapping[str, Sequence[str]],
    now: datetime,
    roles: Mapping[str, Role],
    strategy: str = "incremental",
) -> TableState:
    """Return a document for a table whose own is lost (protocol rule 22).

    The whole table is read anew under an epoch above every epoch in the ledgers; newest wins, so
    rows that are already there are not harmed. Nobody owes anything: the new batch covers it all.

    :param ledgers: per target, the ids of every batch that it applied
    :param roles: the enabled targets, as configured
    """
    epochs = [
        epoch
        for ids in ledgers.values()
        for epoch in (parse_batch_id(batch_id).epoch for batch_id in ids)
        if epoch is not None
    ]
    return first_state(table, roles, now, epoch=max(epochs, default=0) + 1, strategy=strategy)


def recovered_drain(
    queue: str,
    ledgers: Mapping[str, Sequence[str]],
    staged: Sequence[str],
    now: datetime,
    roles: Mapping[str, Role],
) -> TableState:
    """Return a document for a queue whose own is lost: whoever lacks a staged batch owes it.

    Messages of a batch that was in flight come back by themselves, and count once by their key.

    :param staged: the batches that are still there, oldest first
    """
    state = first_state(queue, roles, now, strategy="drain")
    for batch_id in staged:
        owed_by = [name for name, held in ledgers.items() if batch_id not in held]
        state = with_debt(state, batch_id, owed_by)
    return state
