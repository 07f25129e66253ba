"""TRUNCATE, VACUUM and ANALYZE.

https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html
https://docs.aws.amazon.com/redshift/latest/dg/r_VACUUM_command.html
https://docs.aws.amazon.com/redshift/latest/dg/r_ANALYZE.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.definitions.attributes import read_table
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.plans import RunSql

_VACUUM_KINDS = (
    ("full",), ("sort", "only"), ("delete", "only"), ("reindex",), ("recluster",),
)  # fmt: skip


def truncate(tokens: Sequence[Token]) -> Plan:
    """Plan TRUNCATE [TABLE] name; one table, and no options."""
    cursor = Cursor(tokens)
    cursor.expect_words("truncate")
    cursor.skip_words("table")
    table = cursor.table()
    cursor.expect_end()
    return Truncate(table)


@dataclass(frozen=True, slots=True)
class Truncate:
    """TRUNCATE, which commits the transaction in which it runs, with all that came before."""

    table: str
    kind: str = "TRUNCATE"

    def run(self, session: Session) -> Outcome:
        """Empty the table and commit."""
        session.take_snapshot()
        if read_table(session, self.table).kind != "r":
            # PostgreSQL's words.
            raise StatementError(f"ERROR: {self.table} is not a table")
        outcome = session.execute(f"TRUNCATE TABLE {self.table}")
        session.commit_block()
        return outcome


def vacuum(tokens: Sequence[Token]) -> Plan:
    """Plan a VACUUM. Raises StatementError for combinations that the page excludes."""
    cursor = Cursor(tokens)
    cursor.expect_words("vacuum")
    found = next((words for words in _VACUUM_KINDS if cursor.skip_words(*words)), ("full",))
    table = ""
    if not (cursor.done or cursor.peek().is_word("to", "boost")):
        table = cursor.table()
    threshold = cursor.skip_words("to")
    if threshold:
        percent = cursor.number()
        cursor.expect_words("percent")
        if percent > 100:
            raise StatementError("ERROR: the threshold of a VACUUM must be between 0 and 100")
    boost = cursor.skip_words("boost")
    cursor.expect_end()
    # Wordings unsourced.
    if not table and (threshold or boost or found[0] in ("reindex", "recluster")):
        raise StatementError("ERROR: this VACUUM needs a table name")
    if threshold and found[0] in ("reindex", "recluster"):
        raise StatementError(f"ERROR: VACUUM {found[0].upper()} has no TO threshold PERCENT")
    if boost and found[0] == "reindex":
        raise StatementError("ERROR: VACUUM REINDEX has no BOOST")
    return Vacuum(table, found[0])


@dataclass(frozen=True, slots=True)
class Vacuum:
    """VACUUM of one table, or of all. Rows have no order here, so that sorting does nothing."""

    table: str
    what: str
    kind: str = "VACUUM"

    def run(self, session: Session) -> Outcome:
        """Reclaim space; refused inside a transaction block."""
        if session.in_block:
            # The words are PostgreSQL's, which Redshift has too:
            # https://github.com/flyway/flyway/issues/1879
            raise StatementError("ERROR: VACUUM cannot run inside a transaction block")
        if self.table:
            self._check(session)
        if self.what in ("full", "delete"):
            connection = session.connection
            connection.commit()
            connection.autocommit = True
            try:
                connection.execute(f"VACUUM {self.table}".encode())
            finally:
                connection.autocommit = False
        return Outcome()

    def _check(self, session: Session) -> None:
        table = read_table(session, self.table)
        attributes = table.attributes
        if self.what == "recluster" and (
            attributes.sortstyle == "interleaved" or attributes.diststyle == "all"
        ):
            # Wording unsourced.
            raise StatementError(
                f'ERROR: VACUUM RECLUSTER is not supported on table "{table.name}"'
            )


def analyze(tokens: Sequence[Token]) -> Plan:
    """Plan ANALYZE [VERBOSE] [table [(columns)]] [PREDICATE COLUMNS | ALL COLUMNS]."""
    cursor = Cursor(tokens)
    cursor.expect_words("analyze")
    if cursor.peek().is_word("compression"):
        raise NotSupported("ANALYZE COMPRESSION")
    cursor.skip_words("verbose")
    sql = "ANALYZE"
    if not (cursor.done or cursor.peek().is_word("predicate", "all")):
        sql += f" {cursor.table()}"
        if cursor.peek().is_symbol("("):
            sql += f" ({', '.join(map(quote_name, cursor.names_in_parentheses()))})"
    if not cursor.skip_words("predicate", "columns"):
        cursor.skip_words("all", "columns")
    cursor.expect_end()
    return RunSql("ANALYZE", sql, takes_snapshot=False)
