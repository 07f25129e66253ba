"""One field of a text or JSON file as the engine's own load can read it.

Options: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from localaws.redshift.loading import invalid_characters
from localaws.redshift.loading.bad_value import (
    BadValue,
    invalid_digit,
    missing,
    out_of_range,
    too_long,
)
from localaws.redshift.loading.copy_options import Options
from localaws.redshift.loading.datetimes import Cast, date_reader, time_reader, timestamp_reader
from localaws.redshift.loading.super_values import MAX_BYTES
from localaws.redshift.loading.targets import TargetColumn

Reader = Callable[[str], str]

_RANGES = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BOOLEANS = {
    **dict.fromkeys(("t", "true", "y", "yes", "1"), "t"),
    **dict.fromkeys(("f", "false", "n", "no", "0"), "f"),
}


class Field:
    """What one column does with its fields."""

    def __init__(self, column: TargetColumn, options: Options, cast: Cast) -> None:
        self._column = column
        self._options = options
        # Whether values may hold anything: tabs, newlines, backslashes.
        self.is_free_text = column.type_name in ("varchar", "char", "super", "varbyte")
        self._is_text = column.type_name in ("varchar", "char")
        self._read = self._reader(cast)
        self._any_date = "acceptanydate" in options and column.type_name in ("date", "timestamp")

    def value(self, text: str | None) -> str | None:
        """Return what the engine shall read, None for NULL. Raises BadValue."""
        value = None if text is None or self._is_null(text) else self._converted(text)
        if value is None and self._column.not_null:
            raise missing()
        return value

    def _converted(self, text: str) -> str | None:
        try:
            return self._read(text)
        except BadValue as bad:
            # "inserts a NULL value into that field" : ACCEPTANYDATE
            if self._any_date and bad.code in (1205, 1206):
                return None
            raise

    def _is_null(self, text: str) -> bool:
        if self._is_text:
            if not text:
                return "emptyasnull" in self._options
            return "blanksasnull" in self._options and text.isspace()
        return not text.strip()

    def _reader(self, cast: Cast) -> Reader:
        column, options = self._column, self._options
        match column.type_name:
            case "smallint" | "integer" | "bigint":
                return self._integer
            case "numeric":
                return self._decimal
            case "real" | "double precision":
                return self._float
            case "boolean":
                return _boolean
            case "date":
                return date_reader(_given(options, "dateformat"), cast)
            case "timestamp" | "timestamptz":
                zoned = column.type_name == "timestamptz"
                return timestamp_reader(_given(options, "timeformat"), cast, zoned)
            case "time" | "timetz":
                return time_reader(column.type_name == "timetz")
            case "super":
                return _super
            case "varbyte":
                return self._bytes
            case _:
                return self._characters

    def _integer(self, text: str) -> str:
        digits = text[1:] if text[:1] in ("+", "-") else text
        if not (digits.isascii() and digits.isdigit()):
            bad = next(
                (i for i, char in enumerate(text) if not (char.isdigit() and char.isascii())
                 and not (i == 0 and char in "+-")),
                len(text) - 1,
            )  # fmt: skip
            kind = {"smallint": "Short", "bigint": "Long"}.get(self._column.type_name, "Integer")
            raise invalid_digit(text, bad, kind)
        limit = _RANGES[self._column.type_name]
        if not -limit <= int(text) < limit:
            raise out_of_range(self._column.type_name)
        return text

    def _decimal(self, text: str) -> str:
        if not _DECIMAL.fullmatch(text):
            raise invalid_digit(text, _first_bad(_DECIMAL, text), "Decimal")
        # "Rounds up numeric values when the scale of the input value is greater"; else truncated
        rounding = ROUND_HALF_UP if "roundec" in self._options else ROUND_DOWN
        with localcontext(prec=100, rounding=rounding):
            try:
                value = Decimal(text).quantize(Decimal(1).scaleb(-self._column.scale))
            except InvalidOperation:
                raise out_of_range("numeric") from None
        if len(value.as_tuple().digits) > self._column.precision and value != 0:
            raise out_of_range("numeric")
        return format(value, "f")

    def _float(self, text: str) -> str:
        if not _FLOAT.fullmatch(text):
            # 1208, "FLOAT data type format error"; wording unsourced
            place = _first_bad(_FLOAT, text)
            kind = "Float" if self._column.type_name == "real" else "Double"
            raise BadValue(1208, invalid_digit(text, place, kind).reason)
        if abs(float(text)) > (3.4028235e38 if self._column.type_name == "real" else 1.8e308):
            raise out_of_range(self._column.type_name)
        return text

    def _characters(self, text: str) -> str:
        text = self._repaired(text)
        kind, limit = self._column.type_name, self._column.limit
        if kind == "char" and not text.isascii():
            # https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
            raise BadValue(1220, invalid_characters.not_single_byte(text))
        if "trimblanks" in self._options and kind == "varchar":
            text = text.rstrip()
        raw = text.encode()
        if limit is None or len(raw) <= limit:
            return text
        if "truncatecolumns" in self._options:
            return raw[:limit].decode(errors="ignore")
        raise too_long(kind)

    def _repaired(self, text: str) -> str:
        """Return the text; bytes that are not UTF-8 are replaced or raise BadValue."""
        if "\0" in text:
            # The engine behind cannot hold it. Code and words of the reference for a field with
            # more than a NUL: https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
            raise BadValue(1218, "Invalid null byte - field longer than 1 byte")
        try:
            text.encode()
        except UnicodeEncodeError:
            raw = text.encode(errors="surrogateescape")
            if "acceptinvchars" in self._options and self._column.type_name == "varchar":
                return invalid_characters.replaced(raw, str(self._options["acceptinvchars"]))
            raise BadValue(1220, invalid_characters.reason(raw)) from None
        return text

    def _bytes(self, text: str) -> str:
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raise BadValue(1219, "Invalid hexadecimal digit") from None  # wording unsourced
        if self._column.limit is not None and len(raw) > self._column.limit:
            raise too_long("varbyte")
        return f"\\x{raw.hex()}"


def _first_bad(pattern: re.Pattern[str], text: str) -> int:
    good = pattern.match(text)
    return min(good.end() if good else 0, len(text) - 1)


def _boolean(text: str) -> str:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise BadValue(1210, "Unknown boolean format")  # words of public logs: unsourced by AWS
    return value


def _super(text: str) -> str:
    """Return the JSON: https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html"""
    try:
        json.loads(text)
    except ValueError:
        raise BadValue(1224, "Invalid JSON format for SUPER") from None  # wording unsourced
    if len(text.encode()) > MAX_BYTES or "\\u0000" in text:
        raise BadValue(1224, "The SUPER value cannot be held")  # wording unsourced
    return text


def _given(options: Options, name: str) -> str | None:
    return None if name not in options else str(options[name])
