"""ALTER TABLE … APPEND FROM: rows move from one table to another.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_APPEND.html ; the refusals' wordings
are unsourced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from localaws.redshift.definitions.attributes import Attributes, Column, Table, read_table
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import quote_name

Extra = Literal["", "ignoreextra", "filltarget"]
_WHAT = "ALTER TABLE APPEND"


def append_from(cursor: Cursor, target: str) -> Plan:
    """Plan what follows APPEND FROM."""
    source = cursor.table()
    extra: Extra = ""
    if cursor.skip_words("ignoreextra"):
        extra = "ignoreextra"
    elif cursor.skip_words("filltarget"):
        extra = "filltarget"
    cursor.expect_end()
    return AppendFrom(target, source, extra)


@dataclass(frozen=True, slots=True)
class AppendFrom:
    """The source's rows, in the columns that both tables have; the source is empty afterwards."""

    target: str
    source: str
    extra: Extra
    kind: str = "ALTER TABLE"

    def run(self, session: Session) -> Outcome:
        """Move the rows; refused inside a transaction block."""
        if session.in_block:
            # The sentence: https://github.com/SQLMesh/sqlmesh/issues/5572 (for ALTER COLUMN)
            raise StatementError(f"ERROR: {_WHAT} cannot run inside a transaction block")
        session.take_snapshot()
        both = f"{self.target}, {self.source}"
        session.connection.execute(f"LOCK TABLE {both} IN ACCESS EXCLUSIVE MODE".encode())
        target, source = read_table(session, self.target), read_table(session, self.source)
        common = self._common(target, source)
        names = ", ".join(map(quote_name, common))
        outcome = session.execute(
            f"INSERT INTO {self.target} ({names}) "  # noqa: S608 - names of tables and columns
            f"SELECT {names} FROM {self.source}"
        )
        session.connection.execute(f"TRUNCATE TABLE {self.source}".encode())
        return outcome

    def _common(self, target: Table, source: Table) -> list[str]:
        """Return the columns to move. Raises StatementError if the tables do not match."""
        if target.oid == source.oid:
            raise StatementError(f"ERROR: {_WHAT} needs two different tables")
        for table in (target, source):
            if table.kind != "r" or table.temporary:
                raise StatementError(f'ERROR: {_WHAT}: "{table.name}" is no permanent table')
        mine = {column.name: column for column in target.columns}
        theirs = {column.name: column for column in source.columns}
        common = [
            name
            for name, column in theirs.items()
            if name in mine and "a" not in (mine[name].identity, column.identity)
        ]
        if any(column.identity == "a" for column in target.columns) and any(
            column.identity == "a" for column in source.columns
        ):
            raise StatementError(f"ERROR: {_WHAT} cannot append an identity column")
        self._check_extra(
            only_target=[name for name in mine if name not in common],
            only_source=[name for name in theirs if name not in common],
        )
        for name in common:
            if _compared(target, mine[name]) != _compared(source, theirs[name]):
                raise StatementError(
                    f'ERROR: {_WHAT}: column "{name}" has different attributes in both tables'
                )
        if _keys(target, target.attributes) != _keys(source, source.attributes):
            raise StatementError(
                f"ERROR: {_WHAT}: both tables must have the same distribution and sort keys"
            )
        return common

    def _check_extra(self, *, only_target: list[str], only_source: list[str]) -> None:
        if only_source and self.extra != "ignoreextra":
            raise StatementError(
                f'ERROR: {_WHAT}: column "{only_source[0]}" is only in the source: use IGNOREEXTRA'
            )
        if only_target and self.extra != "filltarget":
            raise StatementError(
                f'ERROR: {_WHAT}: column "{only_target[0]}" is only in the target: use FILLTARGET'
            )


def _compared(table: Table, column: Column) -> tuple[object, ...]:
    return (*column.shape, column.not_null, table.attributes.encodings.get(column.number))


def _keys(table: Table, attributes: Attributes) -> tuple[object, ...]:
    names = {column.number: column.name for column in table.columns}
    return (
        attributes.diststyle,
        names.get(attributes.distkey or 0),
        attributes.sortstyle if attributes.sortkey else None,
        [names[number] for number in attributes.sortkey],
    )
