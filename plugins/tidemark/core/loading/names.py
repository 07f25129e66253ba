"""What a stream's tables are called on a target: its own, and those that we keep beside it. Pure.

A warehouse cuts a name that is too long without a word, and what two tables keep beside them would
then be one: ours end with a digest instead, and a table's own are refused.
"""

import hashlib
from collections.abc import Iterable

from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.targets import Target
from tidemark.core.source.column_types import LINEAGE, Column
from tidemark.core.streams import Loadable
from tidemark.core.templates import Dialect

_OURS = {*(column.name for column in LINEAGE), "_loaded_at", "tidemark_rank"}
# In bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html,
# https://www.postgresql.org/docs/current/limits.html
_LONGEST: dict[Dialect, int] = {"redshift": 127, "postgres": 63}


def ledger_table(table: Loadable, target: Target) -> str:
    """The ledger of a table: one each, because a shared one is a hot spot under SERIALIZABLE."""
    return _beside("ledger", table, target)


def tombstone_table(table: Loadable, target: Target, key: Iterable[str]) -> str:
    """Where repair notes the keys that it deleted or replaced: one for each key that rows of the
    table were ever told apart by."""
    return _beside("tombstones", table, target, _digest("|".join(sorted(key))))


def forgotten_table(table: Loadable, target: Target) -> str:
    """Whose events were deleted, and until when: those that came before must not come back."""
    return _beside("forgotten", table, target)


def new_table(table: Loadable, target: Target, batch_id: str) -> str:
    """The table that a base fills before it takes the table's place."""
    digest = _digest(f"{table.table_on(target.name)}|{batch_id}")
    return f"_tidemark_new__{digest}__{batch_id}"[: _LONGEST[target.dialect]]


def refuse_names(table: Loadable, target: Target, columns: Iterable[Column]) -> None:
    """Raise `FixConfiguration` if a column is called like one of ours, or if the target would cut
    its name, or the table's."""
    longest, name = _LONGEST[target.dialect], table.table_on(target.name)
    names = [column.name for column in columns]
    ours = [each for each in names if each.lower() in _OURS]
    long = [each for each in names if len(each.encode()) > longest]
    leave_out = (
        f"Leave it out (tables.{table.name}.columns.exclude in tables.yaml), and run "
        f"python -m tidemark watermark replan -t {table.name}."
    )
    what, do = "", leave_out
    if ours:
        what = f"the source has {', '.join(ours)}, and every copy has that column of its own"
    elif long:
        what = f"{target.label} cuts names after {longest} bytes, and {', '.join(long)} is longer"
    elif len(name.encode()) > longest:
        what = f"{target.label} cuts names after {longest} bytes, and the table {name} is longer"
        do = f"Give it a name of its own there: target_tables of {table.name}."
    if what:
        raise FixConfiguration(
            what=what,
            do=do,
            table=table.name,
            target=target.name,
            batch_at_fault=bool(ours or long),
        )


def _beside(what: str, table: Loadable, target: Target, *more: str) -> str:
    name = "__".join((f"_tidemark_{what}", table.table_on(target.name), *more))
    longest = _LONGEST[target.dialect]
    if len(name) <= longest:
        return name
    end = f"__{_digest(name)}"
    return name[: longest - len(end)] + end


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
