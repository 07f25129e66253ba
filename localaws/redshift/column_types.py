"""Redshift's column types: how they are written, what they become in PostgreSQL, their limits.

Source of names, synonyms and limits: https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import quote_name

# https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
MAX_VARCHAR = 65_535
MAX_CHAR = 4_096
DEFAULT_VARCHAR = 256
# https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html
MAX_VARBYTE = 1_024_000
DEFAULT_VARBYTE = 64_000
# https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
MAX_PRECISION = 38
MAX_SCALE = 37

_SIMPLE: dict[str, tuple[str, str]] = {
    "smallint": ("smallint", "smallint"),
    "int2": ("smallint", "smallint"),
    "integer": ("integer", "integer"),
    "int": ("integer", "integer"),
    "int4": ("integer", "integer"),
    "bigint": ("bigint", "bigint"),
    "int8": ("bigint", "bigint"),
    "real": ("real", "real"),
    "float4": ("real", "real"),
    "float": ("double precision", "double precision"),
    "float8": ("double precision", "double precision"),
    "boolean": ("boolean", "boolean"),
    "bool": ("boolean", "boolean"),
    "date": ("date", "date"),
    "datetime": ("timestamp", "timestamp"),
    "timestamptz": ("timestamptz", "timestamptz"),
    "timetz": ("timetz", "timetz"),
    "super": ("super", "super"),
}
_CHARACTERS = {"char": "char", "character": "char", "nchar": "char", "bpchar": "char",
               "varchar": "varchar", "nvarchar": "varchar", "text": "varchar"}  # fmt: skip
_BYTES = ("varbyte", "varbinary", "binary")
_REFUSED = ("geometry", "geography", "hllsketch", "interval")
_ENGINE_NAMES = {
    "character varying": "varchar", "text": "varchar", "character": "char", "bytea": "varbyte",
    "jsonb": "super", "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz", "time without time zone": "time",
    "time with time zone": "timetz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnType:
    """One type with its arguments; `length` counts bytes, as it does in Redshift."""

    name: str
    engine: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def ddl(self) -> str:
        """Redshift's spelling, as in its error messages."""
        if self.length is not None:
            return f"{self.name.upper()}({self.length})"
        if self.precision is not None:
            return f"{self.name.upper()}({self.precision}, {self.scale})"
        return self.name.upper()


def redshift_name(engine: str) -> str:
    """Return our short name of a type for the engine's, as `regtype` writes it."""
    return _ENGINE_NAMES.get(engine, engine)


def sized(name: str, length: int) -> ColumnType:
    """Return VARCHAR(n), CHAR(n) or VARBYTE(n); raises StatementError beyond Redshift's limit."""
    limit = {"varchar": MAX_VARCHAR, "char": MAX_CHAR, "varbyte": MAX_VARBYTE}[name]
    shown = {"varchar": "varchar", "char": "char", "varbyte": "varbyte"}[name]
    if length < 1:
        raise StatementError(f"ERROR: length for type {shown} must be at least 1")
    if length > limit:
        raise StatementError(f"ERROR: length for type {shown} cannot exceed {limit}")
    engine = {"varchar": f"varchar({length})", "char": f"char({length})", "varbyte": "bytea"}
    return ColumnType(name, engine[name], length=length)


def decimal(precision: int, scale: int) -> ColumnType:
    """Return DECIMAL(p, s); raises StatementError beyond Redshift's limits."""
    if not 1 <= precision <= MAX_PRECISION:
        raise StatementError(
            f"ERROR: NUMERIC precision {precision} must be between 1 and {MAX_PRECISION}"
        )
    if not 0 <= scale <= min(precision, MAX_SCALE):
        raise StatementError(
            f"ERROR: NUMERIC scale {scale} must be between 0 and precision {precision}"
        )
    return ColumnType("numeric", f"numeric({precision},{scale})", precision=precision, scale=scale)


def parse_type(cursor: Cursor) -> ColumnType:
    """Take one type. Raises StatementError for a type Redshift has not or a limit it enforces."""
    token = cursor.take()
    word = token.text
    if token.kind != "word" or word in _REFUSED:
        raise NotSupported(f"the type {token.raw}")
    if word == "double":
        cursor.expect_words("precision")
        return ColumnType("double precision", "double precision")
    if word in ("decimal", "numeric"):
        return decimal(*_arguments(cursor, 2, (18, 0)))
    if word in ("timestamp", "time"):
        with_zone = cursor.skip_words("with", "time", "zone")
        if not with_zone:
            cursor.skip_words("without", "time", "zone")
        name = word + ("tz" if with_zone else "")
        return ColumnType(name, name)
    if word in _CHARACTERS:
        return _characters(cursor, word)
    if word in _BYTES:
        cursor.skip_words("varying")
        return sized("varbyte", _arguments(cursor, 1, (DEFAULT_VARBYTE,))[0])
    if word in _SIMPLE:
        return ColumnType(*_SIMPLE[word])
    raise StatementError(f'ERROR: type "{word}" does not exist')


def _characters(cursor: Cursor, word: str) -> ColumnType:
    name = _CHARACTERS[word]
    if name == "char" and word in ("character", "nchar") and cursor.skip_words("varying"):
        name = "varchar"
    if word == "text":
        # TEXT is VARCHAR(256): https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
        return sized("varchar", DEFAULT_VARCHAR)
    if cursor.peek().is_symbol("(") and cursor.peek(1).is_word("max"):
        cursor.position += 2
        cursor.expect_symbol(")")
        return sized(name, MAX_VARCHAR if name == "varchar" else MAX_CHAR)
    default = {"varchar": DEFAULT_VARCHAR, "char": 256 if word == "bpchar" else 1}[name]
    return sized(name, _arguments(cursor, 1, (default,))[0])


def _arguments(cursor: Cursor, count: int, default: tuple[int, ...]) -> tuple[int, ...]:
    if not cursor.skip_symbol("("):
        return default
    values = [cursor.number()]
    while len(values) < count and cursor.skip_symbol(","):
        values.append(cursor.number())
    cursor.expect_symbol(")")
    return (*values, *(0 for _ in range(count - len(values))))


def byte_limit(column: str, length: int) -> str:
    """Return the constraint that counts bytes where PostgreSQL counts characters.

    Its name carries the limit, so that the error can say it. CHAR(n) is padded to n characters, so
    the same check refuses characters of more than one byte, which CHAR cannot hold in Redshift:
    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    """
    name = f"bytes_{length}_{uuid.uuid4().hex[:12]}"
    return f"CONSTRAINT {name} CHECK (octet_length({quote_name(column)}) <= {length})"
