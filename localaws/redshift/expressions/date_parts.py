"""The names of date parts: https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html"""

from __future__ import annotations

from localaws.redshift.errors import StatementError

_NAMES = {
    "millennium": "millennium millennia mil mils",
    "century": "century centuries c cent cents",
    "decade": "decade decades dec decs",
    "epoch": "epoch",
    "year": "year years y yr yrs",
    "quarter": "quarter quarters qtr qtrs",
    "month": "month months mon mons",
    "week": "week weeks w",
    "dow": "dayofweek dow dw weekday",
    "doy": "dayofyear doy dy yearday",
    "day": "day days d",
    "hour": "hour hours h hr hrs",
    "minute": "minute minutes m min mins",
    "second": "second seconds s sec secs",
    "millisecond": "millisecond milliseconds ms msec msecs msecond mseconds millisec millisecs "
    "millisecon",
    "microsecond": "microsecond microseconds us usec usecs usecond useconds microsec microsecs",
    "timezone": "timezone",
    "timezone_hour": "timezone_hour",
    "timezone_minute": "timezone_minute",
}
_PARTS = {name: part for part, names in _NAMES.items() for name in names.split()}
# The same page: these have no meaning as a distance.
_NOT_IN_ARITHMETIC = ("epoch", "dow", "doy", "timezone", "timezone_hour", "timezone_minute")


def date_part(name: str) -> str:
    """Return the engine's name of a part, whatever its abbreviation. Raises StatementError."""
    part = _PARTS.get(name.lower())
    if part is None:
        # Wording unsourced.
        raise StatementError(f'ERROR: timestamp units "{name}" not recognized')
    return part


def distance(name: str) -> str:
    """Return the engine's name of a part that DATEADD and DATEDIFF can count in."""
    part = date_part(name)
    if part in _NOT_IN_ARITHMETIC:
        # Wording unsourced.
        raise StatementError(f'ERROR: timestamp units "{name}" not supported')
    return part
