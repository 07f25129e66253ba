"""The SQL that a target receives. Pure: a batch and a target in, named statements out."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from tidemark.core.loading.catch_up import Group
from tidemark.core.loading.drift import Changes, Place
from tidemark.core.loading.names import (
    forgotten_table,
    ledger_table,
    new_table,
    tombstone_table,
)
from tidemark.core.settings.targets import Target
from tidemark.core.source.column_types import LINEAGE, Column
from tidemark.core.storage.batches import Batch
from tidemark.core.streams import EventTable, Loadable
from tidemark.core.templates import identifier, render

# Data API limits: at most 40 statements, 100 KB each, a name of 2,048 characters
# (https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html). A load has about fifteen.


def create_statements(
    table: Loadable, target: Target, columns: Sequence[Column], key: Sequence[str]
) -> dict[str, str]:
    """Return the statements that create a table and its ledger where they are missing."""
    return render(
        "create_tables.sql",
        target.dialect,
        schema=target.database_schema,
        table=table.table_on(target.name),
        ledger_table=ledger_table(table, target),
        tombstone_table=tombstone_table(table, target, key),
        forgotten_table=forgotten_table(table, target) if isinstance(table, EventTable) else None,
        columns=[*columns, *LINEAGE],
        lineage=[column.name for column in LINEAGE],
        key=key,
        dist_key=table.dist_key,
        sort_keys=table.sort_keys,
    )


def alter_statements(table: Loadable, target: Target, changes: Changes) -> list[str]:
    """Return the statements that bring a table to a batch's columns, each to be sent by itself."""
    statements = render(
        "alter_table.sql",
        target.dialect,
        schema=target.database_schema,
        table=table.table_on(target.name),
        added=changes.added,
        widened=changes.widened,
    )
    return list(statements.values())


def place_of(table: Loadable, target: Target) -> Place:
    """Return where a table's batches go on a target, for messages about its columns."""
    return Place(
        stream=table.name,
        dag_id=table.dag_id,
        target=target.name,
        relation=f"{identifier(target.database_schema, target.dialect)}."
        f"{identifier(table.table_on(target.name), target.dialect)}",
        dialect=target.dialect,
    )


def load_statements(
    table: Loadable, target: Target, group: Group, bucket: str, token: str
) -> dict[str, str]:
    """Return the statements that apply a group, in the order they must run, as one transaction.

    :param token: the ClientToken they are submitted with; the ledger rows keep it
    """
    if group.plan.kind == "base":
        return _swap_statements(table, target, group, bucket, token)
    if group.plan.kind == "erasure":
        return _erasing_statements(table, target, group, token)
    plan = group.plan
    if group.straight:
        (batch,) = group.batches
        shared = _applied(table, target, group, bucket, token)
        return render("load_straight.sql", target.dialect, **shared, keys=plan.keys, batch=batch)
    return render(
        "load_batch.sql",
        target.dialect,
        **_applied(table, target, group, bucket, token),
        forgotten_table=forgotten_table(table, target),
        person_columns=table.person_columns if isinstance(table, EventTable) else (),
        only_added=plan.keys is not None,
        keys=group.keys,
        batches=group.batches,
        batch_ids=group.batch_ids,
    )


def probe_statements(table: Loadable, target: Target, batch: Batch, bucket: str) -> dict[str, str]:
    """Return the statements that try a batch's rows on a target, and leave nothing behind."""
    load = load_statements(table, target, Group((batch,)), bucket, "")
    probe = render(
        "probe_batch.sql",
        target.dialect,
        schema=target.database_schema,
        table=table.table_on(target.name),
        columns=[*batch.plan.columns, *LINEAGE],
        into_table=batch.plan.kind != "base",
    )
    return {name: load[name] for name in ("create_stage", "copy_batch", "check_count")} | probe


def _swap_statements(
    table: Loadable, target: Target, group: Group, bucket: str, token: str
) -> dict[str, str]:
    (batch,), plan = group.batches, group.plan
    shared = _applied(table, target, group, bucket, token)
    return render(
        "swap_batch.sql",
        target.dialect,
        **shared,
        new_table=new_table(table, target, plan.batch_id),
        lineage=[column.name for column in LINEAGE],
        carried=[name for name in shared["names"] if name in group.carried],
        alike=group.alike,
        superseded=group.superseded,
        straight=group.straight,
        sort_keys=table.sort_keys,
        batch_id=plan.batch_id,
        read_from=batch.read_from,
        read_to=batch.read_to,
        high=plan.high,
        rows_set_aside=batch.rows_set_aside,
        checksum=batch.checksum,
    )


def _erasing_statements(
    table: Loadable, target: Target, group: Group, token: str
) -> dict[str, str]:
    (batch,), plan = group.batches, group.plan
    columns = sorted({person.column for person in plan.persons})
    return render(
        "erase_persons.sql",
        target.dialect,
        schema=target.database_schema,
        table=table.table_on(target.name),
        ledger_table=ledger_table(table, target),
        forgotten_table=forgotten_table(table, target),
        cursor=plan.cursor,
        digests={
            column: [person.digest for person in plan.persons if person.column == column]
            for column in columns
        },
        batch_id=plan.batch_id,
        until=plan.high,
        checksum=batch.checksum,
        token=token,
    )


def _applied(
    table: Loadable, target: Target, group: Group, bucket: str, token: str
) -> dict[str, Any]:
    """What both ways of applying batches need: where, which columns, and the staged files."""
    plan = group.plan
    columns = [*plan.columns, *LINEAGE]
    return {
        "schema": target.database_schema,
        "table": table.table_on(target.name),
        "ledger_table": ledger_table(table, target),
        "tombstone_table": tombstone_table(table, target, plan.key),
        "columns": columns,
        "names": [column.name for column in columns],
        "key": plan.key,
        "cursor": plan.cursor,
        "dist_key": table.dist_key,
        "may_repeat_keys": group.may_repeat_keys,
        "manifest_url": f"s3://{bucket}/{group.manifest_key}" if group.rows else None,
        "iam_role": target.copy_role,
        "rows": group.rows,
        "token": token,
    }


def ledger_query(table: Loadable, target: Target, batch_ids: Sequence[str]) -> str:
    """Return the query for those of `batch_ids` (at least one) that a ledger lists, and for the
    newest base."""
    return _read_ledger(table, target, batch_ids)["entries"]


def ledger_history_query(table: Loadable, target: Target) -> str:
    """Return the query for the id of every batch a target ever applied, newest first."""
    return _read_ledger(table, target, ("",))["newest"]


def columns_query(table: Loadable, target: Target) -> str:
    """Return the query for a table's columns on a target, in their order."""
    return _describing(table, target)["columns"]


def rights_query(table: Loadable, target: Target) -> str:
    """Return the query for what the loading user may do on a target."""
    return _describing(table, target)["rights"]


def lacking_rights(row: Mapping[str, Any], target: Target) -> list[str]:
    """Return what the loading user may not do, by the answer to `rights_query`."""
    rights = {
        "may_use": f"use the schema {target.database_schema}",
        "may_create": f"create tables in the schema {target.database_schema}",
    }
    return [what for name, what in rights.items() if not row[name]]


def _describing(table: Loadable, target: Target) -> dict[str, str]:
    return render(
        "describe_table.sql",
        target.dialect,
        schema=target.database_schema,
        table=table.table_on(target.name),
    )


def statement_name(table: Loadable, target: Target, subject: str) -> str:
    """The name that a load has in the console: ``tidemark <table> <target> <batch>``."""
    return f"tidemark {table.name} {target.name} {subject}"


def client_token(*parts: object) -> str:
    """Derive a ClientToken (1 to 64 characters) from what makes an attempt an attempt."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def _read_ledger(table: Loadable, target: Target, batch_ids: Sequence[str]) -> dict[str, str]:
    return render(
        "read_ledger.sql",
        target.dialect,
        schema=target.database_schema,
        ledger_table=ledger_table(table, target),
        batch_ids=batch_ids,
    )
