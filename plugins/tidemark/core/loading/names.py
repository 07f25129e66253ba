"""What a stream's tables are called on a target: its own, and those that we keep beside it. Pure.

A warehouse cuts a name that is too long without a word, and what two tables keep beside them would
then be one: ours end with a digest instead, and a table's own are refused.
"""

import hashlib
from collections.abc import Iterable

from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.targets import Target
from tidemark.core.source.column_types import Column
from tidemark.core.streams import Loadable
from tidemark.core.templates import Dialect

# Bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html,
# https://www.postgresql.org/docs/current/limits.html
_LONGEST: dict[Dialect, int] = {"redshift": 127, "postgres": 63}


def ledger_table(table: Loadable, target: Target) -> str:
    """The ledger of a table: one each, because a shared one is a hot spot under SERIALIZABLE."""
    return _beside("ledger", table, target)


def tombstone_table(table: Loadable, target: Target) -> str:
    """Where repair notes the keys that it deleted or replaced."""
    return _beside("tombstones", table, target)


def forgotten_table(table: Loadable, target: Target) -> str:
    """Whose events were deleted, and until when: those that came before must not come back."""
    return _beside("forgotten", table, target)


def new_table(table: Loadable, target: Target, batch_id: str) -> str:
    """The table that a base fills before it takes the table's place."""
    digest = _digest(f"{table.table_on(target.name)}|{batch_id}")
    return f"_tidemark_new__{digest}__{batch_id}"[: _LONGEST[target.dialect]]


def refuse_long_names(table: Loadable, target: Target, columns: Iterable[Column]) -> None:
    """Raise `FixConfiguration` if the target would cut the table's name, or a column's."""
    longest = _LONGEST[target.dialect]
    name = table.table_on(target.name)
    long = [each.name for each in columns if len(each.name.encode()) > longest]
    if len(name.encode()) <= longest and not long:
        return
    raise FixConfiguration(
        what=f"{target.label} cuts names after {longest} bytes, and these are longer: "
        f"{', '.join(long or [name])}",
        do=f"Leave them out: tables.{table.name}.columns.exclude in tables.yaml."
        if long
        else f"Name the table there: target_tables of {table.name}, or target_table.",
        table=table.name,
        target=target.name,
    )


def _beside(what: str, table: Loadable, target: Target) -> str:
    name = f"_tidemark_{what}__{table.table_on(target.name)}"
    longest = _LONGEST[target.dialect]
    if len(name) <= longest:
        return name
    end = f"__{_digest(name)}"
    return name[: longest - len(end)] + end


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
