"""Compression encodings: which exist, which type takes which, which one a column gets unasked.

Nothing is compressed here. They are kept because ALTER TABLE's rules depend on them and because
pg_table_def shows them. https://docs.aws.amazon.com/redshift/latest/dg/c_Compression_encodings.html
"""

from __future__ import annotations

from localaws.redshift.errors import StatementError

_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_FLOATS = frozenset({"real", "double precision"})
_CHARACTERS = frozenset({"char", "varchar"})
_DATES = frozenset({"date", "timestamp", "timestamptz"})
_EXACT = _INTEGERS | {"numeric"}
_AZ64 = _EXACT | _DATES | {"time", "timetz"}

# TIME, TIMETZ and VARBYTE are not in that page's table. They stand here with the encoding that
# CREATE TABLE's page gives them by default; any other for them is unsourced, so refused.
_TYPES: dict[str, frozenset[str]] = {
    "az64": _AZ64,
    "bytedict": _EXACT | _FLOATS | _CHARACTERS | _DATES,
    "delta": _EXACT | {"date", "timestamp"},
    "delta32k": frozenset({"integer", "bigint", "numeric", "date", "timestamp"}),
    "lzo": _EXACT | _CHARACTERS | _DATES | {"super", "varbyte"},
    "mostly8": _EXACT,
    "mostly16": frozenset({"integer", "bigint", "numeric"}),
    "mostly32": frozenset({"bigint", "numeric"}),
    "runlength": _EXACT | _FLOATS | _CHARACTERS | _DATES | {"boolean"},
    "text255": frozenset({"varchar"}),
    "text32k": frozenset({"varchar"}),
    "zstd": _EXACT | _FLOATS | _CHARACTERS | _DATES | {"boolean", "super"},
}
RAW = "raw"
# "DECIMAL/NUMERIC (64-bit)": https://docs.aws.amazon.com/redshift/latest/dg/c_MostlyN_encoding.html
_MOSTLY_PRECISION = 19


def check_encoding(encoding: str, column: str, type_name: str, precision: int | None) -> str:
    """Return the encoding, or raise StatementError when this column cannot have it."""
    wide = encoding.startswith("mostly") and (precision or 0) > _MOSTLY_PRECISION
    if encoding != RAW and (type_name not in _TYPES.get(encoding, ()) or wide):
        # The words are those that Amazon's own tests of Redshift quote; no address for them.
        raise StatementError(f'ERROR: invalid encoding type specified for column "{column}"')
    return encoding


def default_encoding(type_name: str, *, sort_key: bool, temporary: bool) -> str:
    """Return what a column gets without ENCODE.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html ; SUPER's is unsourced.
    """
    if sort_key or temporary or type_name in _FLOATS or type_name == "boolean":
        return RAW
    if type_name in _AZ64:
        return "az64"
    return "zstd" if type_name == "super" else "lzo"
