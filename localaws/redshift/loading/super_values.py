"""JSON texts for SUPER columns, within SUPER's limits.

https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
"""

from __future__ import annotations

import base64
import datetime
import json
import re
from decimal import Decimal
from typing import Any

from localaws.redshift.errors import NotSupported, StatementError

MAX_BYTES = 16 * 1024 * 1024
MAX_STRING_BYTES = 65_535
_SPACES = re.compile(r'("(?:\\.|[^"\\])*")|([:,]) ')


class JsonNumber(str):
    """A number of a JSON text, with its digits as they were written."""

    __slots__ = ()


def json_text(value: Any) -> str | None:
    """Return the value as JSON; None stays None. A string is not parsed: it is a JSON string.

    https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html . Raises StatementError for a
    value that is too large, and NotSupported for one that JSON has no place for.
    """
    if value is None:
        return None
    text = _written(value)
    if len(text.encode()) > MAX_BYTES:
        raise StatementError("ERROR: The SUPER value is larger than 16 MB")  # wording unsourced
    return text


def _written(value: Any) -> str:
    match value:
        case dict():
            items = (f"{_string(str(key))}:{_written(item)}" for key, item in value.items())
            return "{" + ",".join(items) + "}"
        case list():
            return "[" + ",".join(map(_written, value)) + "]"
        case JsonNumber():
            return str(value)
        case str():
            return _string(value)
        case None | bool() | int() | float():
            return json.dumps(value)
        case Decimal():
            return format(value, "f")
        # That times are texts and bytes base64 is unsourced.
        case datetime.datetime() | datetime.date() | datetime.time():
            return _string(str(value))
        case bytes():
            return _string(base64.b64encode(value).decode())
    raise NotSupported(f"a {type(value).__name__} inside SUPER")


def _string(text: str) -> str:
    if len(text.encode()) > MAX_STRING_BYTES:
        # Wording unsourced.
        raise StatementError(
            f"ERROR: A string inside SUPER is longer than {MAX_STRING_BYTES} bytes"
        )
    return json.dumps(text, ensure_ascii=False)


def compact(text: str) -> str:
    """Return the engine's JSON without the spaces it writes, as Redshift serializes SUPER."""
    return _SPACES.sub(r"\1\2", text)
