"""Bring a target's table to the columns of a group of batches, before they are loaded."""

import logging
from collections.abc import Sequence

from tidemark.core.errors import MigrateSchema, TidemarkError
from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.drift import Changes, changes_for
from tidemark.core.loading.names import refuse_names
from tidemark.core.loading.statements import alter_statements, client_token, place_of
from tidemark.core.loading.target_columns import TargetColumn
from tidemark.hooks import metrics
from tidemark.hooks.warehouses.warehouse import Warehouse

log = logging.getLogger(__name__)

# How often a table is looked at: another load may be altering it at the same time.
_ROUNDS = 3


def prepare(warehouse: Warehouse, group: Group, token: str) -> Sequence[TargetColumn]:
    """Create what is missing, add and widen columns; nothing is lost by any of it.

    :param token: tells this attempt from others
    :return: the columns that the table has now
    :raises FixConfiguration: a name is longer than names may be there, or one of ours
    :raises MigrateSchema: the table cannot be brought to the group's columns without a person
    """
    refuse_names(warehouse.table, warehouse.target, group.plan.columns)
    for attempt in range(_ROUNDS):
        held, changes = _needed(warehouse, group, client_token(token, "create"))
        if changes.none:
            return held
        statements = alter_statements(warehouse.table, warehouse.target, changes)
        _tell(warehouse, changes, statements)
        try:
            warehouse.alter(statements, client_token(token, "alter", attempt))
        except TidemarkError:
            # Refused, or done by another load meanwhile: the table says which.
            if attempt == _ROUNDS - 1 or _needed(warehouse, group, token)[1] == changes:
                raise
    return held


def _needed(
    warehouse: Warehouse, group: Group, token: str
) -> tuple[Sequence[TargetColumn], Changes]:
    plan, table, target = group.plan, warehouse.table, warehouse.target
    held, whole = warehouse.columns(), plan.kind == "base"
    if held is None and not whole and warehouse.history():
        place = place_of(table, target)
        raise MigrateSchema(
            what=f"{place.relation} is gone, and the ledger beside it lists batches",
            do=f"If it was renamed, name it back; else {place.rebuild}.",
            table=table.name,
            target=target.name,
        )
    if held is None or not warehouse.has_ledger():
        warehouse.create(plan.columns, plan.key, token)
    if held is None or whole:  # a base brings the table's columns with it
        return held or warehouse.columns() or [], Changes()
    return held, changes_for(
        plan.columns,
        plan.key,
        held,
        removed={name for batch in group.batches for name in batch.plan.removed},
        contract=table.contract,
        place=place_of(table, target),
    )


def _tell(warehouse: Warehouse, changes: Changes, statements: list[str]) -> None:
    name = warehouse.target.name
    for statement in statements:
        log.warning("%s: %s", name, statement)
    where = {"table": warehouse.table.name, "target": name}
    metrics.count("schema_changes", len(changes.added), **where, kind="added")
    metrics.count("schema_changes", len(changes.widened), **where, kind="widened")
    if changes.added:
        log.warning(
            "%s: rows that were loaded before have NULL in %s until they change on the source; a "
            "resync fills them",
            name,
            ", ".join(column.name for column in changes.added),
        )
