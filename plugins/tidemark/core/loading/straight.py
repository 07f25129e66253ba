"""Which rows need no stage: they are copied straight into their table. Pure.

A stage is where rows are compared, with one another and with what is there. Nothing is to be
compared if no key is twice in a batch, and none of its rows can be there: keys that only grow, a
table's first batch, a base, which brings a table of its own. Then the stage would be written and
read for nothing. What is believed here of the table is asked by the transaction itself.
"""

from collections.abc import Collection, Sequence

from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.target_columns import TargetColumn
from tidemark.core.source.column_types import LINEAGE
from tidemark.core.storage.batches import Plan


def may_go_straight(
    group: Group, existing: Sequence[TargetColumn], staged: Collection[str] = ()
) -> bool:
    """Return whether a group's rows may be copied straight into the table that is there.

    :param existing: the table's columns; :param staged: batches that were refused it
    """
    return (
        only_new(group.plan) and takes_files(group, existing) and group.plan.batch_id not in staged
    )


def only_new(plan: Plan) -> bool:
    """Return whether a plan's rows should all be new to a target: keys that only grow, or a table's
    first batch."""
    first = plan.low is None and plan.previous is None
    return plan.kind == "increment" and (plan.keys is not None or first)


def takes_files(group: Group, existing: Sequence[TargetColumn] | None) -> bool:
    """Return whether COPY can write a group's files into a table as they are: each key once, the
    types of the plan, and a time for each row that is not in the files.

    :param existing: the table's columns; None if it is made for them
    """
    wanted = (*group.plan.columns, *LINEAGE)
    repeats = bool(group.plan.key) and group.may_repeat_keys
    if len(group.batches) > 1 or not group.rows or repeats:
        return False
    if any(column.redshift == "SUPER" for column in wanted):
        return False  # its files have the JSON as bytes
    if existing is None:
        return True
    there = {column.name.lower(): column for column in existing}
    loaded_at = there.get("_loaded_at")
    found = [(column, there.get(column.name.lower())) for column in wanted]
    return (
        loaded_at is not None
        and loaded_at.filled
        and all(held is not None and _alike(column.redshift, held.type) for column, held in found)
    )


def _alike(kind: str, held: str) -> bool:
    return kind == held or (kind.startswith("VARCHAR") and held.startswith("VARCHAR"))
