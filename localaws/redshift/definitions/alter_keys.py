"""ALTER TABLE … ALTER DISTSTYLE, DISTKEY, SORTKEY and ENCODE AUTO.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html ; the wordings are unsourced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from localaws.redshift.definitions.attributes import (
    Attributes,
    DistStyle,
    SortStyle,
    Table,
    keep,
    read_table,
)
from localaws.redshift.definitions.clauses import KeyColumn, key_numbers, parse_sort_key
from localaws.redshift.definitions.encodings import default_encoding
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import StatementError
from localaws.redshift.sql.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed; None stays as it is."""

    diststyle: DistStyle | None = None
    distkey: str | None = None
    sortstyle: SortStyle | None = None
    sortkey: tuple[str, ...] | None = None
    encode_auto: bool | None = None


def alter_keys(cursor: Cursor, table: str) -> Plan:
    """Plan one such clause, or the one of distribution and the one of sorting together."""
    change = _clause(cursor)
    if cursor.skip_symbol(","):
        second = _clause(cursor)
        # The page lists what may be combined: SORTKEY (…) with DISTKEY or with DISTSTYLE ALL.
        by_sort = change if change.sortkey else second
        other = second if by_sort is change else change
        if not by_sort.sortkey or other.diststyle not in ("key", "all"):
            raise StatementError("ERROR: these ALTER TABLE clauses cannot be combined")
        change = replace(by_sort, diststyle=other.diststyle, distkey=other.distkey)
    cursor.expect_end()
    return AlterKeys(table, change)


def _clause(cursor: Cursor) -> Change:
    cursor.expect_words("alter")
    if cursor.skip_words("encode", "auto"):
        return Change(encode_auto=True)
    if cursor.skip_words("distkey"):
        return Change(diststyle="key", distkey=cursor.name())
    if cursor.skip_words("diststyle", "key"):
        cursor.expect_words("distkey")
        return Change(diststyle="key", distkey=cursor.name())
    if cursor.skip_words("diststyle"):
        for style in ("all", "even", "auto"):
            if cursor.skip_words(style):
                return Change(diststyle=style)
        raise cursor.error()
    cursor.skip_words("compound")
    if cursor.peek().is_word("interleaved"):
        # "You can't alter a compound sort key to an interleaved sort key."
        raise cursor.error()
    cursor.expect_words("sortkey")
    if cursor.skip_words("auto"):
        return Change(sortstyle="auto")
    if cursor.skip_words("none"):
        return Change(sortstyle="none", sortkey=())
    return Change(sortstyle="compound", sortkey=parse_sort_key(cursor))


@dataclass(frozen=True, slots=True)
class AlterKeys:
    """A table's distribution, sort key, or ENCODE AUTO."""

    table: str
    change: Change
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Keep the change; no row moves here."""
        session.take_snapshot()
        session.connection.execute(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE".encode())
        table = read_table(session, self.table)
        attributes = table.attributes
        if self.change.encode_auto:
            attributes = replace(attributes, encode_auto=True)
        if self.change.diststyle:
            attributes = _distributed(table, attributes, self.change)
        if self.change.sortstyle:
            attributes = _sorted(table, attributes, self.change)
        keep(session, table.oid, attributes)
        return Outcome()


def _distributed(table: Table, attributes: Attributes, change: Change) -> Attributes:
    if attributes.sortstyle == "interleaved":
        raise StatementError(
            f'ERROR: cannot alter the distribution of table "{table.name}": '
            "its sortkey is interleaved"
        )
    if table.temporary and change.diststyle in ("all", "even"):
        raise StatementError(
            f'ERROR: cannot alter the diststyle of the temporary table "{table.name}"'
        )
    distkey = None
    if change.distkey is not None:
        (distkey,) = key_numbers(table.name, _columns(table), [change.distkey], distkey=True)
    return replace(attributes, diststyle=change.diststyle or "auto", distkey=distkey)


def _sorted(table: Table, attributes: Attributes, change: Change) -> Attributes:
    if change.sortkey is None:
        # AUTO "preserves the existing sort key of the table".
        return replace(attributes, sortstyle="auto")
    sortkey = key_numbers(table.name, _columns(table), change.sortkey)
    encodings = dict(attributes.encodings)
    if attributes.encode_auto:
        # Without an ENCODE of its own, a column of the old or the new key gets the default again.
        for column in table.columns:
            if column.number in (*sortkey, *attributes.sortkey):
                encodings[column.number] = default_encoding(
                    column.type_name,
                    sort_key=column.number in sortkey,
                    temporary=table.temporary,
                )
    return replace(
        attributes, sortstyle=change.sortstyle or "compound", sortkey=sortkey, encodings=encodings
    )


def _columns(table: Table) -> list[KeyColumn]:
    return [KeyColumn(column.number, column.name, column.type_name) for column in table.columns]
