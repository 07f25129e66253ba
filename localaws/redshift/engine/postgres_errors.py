"""Say in Redshift's words what PostgreSQL said in its own."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg

from localaws.redshift.errors import detailed

_Words = Callable[[re.Match[str]], str]

_NOT_A_NUMBER = re.compile(
    r'invalid input syntax for type (smallint|integer|bigint|numeric): "(.*)"', re.DOTALL
)
# What the catalogue's functions are called where the engine has one of that name.
_OUR_PREFIX = re.compile(r"\bredshift_(?=\w+\()")
_BYTE_LIMIT = re.compile(r"bytes_(\d+)_")

# SQLSTATE -> (pattern of PostgreSQL's message, Redshift's). Shapes without an address: unsourced.
_MESSAGES: dict[str, list[tuple[re.Pattern[str], _Words]]] = {
    # https://github.com/awslabs/amazon-redshift-utils/pull/123
    "22012": [(re.compile(r".*"), lambda _: "ERROR: Divide by zero")],
    # https://github.com/awslabs/amazon-redshift-utils/issues/716
    "22001": [
        (
            re.compile(r"value too long for type (.*)"),
            lambda m: _too_long(m.group(1)),
        )
    ],
    # https://github.com/dlt-hub/dlt looks for this text;
    # https://github.com/trinodb/trino (TestRedshiftConnectorTest) for this one with the column
    "23502": [
        (
            re.compile(r'null value in column "(.*?)" .*'),
            lambda m: f"ERROR: Cannot insert a NULL value into column {m.group(1)}",
        ),
        (
            re.compile(r'column "(.*?)" of relation ".*" contains null values'),
            lambda m: f"ERROR: column \"{m.group(1)}\" contains null values",
        ),
    ],
    "22003": [
        (
            re.compile(r"(smallint|integer|bigint) out of range"),
            lambda m: f"ERROR: Overflow for type {m.group(1)}: value out of range",
        ),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
        (
            re.compile(r"numeric field overflow"),
            lambda _: "ERROR: Numeric data overflow (result precision)",
        ),
    ],
    "22P02": [
        (
            re.compile(r'invalid input syntax for type (\w+): (".*")', re.DOTALL),
            lambda m: f"ERROR: invalid input syntax for type {_type(m.group(1))}: {m.group(2)}",
        )
    ],
    "22021": [
        (
            re.compile(r'invalid byte sequence for encoding "UTF8": (.*)'),
            lambda m: "ERROR: String contains invalid or unsupported UTF8 codepoints. "
            f"Bad UTF8 hex sequence: {m.group(1).replace('0x', '').strip()} (error 4)",
        )
    ],
    # A path into what is no SUPER value; unsourced
    "42883": [
        (
            re.compile(r"function super_(?:get|items|items_at|attributes)\((.*?)(?:, .*)?\) .*"),
            lambda m: f"ERROR: cannot navigate into a value of type {m.group(1)}",
        )
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    "21000": [(re.compile(r"MERGE command cannot affect row a second time"),
               lambda _: "ERROR: Found multiple matches to update the same tuple.")],
    # https://github.com/trinodb/trino/issues/793
    "25006": [(re.compile(r".*"), lambda _: "ERROR: transaction is read-only")],
    # https://github.com/knex/knex (test/integration) has the words; that an UPDATE gets them too is
    # unsourced
    "428C9": [
        (
            re.compile(r"cannot insert a non-DEFAULT value into column .*"),
            lambda _: "ERROR: cannot set an identity column to a value",
        ),
        (
            re.compile(r'column ".*" can only be updated to DEFAULT'),
            lambda _: "ERROR: cannot set an identity column to a value",
        ),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_VIEW.html ; a column's is PostgreSQL 8's
    "2BP01": [
        (
            re.compile(r"cannot drop column (.*) of table (.*) because other objects depend on it"),
            lambda m: depends(f"table {m.group(2)} column {m.group(1)}"),
        ),
        (
            re.compile(r"cannot drop (.*) because other objects depend on it"),
            lambda m: depends(m.group(1)),
        ),
    ],
    # A view cannot be changed: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html ;
    # the words are PostgreSQL 8's
    "55000": [
        (
            re.compile(r'cannot (insert into|update|delete from) view ".*"'),
            lambda m: f"ERROR: cannot {m.group(1)} a view",
        )
    ],
    "42P07": [(re.compile(r'relation "(.*)" already exists'),
               lambda m: f'ERROR: Relation "{m.group(1)}" already exists')],
    "42P06": [(re.compile(r'schema "(.*)" already exists'),
               lambda m: f'ERROR: Schema "{m.group(1)}" already exists')],
}  # fmt: skip

SERIALIZATION_FAILURES = ("40001",)


# https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
RELATION_GONE = "ERROR: 1018 DETAIL: Relation does not exist."


def isolation_violation(*, pid: int) -> str:
    """Return the text of error 1023; which tables and transactions it was is left out.

    https://github.com/uswitch/blueshift/issues/11
    https://github.com/snowplow/snowplow-rdb-loader/issues/557
    """
    return (
        "ERROR: 1023 Detail: Serializable isolation violation on table - 0, "
        f"transactions forming the cycle are: 0, 0 (pid:{pid})"
    )


def in_redshift_words(error: psycopg.Error, *, pid: int) -> str:
    """Return the text of an Error field for what the engine raised."""
    state = error.sqlstate or ""
    message = (error.diag.message_primary or str(error)).strip()
    if state in SERIALIZATION_FAILURES:
        return isolation_violation(pid=pid)
    limit = _BYTE_LIMIT.match(error.diag.constraint_name or "")
    if state == "23514" and limit:
        return _too_long(f"character varying({limit.group(1)})")
    if state == "23505" and (error.diag.table_name or "").startswith("pg_"):
        # Two sessions created the same thing at once; only the engine's catalogue has unique keys.
        name = (error.diag.message_detail or "").rpartition("=(")[2].split(",")[0].split(")")[0]
        return f'ERROR: Relation "{name}" already exists'
    digits = _NOT_A_NUMBER.fullmatch(message) if state == "22P02" else None
    if digits and not error.diag.statement_position:
        return _invalid_digit(digits.group(1), digits.group(2))
    for pattern, words in _MESSAGES.get(state, []):
        match = pattern.fullmatch(message)
        if match:
            return words(match)
    message = _OUR_PREFIX.sub("", message)
    return f"ERROR: {message.replace('jsonb', 'super').replace('bytea', 'varbyte')}"


def _invalid_digit(engine_type: str, value: str) -> str:
    """Return the error for a text that is no number, as the nodes that read tables tell it.

    https://github.com/OHDSI/SqlRender/issues/276 has it for Integer, the other names are unsourced.
    A literal is read by the leader, in PostgreSQL's words.
    """
    place = next(
        (at for at, sign in enumerate(value) if not (sign.isdigit() or (at == 0 and sign in "+-"))),
        0,
    )
    named = {"smallint": "Short", "integer": "Integer", "bigint": "Long", "numeric": "Decimal"}
    headline = (
        f"Invalid digit, Value '{value[place : place + 1]}', Pos {place}, "
        f"Type: {named[engine_type]}"
    )
    return detailed(headline, 1207, value, ":0")


def depends(what: str) -> str:
    """Return the refusal to drop what others need."""
    return (
        f"ERROR: cannot drop {what} because other objects depend on it\n"
        "  Hint: Use DROP ... CASCADE to drop the dependent objects too."
    )


def _too_long(column_type: str) -> str:
    return detailed(
        "Value too long for character type",
        8001,
        f"Value too long for type {column_type}",
        "string.cpp:213",
    )


def _type(name: str) -> str:
    return {"json": "super", "jsonb": "super", "bytea": "varbyte"}.get(name, name)
