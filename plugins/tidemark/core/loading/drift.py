"""Tell what a target's table needs before a batch fits it, and refuse what nobody can guess. Pure.

A batch is pinned to the columns it was planned with; each target is brought to them when it meets
the batch, so one that lags applies its old batches before the DDL of later ones. Nothing is ever
dropped, narrowed or renamed here.

    on the source                    on a target
    a column is added                added, NULL in rows that are there (they come by a resync)
    a text or bytes grow, a new      VARCHAR or VARBYTE widened; Redshift refuses that for a key
      ENUM value, wider characters
    any type narrows                 nothing: the target's type holds every value
    a column is dropped              kept, NULL in rows that come
    columns change places            nothing: columns are named
    dropped and added, one type      refused: only a person knows whether it was renamed
    any other type                   refused

`contract: freeze` refuses every change that a target would need; `source_drift` refuses the
source's before anything is read.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tidemark.core.errors import MigrateSchema
from tidemark.core.loading.target_columns import TargetColumn
from tidemark.core.source.column_types import LINEAGE, Column
from tidemark.core.streams import Contract
from tidemark.core.templates import Dialect, identifier

LOADED_AT = Column("_loaded_at", "datetime", "TIMESTAMP", nullable=False)
"""What only a target has."""

_INTEGERS = {"SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}  # with their digits
_SIZED = re.compile(r"(VARCHAR|VARBYTE|DECIMAL)(?:\((\d+)(?:,(\d+))?\))?")
# PostgreSQL's. Redshift's catalogue may keep the size of a VARBYTE to itself: it is then taken for
# unlimited and not widened (https://github.com/estuary/connectors/pull/3341).
_UNLIMITED = {"TEXT": "VARCHAR", "BYTEA": "VARBYTE"}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a target's table needs before a batch fits it.

    :param added: columns to add; :param widened: columns to widen to these types
    :param left: columns of the target that the batch does not bring: NULL in the rows it loads
    """

    added: tuple[Column, ...] = ()
    widened: tuple[Column, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def none(self) -> bool:
        """Whether the table fits as it is."""
        return not self.added and not self.widened


@dataclass(frozen=True, slots=True)
class Place:
    """The table that a batch is going to, for messages.

    :param stream: ``<schema>.<table>`` of the source; :param dag_id: its DAG
    :param target: the warehouse's name; :param relation: the table there, as SQL
    :param dialect: Redshift folds names to lower case and widens no column of a primary key
    """

    stream: str
    dag_id: str
    target: str
    relation: str
    dialect: Dialect = "redshift"

    def called(self, name: str) -> str:
        """What a column of this name is known by there."""
        return name.lower() if self.dialect == "redshift" else name

    @property
    def rebuild(self) -> str:
        """The way out that is always there."""
        return (
            f"rebuild the table there: run {self.dag_id} with mode: resync, "
            f"targets: [{self.target}]"
        )


def changes_for(
    columns: Sequence[Column],
    key: Sequence[str],
    held: Sequence[TargetColumn],
    *,
    removed: Iterable[str],
    contract: Contract,
    place: Place,
) -> Changes:
    """Return what the target's table needs so that a batch fits it.

    :param columns: the batch's, without lineage; :param key: its key
    :param held: the columns of a table that exists; see `Place.called`
    :param removed: columns that the batch before had and this one has not
    :raises MigrateSchema: what nobody but a person can decide, with all ways out
    """
    called = place.called
    there = {called(column.name): column for column in held}
    wanted = {called(column.name): column for column in (*columns, *LINEAGE, LOADED_AT)}
    added = tuple(column for name, column in wanted.items() if name not in there)
    widened = tuple(
        column
        for name, column in wanted.items()
        if name in there and _wider(column.redshift, there[name].type)
    )
    left = [column for name, column in there.items() if name not in wanted]
    _refuse_types(wanted, there, place)
    _refuse_key_changes(added, widened, {called(name) for name in key}, place)
    _refuse_missing(left, place)
    gone = {called(name) for name in removed}
    _refuse_rename(added, [column for column in left if called(column.name) in gone], place)
    changes = Changes(added, widened, tuple(column.name for column in left))
    if contract == "freeze" and not changes.none:
        _refuse_frozen(changes, there, place)
    return changes


def add_statement(relation: str, column: Column) -> str:
    """Return the statement that a person may run to add a column."""
    return f"ALTER TABLE {relation} ADD COLUMN {_quoted(column.name)} {column.redshift};"


def _refuse_types(
    wanted: Mapping[str, Column], there: Mapping[str, TargetColumn], place: Place
) -> None:
    unfit = [
        f"{column.name} is {found.type} there and {column.redshift} in the batch"
        for name, column in wanted.items()
        if (found := there.get(name))
        and not fits(column.redshift, found.type)
        and not _wider(column.redshift, found.type)
    ]
    if unfit:
        raise _refusal(
            place,
            "; ".join(unfit),
            "Either "
            + place.rebuild
            + f"; or leave the column out (tables.{place.stream}.columns.exclude in tables.yaml) "
            f"and run python -m tidemark watermark replan -t {place.stream}.",
        )


def _refuse_key_changes(
    added: Iterable[Column], widened: Iterable[Column], key: Collection[str], place: Place
) -> None:
    missing = [column.name for column in added if place.called(column.name) in key]
    if missing:
        raise _refusal(
            place,
            f"it lacks the key column {', '.join(missing)}, so its rows cannot be told apart",
            f"Either {place.rebuild}; or correct tables.{place.stream}.key in tables.yaml.",
        )
    grown = [column for column in widened if place.called(column.name) in key]
    if grown and place.dialect == "redshift":
        alter = f"ALTER TABLE {place.relation}"
        widen = [
            f"{alter} ALTER COLUMN {_quoted(column.name)} TYPE {column.redshift};"
            for column in grown
        ]
        which = ", ".join(f"{column.name} to {column.redshift}" for column in grown)
        raise _refusal(
            place,
            f"the key has to grow, {which}, and Redshift widens no column of a primary key",
            f"Either {place.rebuild}; or take the key away there, which is informational, and give "
            f"it back: {alter} DROP CONSTRAINT …_pkey; {' '.join(widen)} {alter} ADD PRIMARY KEY "
            "(…); its name is in pg_constraint. Then clear the load.",
        )


def _refuse_missing(left: Iterable[TargetColumn], place: Place) -> None:
    unfilled = [column.name for column in left if not column.nullable]
    if unfilled:
        drops = " ".join(
            f"ALTER TABLE {place.relation} DROP COLUMN {_quoted(name)};" for name in unfilled
        )
        raise _refusal(
            place,
            f"{', '.join(unfilled)} must not be NULL there, and the batch does not bring it",
            f"Either {place.rebuild}; or drop it there if nobody needs it: {drops} Then clear the "
            "load.",
        )


def _refuse_rename(added: Sequence[Column], removed: Sequence[TargetColumn], place: Place) -> None:
    pairs = [(old, new) for old in removed for new in added if old.type == new.redshift]
    if not pairs:
        return
    renames = " ".join(
        f"ALTER TABLE {place.relation} RENAME COLUMN {_quoted(old.name)} TO {_quoted(new.name)};"
        for old, new in pairs
    )
    news = {new.name: new for _, new in pairs}
    raise _refusal(
        place,
        "; ".join(f"{old.name} went and {new.name} came, both {new.redshift}" for old, new in pairs)
        + ": nobody but you knows whether that is one column renamed",
        f"If it is, run there: {renames} If it is a new column: "
        + " ".join(add_statement(place.relation, new) for new in news.values())
        + f" Then clear the load. Or {place.rebuild}.",
    )


def _refuse_frozen(changes: Changes, there: Mapping[str, TargetColumn], place: Place) -> None:
    needed = [f"{column.name} {column.redshift} added" for column in changes.added]
    needed += [
        f"{column.name} widened from {there[place.called(column.name)].type} to {column.redshift}"
        for column in changes.widened
    ]
    raise _refusal(
        place,
        f"contract: freeze, and the batch needs {', '.join(needed)}",
        f"Set tables.{place.stream}.contract: evolve in tables.yaml, or {place.rebuild}; then "
        "clear the load.",
    )


def _refusal(place: Place, what: str, do: str) -> MigrateSchema:
    return MigrateSchema(
        what=f"{place.relation}: {what}", do=do, table=place.stream, target=place.target
    )


def fits(kind: str, held: str) -> bool:
    """Whether a column of type `held` holds every value of type `kind`, exactly."""
    if kind == held:
        return True
    (name, size, scale), (other, room, held_scale) = _parts(kind), _parts(held)
    if name in {"VARCHAR", "VARBYTE"}:
        return name == other and (room is None or (size is not None and size <= room))
    if other == "DECIMAL":
        digits = _INTEGERS.get(name, None if name != "DECIMAL" else (size or 0) - scale)
        return digits is not None and digits <= (room or 0) - held_scale and scale <= held_scale
    if name in _INTEGERS and other in _INTEGERS:
        return _INTEGERS[name] <= _INTEGERS[other]
    return (name, other) in {("REAL", "DOUBLE PRECISION"), ("DATE", "TIMESTAMP")}


def _wider(kind: str, held: str) -> bool:
    """Whether a column of type `held` becomes one of type `kind` by widening."""
    (name, size, _), (other, room, _) = _parts(kind), _parts(held)
    return (
        name == other
        and name in {"VARCHAR", "VARBYTE"}
        and size is not None
        and room is not None
        and size > room
    )


def _parts(kind: str) -> tuple[str, int | None, int]:
    """Return a type's name, its size or None for no limit, and its scale."""
    match = _SIZED.fullmatch(_UNLIMITED.get(kind, kind))
    if match is None:
        return kind, None, 0
    return match[1], int(match[2]) if match[2] else None, int(match[3] or 0)


def _quoted(name: str) -> str:
    return identifier(name, "redshift")
