"""Dates and times in load files: the default formats, DATEFORMAT and TIMEFORMAT, 'auto', epochs.

https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable
from functools import cache

from localaws.redshift.errors import StatementError
from localaws.redshift.loading.bad_value import BadValue, bad_date, bad_timestamp

# Asks the engine whether a text casts to a type, and for what: 'auto' recognizes what a cast does
# (https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html).
Cast = Callable[[str, str], str | None]

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?", re.DOTALL)
_SECONDS = r"(\d{2}):(\d{2}):(\d{2}(?:\.\d{1,6})?)"
_TIMESTAMP = re.compile(rf"(\d{{4}})-(\d{{2}})-(\d{{2}}) {_SECONDS}")
_OFFSET = r"[+-]\d{1,2}(?::?\d{2})?"
_PARTS = re.compile(r"YYYY|YY|MONTH|MON|MM|DD|HH24|HH12|HH|MI|SS|AM|PM", re.IGNORECASE)
_NUMBER = {"YYYY": r"\d{4}", "YY": r"\d{2}", "SS": r"\d{1,2}(?:\.\d{1,6})?"}
_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
}


def date_reader(dateformat: str | None, cast: Cast) -> Callable[[str], str]:
    """Return what reads a DATE. It raises BadValue; what it returns the engine can read."""
    if dateformat is None or dateformat == "YYYY-MM-DD":
        return _default_date
    if dateformat == "auto":
        return lambda text: _cast(text, "date", cast, lambda: bad_date("auto"))
    pattern = _pattern(dateformat)
    # "The date format can include time information, but this information is ignored"
    return lambda text: _matched(pattern, text, lambda: bad_date(dateformat))[:10]


def timestamp_reader(timeformat: str | None, cast: Cast, zoned: bool) -> Callable[[str], str]:
    """Return what reads a TIMESTAMP or a TIMESTAMPTZ. It raises BadValue."""
    if timeformat is None:
        return _default_zoned if zoned else _default_timestamp
    if timeformat == "auto":
        kind = "timestamptz" if zoned else "timestamp"
        return lambda text: _cast(text, kind, cast, lambda: bad_timestamp("auto"))
    if timeformat in ("epochsecs", "epochmillisecs"):
        return lambda text: _epoch(text, timeformat) + ("+00" if zoned else "")
    if zoned:
        # "To load TIMESTAMPTZ data that is in a format different from the default, specify 'auto'"
        return _default_zoned
    pattern = _pattern(timeformat)
    return lambda text: _matched(pattern, text, lambda: bad_timestamp(timeformat))


def time_reader(zoned: bool) -> Callable[[str], str]:
    """Return what reads a TIME or TIMETZ: only ISO times (unsourced)."""
    pattern = re.compile(_SECONDS + (_OFFSET if zoned else ""))

    def read(text: str) -> str:
        found = pattern.fullmatch(text)
        if not found or int(found[1]) > 23 or int(found[2]) > 59 or float(found[3]) >= 60:
            raise bad_timestamp("HH24:MI:SS")
        return text

    return read


def _default_date(text: str) -> str:
    if len(text) < 10:
        # The words are those of public logs: unsourced by AWS.
        raise BadValue(1205, "Invalid Date Format - length must be 10 or more")
    found = _DATE.fullmatch(text)
    if not found or not _is_day(*map(int, found.groups())):
        raise bad_date("YYYY-MM-DD")
    return text[:10]


def _default_timestamp(text: str) -> str:
    found = _TIMESTAMP.fullmatch(text)
    if not found or not _is_moment(found):
        raise bad_timestamp("YYYY-MM-DD HH24:MI:SS")
    return text


def _default_zoned(text: str) -> str:
    found = re.fullmatch(rf"(.*?)({_OFFSET})", text, re.DOTALL)
    if not found or not (inner := _TIMESTAMP.fullmatch(found[1])) or not _is_moment(inner):
        raise bad_timestamp("YYYY-MM-DD HH24:MI:SSOF")
    return text


def _epoch(text: str, timeformat: str) -> str:
    if not re.fullmatch(r"[+-]?\d{1,15}", text):
        raise bad_timestamp(timeformat)
    unit = 1_000_000 if timeformat == "epochsecs" else 1_000
    try:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(  # noqa: DTZ001 - UTC by format
            microseconds=int(text) * unit
        )
    except OverflowError:
        raise bad_timestamp(timeformat) from None
    return str(moment)


def _cast(text: str, kind: str, cast: Cast, refused: Callable[[], BadValue]) -> str:
    found = cast(text, kind)
    if found is None:
        raise refused()
    return found


@cache
def _pattern(layout: str) -> re.Pattern[str]:
    """Return what matches a DATEFORMAT or TIMEFORMAT. Raises StatementError for a bad one."""
    pieces: list[str] = []
    named: set[str] = set()
    end = 0
    for part in _PARTS.finditer(layout):
        pieces.append(_separator(layout, layout[end : part.start()]))
        name = part.group().upper()
        name = {"HH": "HH24", "PM": "AM", "MONTH": "MON"}.get(name, name)
        if name in named:
            raise _bad_format(layout)
        named.add(name)
        if name == "MON":
            pieces.append("(?P<MON>[A-Za-z]+)")
        elif name == "AM":
            pieces.append("(?P<AM>[AaPp][Mm])")
        else:
            pieces.append(f"(?P<{name}>{_NUMBER.get(name, r'[0-9]{1,2}')})")
        end = part.end()
    pieces.append(_separator(layout, layout[end:]))
    if not named & {"YYYY", "YY"} or not named & {"MM", "MON"} or "DD" not in named:
        raise _bad_format(layout)
    return re.compile("".join(pieces))


def _separator(layout: str, text: str) -> str:
    if any(char.isalnum() for char in text.replace("T", "")):
        raise _bad_format(layout)
    return re.escape(text)


def _bad_format(layout: str) -> StatementError:
    return StatementError(f"ERROR: the format '{layout}' is not valid")  # wording unsourced


def _matched(pattern: re.Pattern[str], text: str, refused: Callable[[], BadValue]) -> str:
    found = pattern.fullmatch(text)
    if not found:
        raise refused()
    part = found.groupdict()
    year = int(part.get("YYYY") or 0) or _century(int(part.get("YY") or 0))
    month = int(part["MM"]) if part.get("MM") else _MONTHS.get((part.get("MON") or "").lower(), 0)
    day, hour = int(part["DD"]), int(part.get("HH24") or part.get("HH12") or 0)
    if part.get("HH12"):
        if not 1 <= hour <= 12:
            raise refused()
        hour = hour % 12 + (12 if (part.get("AM") or "").lower() == "pm" else 0)
    minute, second = int(part.get("MI") or 0), part.get("SS") or "0"
    if not _is_day(year, month, day) or hour > 23 or minute > 59 or float(second) >= 60:
        raise refused()
    whole, _, fraction = second.partition(".")
    shown = f"{int(whole):02d}" + (f".{fraction}" if fraction else "")
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{shown}"


def _century(year: int) -> int:
    """Return the year that two digits mean: PostgreSQL's rule (unsourced for COPY)."""
    return year + (2000 if year < 70 else 1900)


def _is_day(year: int, month: int, day: int) -> bool:
    return year > 0 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def _is_moment(found: re.Match[str]) -> bool:
    year, month, day, hour, minute = map(int, found.groups()[:5])
    return _is_day(year, month, day) and hour < 24 and minute < 60 and float(found[6]) < 60
