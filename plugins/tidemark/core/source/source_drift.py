"""Tell what the source changed about a table's columns, between two batches and inside one. Pure.

A batch is pinned to the columns it was planned with. What changed since the last committed batch is
told when the next is planned, and refused there if the contract says so; what changes between
planning and reading is noticed by the reading, and the window is planned anew.
"""

import re
from collections.abc import Iterable, Sequence

from tidemark.core.errors import MigrateSchema
from tidemark.core.source.column_types import Column, read_form
from tidemark.core.streams import Contract

_WITH_TYPE = re.compile(
    r"(?P<name>.*) (?P<type>SMALLINT|INTEGER|BIGINT|REAL|DOUBLE PRECISION|DATE|TIMESTAMP"
    r"|VARCHAR\(\d+\)|VARBYTE\(\d+\)|DECIMAL\(\d+,\d+\))",
    re.DOTALL,
)


def check_contract(
    stream: str,
    contract: Contract,
    last: Sequence[str],
    columns: Sequence[Column],
    excluded: Iterable[str],
) -> tuple[str, ...]:
    """Return in words what changed since the last committed batch, a line each.

    :param last: that batch's columns as the state document keeps them; empty before the first
    :param excluded: columns that configuration leaves out, which is no change of the source
    :raises MigrateSchema: something changed and the contract is ``freeze``
    """
    before, ignored = committed_columns(last), {name.lower() for name in excluded}
    if not before:
        return ()
    now = {column.name: column.redshift for column in columns}
    found = [f"{name} {kind} is new" for name, kind in now.items() if name not in before]
    found += [
        f"{name} was {before[name]} and is {kind}"
        for name, kind in now.items()
        if before.get(name, kind) != kind
    ]
    found += [
        f"{name} {kind} is gone"
        for name, kind in before.items()
        if name not in now and name.lower() not in ignored
    ]
    if found and contract == "freeze":
        raise MigrateSchema(
            what=f"contract: freeze, and the source's columns changed: {'; '.join(found)}. Nothing "
            "was read",
            do=f"Undo it on the source; or leave new columns out (tables.{stream}.columns.exclude "
            f"in tables.yaml); or set tables.{stream}.contract: evolve for one run at least, which "
            "changes the targets. Then clear plan_increment.",
            table=stream,
        )
    return tuple(found)


def committed_columns(last: Iterable[str]) -> dict[str, str]:
    """Return the types, by name, of the columns that a state document lists."""
    parsed = (_WITH_TYPE.fullmatch(text) for text in last)
    return {match["name"]: match["type"] for match in parsed if match}


def removed_columns(
    last: Iterable[str], columns: Iterable[Column], excluded: Iterable[str]
) -> tuple[str, ...]:
    """Return the columns of the last committed batch that the source has no longer.

    :param excluded: columns that configuration leaves out, which is no change of the source
    """
    names = {column.name for column in columns} | {*excluded}
    return tuple(name for name in committed_columns(last) if name not in names)


def check_pinned(stream: str, pinned: Sequence[Column], found: Sequence[Column]) -> None:
    """Refuse to read a batch whose columns are no longer the source's.

    A column that came since is none of its: rows that were given a value lie above its window.

    :param found: those of the pinned columns that the source has now, as it declares them
    :raises MigrateSchema: naming what changed
    """
    if changed := unreadable(pinned, found):
        raise MigrateSchema(
            what=f"the source was altered after the batch was planned: {'; '.join(changed)}",
            do="Clear plan_increment of this run, with downstream: it plans anew; so does the next "
            "scheduled run.",
            table=stream,
        )


def unreadable(pinned: Sequence[Column], found: Sequence[Column]) -> tuple[str, ...]:
    """Return, in words, which columns of a plan the source does not have as they were planned."""
    there = {column.name: column for column in found}
    changed = []
    for column in pinned:
        now = there.get(column.name)
        if now is None:
            changed.append(f"{column.name} {column.mysql} is gone")
        elif not column.hashed and (now.redshift, read_form(now)) != (
            column.redshift,
            read_form(column),
        ):
            changed.append(f"{column.name} was {column.mysql} and is {now.mysql}")
    return tuple(changed)
