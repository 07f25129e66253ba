"""Values of a JSON event as a column's type wants them, or why they cannot be.

What does not fit leaves its column NULL, or its text cut, and is counted; the whole event stays in
``event_data``.
"""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any, Literal

from tidemark.core.events.json_texts import read_json, write_json

Misfit = Literal["unreadable", "out_of_range", "too_long"]

_TYPE = re.compile(
    r"(?P<kind>BIGINT|DOUBLE PRECISION|BOOLEAN|TIMESTAMP|DATE|SUPER|VARCHAR|DECIMAL)"
    r"(\((?P<size>\d+)(,\s*(?P<scale>\d+))?\))?"
)
_SIZED = {"VARCHAR": 65_535, "DECIMAL": 38}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_BIGINT = 2**63
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")
_KNOWN = 4_096  # types and paths, of all layouts together
_DIGITS = 400  # of the widest number that may come, with its exponent written out


def check_type(text: str) -> str:
    """Return a type in its one spelling. Raises ValueError for one that events cannot have."""
    found = _TYPE.fullmatch(text.strip().upper())
    if found is None or (found["kind"] in _SIZED) != (found["size"] is not None):
        raise ValueError(
            f"{text} is no type of an event's column: expected BIGINT, DOUBLE PRECISION, BOOLEAN, "
            "TIMESTAMP, DATE, SUPER, VARCHAR(bytes) or DECIMAL(digits,scale)"
        )
    if found["size"] is None:
        return found["kind"]
    size, scale = int(found["size"]), int(found["scale"] or 0)
    if not 1 <= size <= _SIZED[found["kind"]] or scale > size:
        raise ValueError(f"{text}: Redshift has no such width")
    return f"DECIMAL({size},{scale})" if found["kind"] == "DECIMAL" else f"VARCHAR({size})"


def fit(value: Any, kind: str) -> tuple[Any, Misfit | None]:
    """Return a JSON value as `kind` (see `check_type`) holds it, and what was wrong with it.

    null and the empty text are no value. A time without a zone is UTC, as AppsFlyer sends it.
    """
    if value is None or value == "":
        return None, None
    if kind == "SUPER":
        return write_json(value), None
    if kind.startswith("VARCHAR"):
        return _text(value, _width(kind))
    try:
        return _read(value, kind), None
    except _OutOfRange:
        return None, "out_of_range"
    except (ValueError, InvalidOperation, OverflowError):
        return None, "unreadable"


class _OutOfRange(Exception):
    pass


def _read(value: Any, kind: str) -> Any:
    match kind.partition("(")[0]:
        case "BOOLEAN":
            if isinstance(value, bool):
                return value
            return _boolean(str(value))
        case "TIMESTAMP":
            return _moment(value)
        case "DATE":
            return date.fromisoformat(str(value).strip())
    number = _number(value)
    match kind.partition("(")[0]:
        case "DOUBLE PRECISION":
            if abs(found := float(number)) == float("inf"):
                raise _OutOfRange
            return found
        case "BIGINT":
            if number != number.to_integral_value():
                raise ValueError
            if not -_BIGINT <= number < _BIGINT:
                raise _OutOfRange
            return int(number)
    size, _, scale = kind[8:-1].partition(",")
    with localcontext() as context:
        context.prec = 2 * _DIGITS
        rounded = number.quantize(Decimal(1).scaleb(-int(scale)), ROUND_HALF_EVEN)
        if abs(rounded) >= Decimal(10) ** (int(size) - int(scale)):
            raise _OutOfRange
    return rounded


def _boolean(text: str) -> bool:
    found = _BOOLEANS.get(text.strip().lower())
    if found is None:
        raise ValueError
    return found


def _number(value: Any) -> Decimal:
    if isinstance(value, bool | list | dict):
        raise ValueError
    number = Decimal(value if isinstance(value, int | Decimal) else str(value).strip())
    if not number.is_finite():
        raise ValueError
    if number and abs(number.adjusted()) > _DIGITS:
        raise _OutOfRange
    return number


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError
    moment = datetime.fromisoformat(value.strip())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(_KNOWN)
def _width(varchar: str) -> int:
    return int(varchar[8:-1])


def _text(value: Any, most: int) -> tuple[str, Misfit | None]:
    text = value if isinstance(value, str) else write_json(value)
    if len(text) <= most and text.isascii() and "\0" not in text:
        return text, None  # as most do
    # A surrogate that stands alone has no form in UTF-8, and a zero byte none in Redshift.
    data = text.replace("\0", "").encode("utf-8", "replace")
    if len(data) <= most:
        return data.decode(), None
    return data[:most].decode("utf-8", "ignore"), "too_long"


@lru_cache(_KNOWN)
def _steps(path: str) -> list[str]:
    return _STEP.findall(path)


def find(event: Any, path: str) -> Any:
    """Return what lies at a path (``event_value.items[0].price``); None where nothing does.

    A text on the way that holds JSON is looked into, as AppsFlyer's ``event_value`` is one.
    """
    value = event
    for step in _steps(path):
        if isinstance(value, dict):  # as most are; a place in a list is no name
            value = None if step.startswith("[") else value.get(step)
            continue
        if isinstance(value, str):
            try:
                value = read_json(value)
            except ValueError:
                return None
        if step.startswith("["):
            number = int(step[1:-1])
            value = value[number] if isinstance(value, list) and number < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
