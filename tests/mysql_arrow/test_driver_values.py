"""If these fail, a number loses a digit or a date moves on the way to the warehouse."""

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mysql_arrow.driver import to_arrow


def _arrow(kind: pa.DataType, *values: bytes | None) -> list[object]:
    return to_arrow(kind, values)[0].to_pylist()


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_integers_survive(numbers: list[int | None]) -> None:
    texts = [None if n is None else str(n).encode() for n in numbers]
    assert _arrow(pa.int64(), *texts) == numbers


@settings(deadline=None)
@given(st.lists(st.integers(-(10**38) + 1, 10**38 - 1)))
def test_decimals_survive_with_every_digit(units: list[int]) -> None:
    decimals = [Decimal(f"{unit}e-10") for unit in units]
    assert _arrow(pa.decimal128(38, 10), *[f"{d:f}".encode() for d in decimals]) == decimals


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_doubles_survive_to_the_last_bit(numbers: list[float]) -> None:
    found = _arrow(pa.float64(), *[repr(number).encode() for number in numbers])
    assert [repr(number) for number in found] == [repr(number) for number in numbers]


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32)))
def test_floats_survive_the_way_the_server_prints_them(numbers: list[float]) -> None:
    assert _arrow(pa.float32(), *[repr(number).encode() for number in numbers]) == numbers


@settings(deadline=None)
@given(st.lists(st.none() | st.datetimes()))
def test_timestamps_survive_to_the_microsecond(times: list[datetime | None]) -> None:
    texts = [None if t is None else t.isoformat(" ").encode() for t in times]
    assert _arrow(pa.timestamp("us"), *texts) == times


@settings(deadline=None)
@given(st.lists(st.dates()))
def test_dates_survive(days: list[date]) -> None:
    assert _arrow(pa.date32(), *[day.isoformat().encode() for day in days]) == days


@settings(deadline=None)
@given(st.lists(st.none() | st.text(max_size=40)))
def test_texts_survive(texts: list[str | None]) -> None:
    encoded = [None if text is None else text.encode() for text in texts]
    assert _arrow(pa.string(), *encoded) == texts
    assert _arrow(pa.binary(), *encoded) == encoded


@pytest.mark.parametrize(
    "zero",
    [b"0000-00-00", b"2024-00-00", b"2024-01-00", b"2024-02-31", b"0000-01-01"],
)
def test_a_date_that_no_calendar_has_becomes_null_and_is_counted(zero: bytes) -> None:
    values = [b"2024-02-29", zero, None, zero]
    for kind, midnight in ((pa.date32(), b""), (pa.timestamp("us"), b" 00:00:00")):
        texts = [None if value is None else value + midnight for value in values]
        array, zeros = to_arrow(kind, texts)
        assert [value is None for value in array.to_pylist()] == [False, True, True, True]
        assert zeros == 2


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pa.int32(), b"2147483648"),
        (pa.int16(), b"1.5"),
        (pa.decimal128(4, 2), b"123.45"),
        (pa.decimal128(4, 2), b"1.234"),
        (pa.int64(), b"many"),
        (pa.string(), b"\xff"),
    ],
)
def test_a_value_that_is_not_of_the_type_is_refused(kind: pa.DataType, text: bytes) -> None:
    with pytest.raises(pa.ArrowInvalid):
        _arrow(kind, text)
