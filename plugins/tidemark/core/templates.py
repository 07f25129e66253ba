"""Render `include/sql` into statements. Pure: text and values in, named statements out.

A template file holds queries, each under a line ``-- name: <name>``. Values reach SQL only through
the filters ``identifier``, ``identifiers``, ``literal``, ``literals``, ``type``, ``staged_type``,
``from_stage`` and ``predicate``, which write for the dialect.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tidemark.core.source.column_types import VARBYTE_BYTES, Column
from tidemark.core.source.predicates import Token, parse_predicate

Dialect = Literal["mysql", "redshift", "postgres"]

SQL_FOLDER = Path(__file__).parents[3] / "include" / "sql"

_QUOTE: dict[Dialect, str] = {"mysql": "`", "redshift": '"', "postgres": '"'}
_NAME_LINE = re.compile(r"^-- name: (\w+)$", flags=re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$\n?", flags=re.MULTILINE)


def render(template: str, dialect: Dialect, /, **values: object) -> dict[str, str]:
    """Return the statements of `include/sql/<template>`, by name, in the file's order.

    Raises `jinja2.UndefinedError` for a value that the template needs and did not get. Comment
    lines explain the file to people and are not sent; a query that renders to nothing is left out.
    """
    text = _environment(dialect).get_template(template).render(**values)
    parts = _NAME_LINE.split(text)[1:]
    queries = zip(parts[::2], parts[1::2], strict=True)
    cleaned = {name: _COMMENT.sub("", body).strip().rstrip(";").rstrip() for name, body in queries}
    return {name: body for name, body in cleaned.items() if body}


@cache
def _environment(dialect: Dialect) -> Environment:
    sql = Environment(
        loader=FileSystemLoader(SQL_FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - this is SQL: the filters below quote, HTML escaping would corrupt
    )
    sql.globals["dialect"] = dialect
    sql.filters["identifier"] = lambda name: identifier(name, dialect)
    sql.filters["identifiers"] = lambda names: identifiers(names, dialect)
    sql.filters["literal"] = lambda value: literal(value, dialect)
    sql.filters["literals"] = lambda values: ", ".join(literal(v, dialect) for v in values)
    sql.filters["type"] = lambda type_: column_type(type_, dialect)
    sql.filters["staged_type"] = lambda type_: column_type(staged_type(type_), dialect)
    sql.filters["from_stage"] = lambda columns: ", ".join(from_stage(c, dialect) for c in columns)
    sql.filters["predicate"] = lambda condition: predicate(condition, dialect)
    return sql


def identifier(name: str, dialect: Dialect) -> str:
    """Quote one name. Schema and table are quoted apart, so a dot in a name stays in the name."""
    if not name or "\x00" in name:
        raise ValueError(f"not an identifier: {name!r}")
    quote = _QUOTE[dialect]
    return quote + name.replace(quote, quote * 2) + quote


def identifiers(names: Iterable[str], dialect: Dialect) -> str:
    """Quote several names, separated by commas."""
    return ", ".join(identifier(name, dialect) for name in names)


def literal(value: object, dialect: Dialect = "redshift") -> str:
    """Write one value as SQL. Datetimes are written in UTC without a zone, to the microsecond."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | Decimal():
            return str(value)
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"a datetime without a zone is no instant: {value!r}")
            return f"'{value.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')}'"
        case str():
            text = value.replace("'", "''")
            if dialect != "postgres":
                # An escape in MySQL and, as in PostgreSQL 8, in Redshift; newer PostgreSQL takes it
                # as it is, for our sessions have standard_conforming_strings on.
                text = text.replace("\\", "\\\\")
            return f"'{text}'"
    raise TypeError(f"no SQL literal for {type(value).__name__}")


def column_type(type_: str, dialect: Dialect) -> str:
    """Write a plan's column type for a target. PostgreSQL counts a VARCHAR in characters, so what
    fits in as many bytes fits; its only type for bytes has no length."""
    if dialect == "postgres" and type_ == "SUPER":
        return "JSONB"
    return "BYTEA" if dialect == "postgres" and type_.startswith("VARBYTE") else type_


def staged_type(type_: str) -> str:
    """Return the type that a column has in the stage: JSON comes as bytes, see `column_types`."""
    return f"VARBYTE({VARBYTE_BYTES})" if type_ == "SUPER" else type_


def from_stage(column: Column, dialect: Dialect) -> str:
    """Write a column of the stage as the table has it."""
    name = identifier(column.name, dialect)
    if column.redshift != "SUPER":
        return name
    if dialect == "postgres":
        return f"CAST(CONVERT_FROM({name}, 'UTF8') AS JSONB)"
    return f"JSON_PARSE({name})"


def predicate(condition: str, dialect: Dialect) -> str:
    """Write a condition of `tidemark.core.source.predicates` as SQL, in parentheses.

    Raises `ValueError` for a condition that could not be true for ever.
    """

    def written(token: Token) -> str:
        match token.kind:
            case "column":
                return identifier(token.value, dialect)
            case "text":
                return literal(token.value, dialect)
        return token.value

    # MySQL wants a function's parenthesis right beside its name.
    glued = (
        written(token) + ("" if token.kind == "function" else " ")
        for token in parse_predicate(condition)
    )
    return f"({''.join(glued).rstrip()})"
