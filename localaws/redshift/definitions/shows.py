"""SHOW DATABASES, SCHEMAS, TABLES, COLUMNS, TABLE and VIEW.

https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLES.html and its sisters
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.definitions.attributes import Table, read_table
from localaws.redshift.definitions.new_tables import quoted_alone
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name, quote_string
from localaws.redshift.sql.plans import RunSql
from localaws.redshift.sql.reserved_words import RESERVED

_MOST_ROWS = 10_000
_DATABASES = """
SELECT database_name, database_owner, database_type, database_acl,
       database_options AS parameters, database_isolation_level
  FROM svv_redshift_databases WHERE database_name LIKE {pattern} ORDER BY 1 LIMIT {limit}
"""
_SCHEMAS = """
SELECT * FROM svv_all_schemas WHERE schema_name LIKE {pattern} ORDER BY schema_name LIMIT {limit}
"""
_TABLES = """
SELECT t.*, 'rdsdb'::varchar(128) AS owner, NULL::timestamp AS last_altered_time,
       NULL::timestamp AS last_modified_time, NULL::varchar(128) AS dist_style,
       CASE t.table_type WHEN 'VIEW' THEN 'REGULAR VIEW' ELSE 'REGULAR TABLE' END::varchar(128)
         AS table_subtype
  FROM svv_all_tables t
 WHERE schema_name = {schema} AND table_name LIKE {pattern} ORDER BY table_name LIMIT {limit}
"""
# The names of the last five are those of the page's text; their spelling is unsourced.
_COLUMNS = """
SELECT a.*, CASE WHEN r.sortkey < 0 THEN 'INTERLEAVED' WHEN r.sortkey > 0 THEN 'COMPOUND' END
         ::varchar(128) AS sort_key_type,
       r.sortkey AS sort_key_order, r.distkey::integer AS dist_key, r.encoding,
       NULL::varchar(128) AS collation
  FROM svv_all_columns a
  JOIN svv_redshift_columns r USING (schema_name, table_name, column_name)
 WHERE schema_name = {schema} AND table_name = {table} AND column_name LIKE {pattern}
 ORDER BY a.ordinal_position LIMIT {limit}
"""
_DEFINITION = """
SELECT quote_ident(column_name), redshift_type(type, modifier), length, not_null, column_default,
       encoding, distkey, number::integer
  FROM localaws.columns() WHERE relation = %s::oid ORDER BY number
"""
_WRAPPED = re.compile(
    r"\s*WITH view_query AS \(\n(.*)\n\s*\)\s*SELECT (.*)\s+FROM view_query;", re.DOTALL
)
_IDENTITY = re.compile(r"(default_)?\"?identity\"?\(.*'(-?\d+),(-?\d+)'::text\)")
_KEYS = {"p": "PRIMARY KEY", "u": "UNIQUE", "f": "FOREIGN KEY"}


def show_databases(tokens: Sequence[Token]) -> Plan:
    """Plan SHOW DATABASES [LIKE 'pattern'] [LIMIT n]: the connected one."""
    cursor = Cursor(tokens)
    cursor.expect_words("show", "databases")
    if cursor.peek().is_word("from"):
        raise NotSupported("SHOW DATABASES FROM DATA CATALOG")
    return RunSql("SHOW DATABASES", _DATABASES.format(**_filters(cursor)), takes_snapshot=False)


def show_schemas(tokens: Sequence[Token]) -> Plan:
    """Plan SHOW SCHEMAS FROM DATABASE name [LIKE 'pattern'] [LIMIT n]."""
    cursor = Cursor(tokens)
    cursor.expect_words("show", "schemas", "from", "database")
    database = cursor.name()
    return ShowList("SHOW SCHEMAS", database, None, None, _SCHEMAS.format(**_filters(cursor)))


def show_tables(tokens: Sequence[Token]) -> Plan:
    """Plan SHOW TABLES FROM SCHEMA [database.]schema [LIKE 'pattern'] [LIMIT n]."""
    cursor = Cursor(tokens)
    cursor.expect_words("show", "tables", "from", "schema")
    *database, schema = _path(cursor, 2)
    sql = _TABLES.format(schema=quote_string(schema), **_filters(cursor))
    return ShowList("SHOW TABLES", database[0] if database else None, schema, None, sql)


def show_columns(tokens: Sequence[Token]) -> Plan:
    """Plan SHOW COLUMNS FROM TABLE [database.]schema.table [LIKE 'pattern'] [LIMIT n]."""
    cursor = Cursor(tokens)
    cursor.expect_words("show", "columns", "from", "table")
    path = _path(cursor, 3)
    if len(path) < 2:
        raise cursor.error()
    *database, schema, table = path
    sql = _COLUMNS.format(
        schema=quote_string(schema), table=quote_string(table), **_filters(cursor)
    )
    return ShowList("SHOW COLUMNS", database[0] if database else None, schema, table, sql)


def _path(cursor: Cursor, most: int) -> list[str]:
    names = [cursor.name()]
    while len(names) < most and cursor.skip_symbol("."):
        names.append(cursor.name())
    return names


def _filters(cursor: Cursor) -> dict[str, str]:
    pattern = cursor.string() if cursor.skip_words("like") else "%"
    limit = cursor.number() if cursor.skip_words("limit") else _MOST_ROWS
    if limit > _MOST_ROWS:
        # "The row_limit can be 0 to 10,000" (the page); wording unsourced.
        raise StatementError(f"ERROR: the LIMIT of a SHOW can be {_MOST_ROWS} at most")
    cursor.expect_end()
    return {"pattern": quote_string(pattern), "limit": str(limit)}


@dataclass(frozen=True, slots=True)
class ShowList:
    """A SHOW that lists what is in a database, a schema or a table."""

    kind: str
    database: str | None
    schema: str | None
    table: str | None
    sql: str

    def run(self, session: Session) -> Outcome:
        """List it. Raises StatementError for what is not there."""
        session.take_snapshot()
        connection = session.connection
        if self.database is not None:
            row = connection.execute("SELECT redshift_database() = %s", (self.database,)).fetchone()
            if row and not row[0]:
                raise NotSupported(f"{self.kind} of another database than the current one")
        if self.table is not None and self.schema is not None:
            read_table(session, f"{quote_name(self.schema)}.{quote_name(self.table)}")
        elif self.schema is not None:
            connection.execute("SELECT %s::regnamespace", (quote_name(self.schema),))
        return session.execute(self.sql)


def show_table(tokens: Sequence[Token]) -> Plan:
    """Plan SHOW TABLE [schema.]table."""
    cursor = Cursor(tokens)
    cursor.expect_words("show", "table")
    table = cursor.table()
    cursor.expect_end()
    return ShowDefinition("SHOW TABLE", table, "r")


def show_view(tokens: Sequence[Token]) -> Plan:
    """Plan SHOW VIEW [schema.]view."""
    cursor = Cursor(tokens)
    cursor.expect_words("show", "view")
    view = cursor.table()
    cursor.expect_end()
    return ShowDefinition("SHOW VIEW", view, "v")


@dataclass(frozen=True, slots=True)
class ShowDefinition:
    """The statement that would make a table (r), or the query of a view (v)."""

    kind: str
    relation: str
    what: str

    def run(self, session: Session) -> Outcome:
        """Write it. Raises StatementError if it is something else."""
        session.take_snapshot()
        found = read_table(session, self.relation)
        if (found.kind == "r") != (self.what == "r"):
            # PostgreSQL's words.
            name = quoted_alone(self.relation)
            raise StatementError(
                f"ERROR: {name} is not a {'table' if self.what == 'r' else 'view'}"
            )
        if self.what == "r":
            text, label = _definition(session, found), "Show Table DDL statement"
        else:
            row = session.connection.execute(
                "SELECT pg_get_viewdef(%s::oid, true)", (found.oid,)
            ).fetchone()
            text, label = _view_query(row[0] if row else ""), "Show View DDL statement"
        return session.execute(f"SELECT {quote_string(text)} AS {quote_name(label)}")


def _definition(session: Session, table: Table) -> str:
    """Write CREATE TABLE: https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLE.html"""
    rows = session.connection.execute(_DEFINITION, (table.oid,)).fetchall()
    names = {row[7]: _name(row[0]) for row in rows}
    attributes = table.attributes
    lines: list[str] = []
    for _, type_name, length, not_null, default, encoding, distkey, number in rows:
        size = f"({length})" if type_name == "binary varying" and length else ""
        parts = [names[number], f"{type_name}{size}"]
        parts += ["NOT NULL"] if not_null else []
        parts += [_default(default)] if default is not None else []
        parts += [f"ENCODE {'raw' if encoding == 'none' else encoding}"]
        parts += ["distkey"] if distkey else []
        lines.append(" ".join(parts))
    for key in attributes.keys:
        columns = ", ".join(names[number] for number in key.columns)
        line = f"{_KEYS[key.kind]} ({columns})"
        if key.kind == "f":
            row = session.connection.execute(
                "SELECT %s::oid::regclass::text, ARRAY(SELECT quote_ident(attname) FROM "
                "pg_attribute JOIN unnest(%s::integer[]) WITH ORDINALITY AS u (number, place) "
                "ON attnum = number WHERE attrelid = %s::oid ORDER BY place)",
                (key.references, list(key.referenced), key.references),
            ).fetchone()
            assert row is not None
            line += f" REFERENCES {row[0]} ({', '.join(row[1])})"
        lines.append(line)
    tail = f"DISTSTYLE {attributes.diststyle.upper()}"
    if attributes.sortkey:
        style = "INTERLEAVED " if attributes.sortstyle == "interleaved" else ""
        columns = ", ".join(names[number] for number in attributes.sortkey)
        tail += f" {style}SORTKEY ( {columns} )"
    body = ",\n    ".join(lines)
    path = session.connection.execute(
        "SELECT quote_ident(%s), quote_ident(%s)", (table.schema, table.name)
    ).fetchone()
    schema, name = map(_name, path or ())
    return f"CREATE TABLE {schema}.{name} (\n    {body}\n)\n{tail};"


def _default(expression: str) -> str:
    identity = _IDENTITY.fullmatch(expression)
    if identity is None:
        return f"DEFAULT {expression}"
    words = "GENERATED BY DEFAULT AS IDENTITY" if identity[1] else "IDENTITY"
    return f"{words}({identity[2]}, {identity[3]})"


def _name(name: str) -> str:
    """Quote, too, what is reserved in Redshift and not in the engine."""
    return quote_name(name) if name in RESERVED else name


def _view_query(text: str) -> str:
    """Return a view's query without the WITH around it, unless that one gives the names."""
    match = _WRAPPED.fullmatch(text)
    if match is None or " AS " in match.group(2):
        return text
    return textwrap.dedent(match.group(1)) + ";"
