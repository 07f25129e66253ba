"""Failing here, a column holds what the event did not say."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.events.event_values import check_type, find, fit
from tidemark.core.events.json_texts import read_json

NOON = datetime(2026, 11, 22, 12, 0, 0, 123000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kind", "kept"),
    [
        ("2026-11-22 12:00:00.123", "TIMESTAMP", NOON),  # AppsFlyer's form is in UTC
        ("2026-11-22T12:00:00.123Z", "TIMESTAMP", NOON),
        ("2026-11-22 17:30:00.123+0530", "TIMESTAMP", NOON),
        ("2026-11-22", "DATE", date(2026, 11, 22)),
        ("true", "BOOLEAN", True),
        (False, "BOOLEAN", False),
        ("0", "BOOLEAN", False),
        (12, "BIGINT", 12),
        ("12.0", "BIGINT", 12),
        ("9.990", "DECIMAL(10,2)", Decimal("9.99")),
        (Decimal("0.00499999999999999999"), "DECIMAL(10,2)", Decimal("0.00")),
        (Decimal("1.5"), "DOUBLE PRECISION", 1.5),
        (3, "VARCHAR(10)", "3"),
        ({"a": [1]}, "VARCHAR(10)", '{"a":[1]}'),
        ("a\0b", "VARCHAR(10)", "ab"),
        ({"a": Decimal("1.50")}, "SUPER", '{"a":1.50}'),
        ("text", "SUPER", '"text"'),
        (None, "BIGINT", None),
        ("", "TIMESTAMP", None),
    ],
)
def test_what_fits(value, kind, kept):
    assert fit(value, kind) == (kept, None)


@pytest.mark.parametrize(
    ("value", "kind", "misfit"),
    [
        ("yesterday", "TIMESTAMP", "unreadable"),
        (1764000000, "TIMESTAMP", "unreadable"),  # of which unit, nobody said
        ("2026-02-30", "DATE", "unreadable"),
        ("perhaps", "BOOLEAN", "unreadable"),
        (2, "BOOLEAN", "unreadable"),
        ("12.5", "BIGINT", "unreadable"),
        (True, "BIGINT", "unreadable"),
        ([], "DECIMAL(10,2)", "unreadable"),
        ("NaN", "DOUBLE PRECISION", "unreadable"),
        (2**63, "BIGINT", "out_of_range"),
        ("1e999999999", "BIGINT", "out_of_range"),
        ("99999999.995", "DECIMAL(10,2)", "out_of_range"),
        (Decimal("1e400"), "DOUBLE PRECISION", "out_of_range"),
    ],
)
def test_what_does_not_fit_leaves_the_column_empty(value, kind, misfit):
    assert fit(value, kind) == (None, misfit)


def test_a_text_is_cut_between_characters():
    assert fit("é" * 5, "VARCHAR(7)") == ("ééé", "too_long")


KINDS = st.sampled_from(
    ["BIGINT", "DOUBLE PRECISION", "BOOLEAN", "TIMESTAMP", "DATE", "SUPER", "VARCHAR(20)",
     "DECIMAL(20,4)"]
)  # fmt: skip


@given(st.text() | st.integers() | st.decimals() | st.booleans(), KINDS)
def test_nothing_that_comes_is_an_error(value, kind):
    if isinstance(value, Decimal) and not value.is_finite():
        return  # JSON has none
    kept, misfit = fit(value, kind)
    if isinstance(kept, str):
        kept.encode()
        assert kind == "SUPER" or len(kept.encode()) <= 20
    assert misfit is None or kept is None or misfit == "too_long"


@pytest.mark.parametrize(
    "kind", ["INT", "VARCHAR", "VARCHAR(0)", "VARCHAR(70000)", "DECIMAL(39,2)", "DECIMAL(4,5)"]
)
def test_types_that_redshift_lacks_are_refused(kind):
    with pytest.raises(ValueError, match=r"no type|no such width"):
        check_type(kind)


def test_types_have_one_spelling():
    assert check_type("decimal(10, 2)") == "DECIMAL(10,2)"
    assert check_type("Varchar(5)") == "VARCHAR(5)"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", 1),
        ("b.c[1].d", 2),
        ("event_value.af_revenue", Decimal("9.990")),  # a text that holds JSON is looked into
        ("b.c[7]", None),
        ("b.nothing.more", None),
        ("text.more", None),
        ("a.more", None),
    ],
)
def test_paths(path, found):
    event = read_json(
        '{"a": 1, "b": {"c": [0, {"d": 2}]}, "text": "x{", '
        '"event_value": "{\\"af_revenue\\": 9.990}"}'
    )
    assert find(event, path) == found
