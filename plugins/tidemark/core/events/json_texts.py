"""JSON whose numbers stay as they were written, and a form of it in which equal values are equal.

Python's own floats would turn 9.990 into 9.99 and the twentieth digit of a number into another one.
"""

import json
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any


def read_json(text: str) -> Any:
    """Return the value of a JSON text, with a Decimal for each number that is not whole.

    Raises ValueError for what is no JSON: NaN, Infinity, a number that nobody can hold, or values
    that lie too deep in one another.
    """
    try:
        return _READER.decode(text)
    except RecursionError as error:
        raise ValueError("too deep") from error


def write_json(value: Any) -> str:
    """Return the shortest text of a value, with each number as it was written."""
    return _write(value, _as_written, sort=False)


def canonical(value: Any) -> str:
    """Return one text for all equal values: keys in order, 1, 1.0 and 10e-1 the same."""
    return _write(value, _as_equal, sort=True)


def _write(value: Any, number: Any, *, sort: bool) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        pairs = [
            f"{_text(key)}:{_write(each, number, sort=sort)}"
            for key, each in (sorted(value.items()) if sort else value.items())
        ]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_write(each, number, sort=sort) for each in value]) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | Decimal):
        return str(number(value))
    raise TypeError(f"a {type(value).__name__} inside JSON")


def _text(text: str) -> str:
    # Surrogates that stand alone have no form in UTF-8.
    return encode_basestring(text) if text.isprintable() else encode_basestring_ascii(text)


def _as_written(number: int | Decimal) -> str:
    return str(number)


def _as_equal(number: int | Decimal) -> str:
    sign, digits, exponent = Decimal(number).as_tuple()
    assert isinstance(exponent, int)  # JSON has no NaN
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    if not stripped:
        return "0"
    return f"{'-' if sign else ''}{stripped}e{exponent + len(text) - len(stripped)}"


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"an exponent like that of {text[:20]} cannot be held") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_READER = json.JSONDecoder(parse_float=_decimal, parse_constant=_no_constant)
