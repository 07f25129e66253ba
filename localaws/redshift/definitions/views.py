"""Views and materialized views.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.definitions.attributes import keep, read_table
from localaws.redshift.definitions.clauses import (
    Clauses,
    KeyColumn,
    attributes_of,
    parse_clauses,
)
from localaws.redshift.definitions.copied_tables import check_query
from localaws.redshift.definitions.new_tables import NewTable, quoted_alone
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions.rewriting import rewrite
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.plans import RunSql

# Views, temporary tables and catalogue tables that a materialized view reads.
_UNFIT_SOURCES = """
SELECT c.relname FROM pg_rewrite w
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
       AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
  JOIN pg_class c ON c.oid = d.refobjid
 WHERE w.ev_class = %s::oid
   AND (c.relkind = 'v' OR c.relpersistence = 't' OR c.relnamespace = 'pg_catalog'::regnamespace)
 ORDER BY 1 LIMIT 1
"""


def create_view(tokens: Sequence[Token]) -> Plan:
    """Plan CREATE [OR REPLACE] VIEW name [(a, b)] AS query.

    The query stands in a WITH, which keeps PostgreSQL from passing changes on to the table below:
    "You can't update, insert into, or delete from a view."
    """
    cursor = Cursor(tokens)
    cursor.expect_words("create")
    replace = cursor.skip_words("or", "replace")
    cursor.expect_words("view")
    view = cursor.table()
    names = cursor.names_in_parentheses() if cursor.peek().is_symbol("(") else []
    cursor.expect_words("as")
    query = list(cursor.rest())
    if [token.text for token in query[-4:]] == ["with", "no", "schema", "binding"]:
        raise NotSupported("CREATE VIEW … WITH NO SCHEMA BINDING")
    check_query(query)
    if query[-1].is_word("option"):
        # PostgreSQL's WITH CHECK OPTION; the page has none.
        raise StatementError(f'ERROR: syntax error at or near "{query[-1].raw}"')
    temporary = quoted_alone(view).startswith('"#')
    columns = f" ({', '.join(map(quote_name, names))})" if names else ""
    head = f"CREATE {'OR REPLACE ' if replace else ''}{'TEMP ' if temporary else ''}VIEW"
    body = f"WITH view_query AS ({rewrite(query)}) SELECT * FROM view_query"  # noqa: S608
    sql = f"{head} {view}{columns} AS {body}"
    return CreateView(view, sql, replace)


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE [OR REPLACE] VIEW; a view that is replaced keeps exactly its columns."""

    view: str
    sql: str
    replace: bool
    kind: str = "CREATE VIEW"

    def run(self, session: Session) -> Outcome:
        """Create or replace it."""
        session.take_snapshot()
        before = self._columns(session)
        outcome = session.execute(self.sql)
        if before and self._columns(session) != before:
            # PostgreSQL 8's words; the engine behind allows more columns at the end.
            raise StatementError("ERROR: cannot change number of columns in view")
        return outcome

    def _columns(self, session: Session) -> int:
        if not self.replace:
            return 0
        row = session.connection.execute(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0",
            (self.view,),
        ).fetchone()
        return int(row[0]) if row else 0


def create_materialized_view(tokens: Sequence[Token]) -> Plan:
    """Plan CREATE MATERIALIZED VIEW name [BACKUP …] [attributes] [AUTO REFRESH …] AS query."""
    cursor = Cursor(tokens)
    cursor.expect_words("create", "materialized", "view")
    view = cursor.table()
    clauses = parse_clauses(cursor)
    if cursor.skip_words("auto", "refresh") and not (
        cursor.skip_words("yes") or cursor.skip_words("no")
    ):
        raise cursor.error()
    if clauses.empty:
        clauses = parse_clauses(cursor)
    cursor.expect_words("as")
    query = list(cursor.rest())
    check_query(query)
    depth = 0
    for token in query:
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.is_word("order", "limit", "offset"):
            # The page's limitations; wording unsourced.
            raise StatementError(
                f"ERROR: a materialized view cannot have {token.raw.upper()} in its definition"
            )
    sql = f"CREATE MATERIALIZED VIEW {view} AS {rewrite(query)}"
    return CreateMaterializedView(view, sql, clauses)


@dataclass(frozen=True, slots=True)
class CreateMaterializedView:
    """CREATE MATERIALIZED VIEW. Whatever it says of AUTO REFRESH, nothing refreshes it here."""

    view: str
    sql: str
    clauses: Clauses
    kind: str = "CREATE MATERIALIZED VIEW"

    def run(self, session: Session) -> Outcome:
        """Create and fill it. Raises StatementError for sources that the page excludes."""
        session.take_snapshot()
        session.execute(self.sql)
        path = NewTable(self.view, "", temporary=False, unless_exists=False).path(session)
        made = read_table(session, path)
        unfit = session.connection.execute(_UNFIT_SOURCES, (made.oid,)).fetchone()
        if unfit:
            # Wording unsourced.
            raise StatementError(
                f'ERROR: a materialized view cannot be defined on "{unfit[0]}": it is a view, '
                "a temporary table or a system table"
            )
        columns = [
            KeyColumn(column.number, column.name, column.type_name) for column in made.columns
        ]
        attributes = attributes_of(made.name, columns, self.clauses, temporary=False)
        keep(session, made.oid, attributes)
        return Outcome()


def refresh(tokens: Sequence[Token]) -> Plan:
    """Plan REFRESH MATERIALIZED VIEW name."""
    cursor = Cursor(tokens)
    cursor.expect_words("refresh", "materialized", "view")
    view = cursor.table()
    cursor.expect_end()
    return Refresh(view)


@dataclass(frozen=True, slots=True)
class Refresh:
    """REFRESH MATERIALIZED VIEW."""

    view: str
    kind: str = "REFRESH MATERIALIZED VIEW"

    def run(self, session: Session) -> Outcome:
        """Compute it anew; not inside a block, where an incremental one sees less than a full one.

        https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-refresh-sql-command.html
        """
        if session.in_block:
            raise NotSupported("REFRESH MATERIALIZED VIEW inside a transaction block")
        session.take_snapshot()
        return session.execute(f"REFRESH MATERIALIZED VIEW {self.view}")


def alter_materialized_view(tokens: Sequence[Token]) -> Plan:
    """Plan ALTER MATERIALIZED VIEW name AUTO REFRESH {YES | NO}: read and dropped."""
    cursor = Cursor(tokens)
    cursor.expect_words("alter", "materialized", "view")
    view = cursor.table()
    if not cursor.skip_words("auto", "refresh"):
        raise NotSupported(f"ALTER MATERIALIZED VIEW … {cursor.peek().raw.upper()}")
    if not (cursor.skip_words("yes") or cursor.skip_words("no")):
        raise cursor.error()
    cursor.expect_end()
    return RunSql("ALTER MATERIALIZED VIEW", f"SELECT FROM {view} LIMIT 0")
