"""CREATE, ALTER, DROP and COMMENT, made ready for the engine.

What Redshift stores differently (encodings, distribution and sort keys) is read, checked for
syntax and left out. Keys are informational, so they are left out too, but the columns of a primary
key become NOT NULL: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.column_types import ColumnType, byte_limit, parse_type
from localaws.redshift.cursor import Cursor
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions import RESERVED_HERE_ONLY, rewrite
from localaws.redshift.lexer import Token, quote_name
from localaws.redshift.plans import Plan, RunSql
from localaws.redshift.statements import Kind
from localaws.redshift.table_plans import CreateTableAs, GrowVarchar

_TABLE_ATTRIBUTES = (
    "diststyle",
    "distkey",
    "sortkey",
    "compound",
    "interleaved",
    "encode",
    "backup",
)
_CONSTRAINTS = ("primary", "unique", "foreign", "constraint")


def create_table(tokens: Sequence[Token]) -> Plan:
    """Plan CREATE [TEMP] TABLE with columns, LIKE or AS."""
    cursor = Cursor(tokens)
    cursor.expect_words("create")
    temporary = cursor.skip_words("temp") or cursor.skip_words("temporary")
    cursor.expect_words("table")
    unless = "IF NOT EXISTS " if cursor.skip_words("if", "not", "exists") else ""
    table = cursor.table()
    head = f"CREATE {'TEMP ' if temporary else ''}TABLE {unless}{table}"
    if not cursor.peek().is_symbol("("):
        return _create_as(cursor, head, table, temporary)
    if cursor.peek(1).is_word("like"):
        return _create_like(cursor, head)
    cursor.expect_symbol("(")
    columns: list[tuple[str, str, bool]] = []
    keys: set[str] = set()
    while True:
        if cursor.peek().is_word(*_CONSTRAINTS):
            keys.update(_table_constraint(cursor))
        elif cursor.peek().is_word("like"):
            raise NotSupported("LIKE beside columns")
        else:
            columns.append(_column(cursor))
        if not cursor.skip_symbol(","):
            break
    cursor.expect_symbol(")")
    _table_attributes(cursor)
    cursor.expect_end()
    for key in keys - {name for name, _, _ in columns}:
        raise StatementError(f'ERROR: column "{key}" named in key does not exist')
    body = ", ".join(
        definition + (" NOT NULL" if not_null or name in keys else "")
        for name, definition, not_null in columns
    )
    return RunSql("CREATE TABLE", f"{head} ({body})")


def create_schema(tokens: Sequence[Token]) -> Plan:
    """Plan CREATE SCHEMA [IF NOT EXISTS] name."""
    cursor = Cursor(tokens)
    cursor.expect_words("create", "schema")
    unless = "IF NOT EXISTS " if cursor.skip_words("if", "not", "exists") else ""
    name = cursor.name()
    if not cursor.done:
        raise NotSupported(f"CREATE SCHEMA … {cursor.peek().raw.upper()}")
    return RunSql("CREATE SCHEMA", f"CREATE SCHEMA {unless}{quote_name(name)}")


def drop_table(tokens: Sequence[Token]) -> Plan:
    """Plan DROP TABLE [IF EXISTS] a, b [CASCADE | RESTRICT]."""
    cursor = Cursor(tokens)
    cursor.expect_words("drop", "table")
    unless = "IF EXISTS " if cursor.skip_words("if", "exists") else ""
    tables = [cursor.table()]
    while cursor.skip_symbol(","):
        tables.append(cursor.table())
    behaviour = " CASCADE" if cursor.skip_words("cascade") else ""
    cursor.skip_words("restrict")
    cursor.expect_end()
    return RunSql("DROP TABLE", f"DROP TABLE {unless}{', '.join(tables)}{behaviour}")


def alter_table(tokens: Sequence[Token]) -> Plan:
    """Plan one change of a table: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html"""
    cursor = Cursor(tokens)
    cursor.expect_words("alter", "table")
    table = cursor.table()
    if cursor.skip_words("add"):
        return _add_column(cursor, table)
    if cursor.skip_words("alter"):
        return _alter_column(cursor, table)
    if cursor.skip_words("rename", "to"):
        change = f"RENAME TO {quote_name(_new_name(cursor))}"
    elif cursor.skip_words("rename"):
        cursor.skip_words("column")
        old = cursor.name()
        cursor.expect_words("to")
        change = f"RENAME COLUMN {quote_name(old)} TO {quote_name(_new_name(cursor))}"
    elif cursor.skip_words("drop"):
        cursor.skip_words("column")
        change = f"DROP COLUMN {quote_name(cursor.name())}"
        change += " CASCADE" if cursor.skip_words("cascade") else ""
        cursor.skip_words("restrict")
    else:
        raise NotSupported(f"ALTER TABLE … {cursor.peek().raw.upper()}")
    cursor.expect_end()
    return RunSql("ALTER TABLE", f"ALTER TABLE {table} {change}")


def comment(tokens: Sequence[Token]) -> Plan:
    """Plan COMMENT ON TABLE or COLUMN."""
    cursor = Cursor(tokens)
    cursor.expect_words("comment", "on")
    what = cursor.take()
    if not what.is_word("table", "column"):
        raise NotSupported(f"COMMENT ON {what.raw.upper()}")
    target = cursor.table()
    cursor.expect_words("is")
    text = cursor.take()
    cursor.expect_end()
    return RunSql(
        "COMMENT", f"COMMENT ON {what.text} {target} IS {text.sql()}", takes_snapshot=False
    )


def _create_as(cursor: Cursor, head: str, table: str, temporary: bool) -> Plan:
    _table_attributes(cursor)
    cursor.expect_words("as")
    query = cursor.rest()
    if not (query and (query[0].is_word("select", "with") or query[0].is_symbol("("))):
        raise NotSupported("CREATE TABLE AS of anything but a query")
    return CreateTableAs(table, f"{head} AS {rewrite(query)}", temporary)


def _create_like(cursor: Cursor, head: str) -> Plan:
    cursor.expect_symbol("(")
    cursor.expect_words("like")
    model = cursor.table()
    options = "INCLUDING CONSTRAINTS"
    if cursor.skip_words("including", "defaults"):
        options += " INCLUDING DEFAULTS"
    cursor.skip_words("excluding", "defaults")
    cursor.expect_symbol(")")
    _table_attributes(cursor)
    cursor.expect_end()
    return RunSql("CREATE TABLE", f"{head} (LIKE {model} {options})")


def _column(cursor: Cursor) -> tuple[str, str, bool]:
    """Take one column; return its name, its definition and whether it is NOT NULL."""
    name = _new_name(cursor)
    column_type = parse_type(cursor)
    not_null, default = False, ""
    while not (cursor.done or cursor.peek().text in (",", ")")):
        if cursor.skip_words("not", "null"):
            not_null = True
        elif cursor.skip_words("null"):
            pass
        elif cursor.skip_words("primary", "key"):
            not_null = True
        elif cursor.skip_words("default"):
            default = f" DEFAULT {rewrite(_default(cursor))}"
        elif cursor.skip_words("encode"):
            cursor.name()
        elif cursor.peek().is_word("distkey", "sortkey", "unique"):
            _key_attribute(cursor, column_type)
        elif cursor.peek().is_word("identity", "generated", "references", "collate"):
            raise NotSupported(f"the column attribute {cursor.peek().raw.upper()}")
        else:
            raise cursor.error()
    return name, _definition(name, column_type) + default, not_null


def _definition(name: str, column_type: ColumnType) -> str:
    sql = f"{quote_name(name)} {column_type.engine}"
    if column_type.length is not None:
        sql += " " + byte_limit(name, column_type.length)
    return sql


def _default(cursor: Cursor) -> list[Token]:
    taken: list[Token] = [cursor.take()]
    stops = ("not", "null", "encode", "distkey", "sortkey", "primary", "unique", "references")
    return taken + cursor.balanced(",", *stops)


def _key_attribute(cursor: Cursor, column_type: ColumnType) -> None:
    word = cursor.take()
    if column_type.name == "super" and not word.is_word("unique"):
        # https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html ; wording unsourced
        raise StatementError(f"ERROR: SUPER column cannot be a {word.text}")


def _table_constraint(cursor: Cursor) -> list[str]:
    if cursor.skip_words("constraint"):
        cursor.name()
    if cursor.skip_words("primary", "key"):
        return cursor.names_in_parentheses()
    if cursor.skip_words("unique"):
        cursor.names_in_parentheses()
        return []
    raise NotSupported(f"the table constraint {cursor.peek().raw.upper()}")


def _table_attributes(cursor: Cursor) -> None:
    while cursor.peek().is_word(*_TABLE_ATTRIBUTES):
        word = cursor.take()
        if word.is_word("diststyle"):
            if not cursor.peek().is_word("auto", "even", "key", "all"):
                raise cursor.error()
            cursor.take()
        elif word.is_word("backup"):
            cursor.name()
        elif word.is_word("compound", "interleaved"):
            cursor.expect_words("sortkey")
            cursor.names_in_parentheses()
        elif not cursor.skip_words("auto"):
            cursor.names_in_parentheses()


def _add_column(cursor: Cursor, table: str) -> Plan:
    cursor.skip_words("column")
    if cursor.peek().is_word(*_CONSTRAINTS):
        raise NotSupported("ALTER TABLE … ADD CONSTRAINT")
    start = cursor.position
    name, definition, not_null = _column(cursor)
    if cursor.peek().is_symbol(","):
        # One column a statement: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
        raise cursor.error()
    cursor.expect_end()
    words = cursor.words_since(start)
    for refused in ("primary", "unique", "distkey", "sortkey"):
        if refused in words:
            # The same page; wording unsourced.
            raise StatementError(
                f"ERROR: ALTER TABLE ADD COLUMN cannot make {name} a {refused} column"
            )
    if not_null and "default" not in words:
        raise StatementError(
            "ERROR: ALTER TABLE ADD COLUMN defined as NOT NULL "
            "must have a non-null default expression"
        )
    return RunSql(
        "ALTER TABLE",
        f"ALTER TABLE {table} ADD COLUMN {definition}{' NOT NULL' if not_null else ''}",
    )


def _alter_column(cursor: Cursor, table: str) -> Plan:
    cursor.skip_words("column")
    name = cursor.name()
    if cursor.peek().is_word("set", "drop"):
        # https://github.com/jazzband/django-redshift-backend/issues/96
        raise StatementError("ERROR: ALTER COLUMN SET/DROP DEFAULT is not supported")
    if cursor.skip_words("encode"):
        raise NotSupported("ALTER TABLE … ALTER COLUMN … ENCODE")
    cursor.expect_words("type")
    wanted = parse_type(cursor)
    if cursor.peek().is_word("using"):
        # https://github.com/dbeaver/dbeaver/issues/9449
        raise StatementError("ERROR: ALTER COLUMN TYPE does not support USING expression")
    cursor.expect_end()
    if wanted.name != "varchar" or wanted.length is None:
        # Only VARCHAR sizes change: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
        raise StatementError(f'ERROR: cannot alter type of column "{name}" to {wanted.ddl}')
    return GrowVarchar(table, name, wanted.length)


def _new_name(cursor: Cursor) -> str:
    token = cursor.peek()
    if token.kind == "word" and token.text in RESERVED_HERE_ONLY:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
        raise cursor.error()
    return cursor.name()


KINDS = (
    Kind(
        "CREATE TABLE",
        (("create", "table"), ("create", "temp", "table"), ("create", "temporary", "table")),
        "columns, LIKE or AS; keys are informational; ENCODE, DISTKEY, SORTKEY, DISTSTYLE",
        create_table,
    ),
    Kind("CREATE SCHEMA", (("create", "schema"),), "IF NOT EXISTS", create_schema),
    Kind("DROP TABLE", (("drop", "table"),), "IF EXISTS, CASCADE, RESTRICT", drop_table),
    Kind(
        "ALTER TABLE",
        (("alter", "table"),),
        "ADD COLUMN (one), DROP COLUMN, RENAME TO, RENAME COLUMN, ALTER COLUMN TYPE VARCHAR(n) "
        "(not in a batch)",
        alter_table,
    ),
    Kind("COMMENT", (("comment", "on"),), "ON TABLE, ON COLUMN", comment),
)
