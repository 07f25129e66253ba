"""Rewrite the inside of a statement: names, functions, casts; refuse what only PostgreSQL knows.

A function that is not in FUNCTIONS is refused by name, because PostgreSQL has many that Redshift
has not, and the same name does not always mean the same (CONCAT and AVG differ, for two).
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.column_types import parse_type
from localaws.redshift.cursor import Cursor
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.lexer import Token
from localaws.redshift.reserved_words import NEVER_IN_QUERIES
from localaws.redshift.selects import restructured

# Functions that mean the same in both as far as Redshift's reference goes, or that the catalogue
# (functions.sql) defines as Redshift does: https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html
FUNCTIONS = frozenset({
    "abs", "bool_and", "bool_or", "btrim", "cast", "ceil", "ceiling", "char_length",
    "character_length", "coalesce", "count", "current_database", "current_schema", "date",
    "date_trunc", "dense_rank", "exists", "floor", "getdate", "greatest", "grouping", "grouping_id",
    "json_parse", "lag", "lead", "least", "left", "len", "length", "lower", "lpad", "ltrim", "max",
    "md5", "min", "mod", "nullif", "nvl", "octet_length", "pg_backend_pid", "position", "power",
    "rank", "replace", "reverse", "right", "round", "row_number", "rpad", "rtrim", "sign",
    "split_part", "sqrt", "strpos", "substring", "sum", "to_char", "to_date", "to_timestamp",
    "trim", "upper",
}) | {
    # of the session's last statement: catalog/history.sql
    "pg_last_query_id",
    # of the last COPY and UNLOAD: catalog/loads.sql
    "pg_last_copy_count", "pg_last_copy_id", "pg_last_unload_count", "pg_last_unload_id",
}  # fmt: skip

# Words that may stand before "(" without being a function.
_BEFORE_PARENTHESIS = frozenset({
    "all", "and", "any", "as", "between", "by", "case", "distinct", "else", "except", "from",
    "group", "having", "ilike", "in", "intersect", "join", "like", "limit", "not", "offset", "on",
    "or", "over", "select", "set", "similar", "some", "then", "to", "union", "using", "values",
    "when", "where", "with", "within", "rollup", "cube", "sets",
    # types with arguments, met in casts
    "char", "character", "decimal", "nchar", "numeric", "nvarchar", "varbyte", "varchar", "varying",
})  # fmt: skip

# PostgreSQL's own; Redshift's reference has none of them in this place.
_FOREIGN = {
    ("returning",): "RETURNING",
    ("on", "conflict"): "ON CONFLICT",
    ("distinct", "on"): "DISTINCT ON",
    ("is", "distinct"): "IS DISTINCT FROM",
    ("is", "not", "distinct"): "IS NOT DISTINCT FROM",
    ("for", "update"): "FOR UPDATE",
    ("for", "share"): "FOR SHARE",
    ("fetch",): "FETCH FIRST",
    ("lateral",): "LATERAL",
    ("tablesample",): "TABLESAMPLE",
    ("array",): "ARRAY",
    ("collate",): "COLLATE",
    # Redshift's own, not done here yet
    ("qualify",): "QUALIFY",
    ("pivot",): "PIVOT",
    ("unpivot",): "UNPIVOT",
    ("top",): "TOP",
    ("approximate",): "APPROXIMATE",
    ("connect", "by"): "CONNECT BY",
    ("minus",): "MINUS",
}
_STARTS_OF_FOREIGN = frozenset(words[0] for words in _FOREIGN)

_RENAMED = {"grouping_id": "grouping", "nvl": "coalesce", "current_database": "redshift_database"}

# The catalogue views that show Redshift's types and hide the engine's schemas.
_CATALOGUE = {
    "columns": "svv_columns", "tables": "svv_tables", "schemata": "redshift_schemata",
    "table_constraints": "redshift_table_constraints",
    "key_column_usage": "redshift_key_column_usage",
}  # fmt: skip


def rewrite(tokens: Sequence[Token]) -> str:
    """Return PostgreSQL SQL for these tokens. Raises StatementError or NotSupported."""
    cursor = Cursor(restructured(tokens))
    written: list[str] = []
    casts: list[bool] = []
    while not cursor.done:
        token = cursor.peek()
        if token.kind == "symbol":
            cursor.take()
            if token.text in ("[", "]", "@", "#"):
                raise NotSupported(f"the operator {token.text}")
            if token.text == "(":
                casts.append(bool(written) and written[-1] == "cast")
            elif token.text == ")" and casts:
                casts.pop()
            written.append(token.text)
            if token.text == "::":
                written.append(parse_type(cursor).engine)
        elif token.is_word("as") and casts and casts[-1]:
            cursor.take()
            written += ["AS", parse_type(cursor).engine]
        elif token.kind == "word":
            written += _word(cursor, written)
        else:
            if token.kind == "name" and cursor.peek(1).is_symbol("("):
                _check_call(cursor, written)
            written.append(cursor.take().sql())
    return " ".join(written)


def _word(cursor: Cursor, written: Sequence[str]) -> list[str]:
    token = cursor.peek()
    qualified = bool(written) and written[-1] == "."
    if not qualified:
        _refuse_foreign(cursor)
        if token.text in NEVER_IN_QUERIES:
            raise cursor.error()
        if token.text == "sysdate":
            cursor.take()
            return ["redshift_sysdate()"]
        if token.text == "information_schema":
            return _information_schema(cursor)
    if cursor.peek(1).is_symbol("(") and token.text not in _BEFORE_PARENTHESIS:
        _check_call(cursor, written)
        cursor.take()
        return [_RENAMED.get(token.text, token.text)]
    if token.text == "values" and written and written[-1] == "(":
        # FROM (VALUES …) is not in https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
        raise StatementError('ERROR: syntax error at or near "values"')
    return [cursor.take().text]


def _refuse_foreign(cursor: Cursor) -> None:
    first = cursor.peek()
    if first.text not in _STARTS_OF_FOREIGN or cursor.peek(1).is_symbol("."):
        return
    for words, name in _FOREIGN.items():
        if all(cursor.peek(index).is_word(word) for index, word in enumerate(words)):
            raise NotSupported(name)


def _check_call(cursor: Cursor, written: Sequence[str]) -> None:
    name = cursor.peek().text
    if written and written[-1] == "as":
        return  # FROM (…) AS name (column, …)
    if _is_common_table_expression(cursor, written):
        return
    if name not in FUNCTIONS or (written and written[-1] == "."):
        raise NotSupported(f"the function {name.upper()}")


def _is_common_table_expression(cursor: Cursor, written: Sequence[str]) -> bool:
    """Tell whether `name (a, b) AS (` comes next, in a WITH list."""
    if not written or written[-1] not in ("with", "recursive", ","):
        return False
    ahead, depth = 1, 0
    while True:
        token = cursor.peek(ahead)
        if not token.raw:
            return False
        depth += token.is_symbol("(") - token.is_symbol(")")
        ahead += 1
        if depth == 0:
            return cursor.peek(ahead).is_word("as") and cursor.peek(ahead + 1).is_symbol("(")


def _information_schema(cursor: Cursor) -> list[str]:
    cursor.take()
    if not cursor.skip_symbol("."):
        return ["information_schema"]
    view = cursor.name()
    if view not in _CATALOGUE:
        raise NotSupported(f"information_schema.{view}")
    return [f"pg_catalog.{_CATALOGUE[view]}"]
