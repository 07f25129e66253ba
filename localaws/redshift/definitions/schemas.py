"""CREATE, ALTER and DROP SCHEMA.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_SCHEMA.html
https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_SCHEMA.html
https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_SCHEMA.html
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.definitions.columns import new_name
from localaws.redshift.engine.session import Plan
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.plans import RunSql

# The stand-in's own, which no client can see.
_OURS = "localaws"


def create_schema(tokens: Sequence[Token]) -> Plan:
    """Plan CREATE SCHEMA [IF NOT EXISTS] name [AUTHORIZATION user]; owners mean nothing here."""
    cursor = Cursor(tokens)
    cursor.expect_words("create", "schema")
    unless = "IF NOT EXISTS " if cursor.skip_words("if", "not", "exists") else ""
    if cursor.skip_words("authorization"):
        name = cursor.name()
    else:
        name = new_name(cursor)
        if cursor.skip_words("authorization"):
            cursor.name()
    if not cursor.done:
        raise NotSupported(f"CREATE SCHEMA … {cursor.peek().raw.upper()}")
    if name == _OURS:
        raise NotSupported(f"a schema named {_OURS}")
    return RunSql("CREATE SCHEMA", f"CREATE SCHEMA {unless}{quote_name(name)}")


def alter_schema(tokens: Sequence[Token]) -> Plan:
    """Plan ALTER SCHEMA name RENAME TO new."""
    cursor = Cursor(tokens)
    cursor.expect_words("alter", "schema")
    name = _visible(cursor.name())
    if not cursor.skip_words("rename", "to"):
        raise NotSupported(f"ALTER SCHEMA … {cursor.peek().raw.upper()}")
    new = new_name(cursor)
    cursor.expect_end()
    sql = f"ALTER SCHEMA {quote_name(name)} RENAME TO {quote_name(new)}"
    return RunSql("ALTER SCHEMA", sql)


def drop_schema(tokens: Sequence[Token]) -> Plan:
    """Plan DROP SCHEMA [IF EXISTS] a, b [CASCADE | RESTRICT]."""
    cursor = Cursor(tokens)
    cursor.expect_words("drop", "schema")
    unless = "IF EXISTS " if cursor.skip_words("if", "exists") else ""
    names = [_visible(cursor.name())]
    while cursor.skip_symbol(","):
        names.append(_visible(cursor.name()))
    if cursor.peek().is_word("drop"):
        raise NotSupported("DROP SCHEMA … DROP EXTERNAL DATABASE")
    cascade = " CASCADE" if cursor.skip_words("cascade") else ""
    if not cascade:
        cursor.skip_words("restrict")
    cursor.expect_end()
    quoted = ", ".join(map(quote_name, names))
    return RunSql("DROP SCHEMA", f"DROP SCHEMA {unless}{quoted}{cascade}")


def _visible(name: str) -> str:
    if name == _OURS:
        raise StatementError(f'ERROR: schema "{name}" does not exist')
    return name
