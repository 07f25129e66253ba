"""Failing here, an event is counted twice or not at all, or a person's data is kept."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tidemark.core.events.appsflyer import FIELDS, KEY
from tidemark.core.events.event_layouts import EventColumn, EventLayout
from tidemark.core.events.events import NotAnEvent, distinct, read_event

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NARROW, WIDE = EventLayout(layout="narrow"), EventLayout(layout="wide")
PURCHASE = {
    "app_id": "id123456789",
    "appsflyer_id": "1415211453000-6513894",
    "customer_user_id": "user-1",
    "idfa": "AEBE52E7-03EE-455A-B3C4-E57283966239",
    "event_name": "af_purchase",
    "event_time": "2026-11-22 11:59:58.123",
    "event_value": '{"af_revenue": 9.990, "af_currency": "EUR"}',
    "event_revenue": "9.990",
    "wifi": "true",
    "is_retargeting": False,
    "a_field_of_next_year": {"x": [1.25]},
}


def read(event, layout=WIDE, message_id="m", **more):
    text = event if isinstance(event, str) else json.dumps(event)
    return read_event(text, layout, message_id=message_id, received_at=NOON, **more)


def test_appsflyer_has_114_fields_and_the_key_is_made_of_them():
    assert len(FIELDS) == 114
    assert set(KEY) <= FIELDS.keys()


def test_b18_the_narrow_table():
    values = read(PURCHASE, NARROW).values
    assert set(values) == {
        "id", "event_time", "event_name", "app_id", "user_id", "device_id", "event_data",
        "created_at",
    }  # fmt: skip
    assert values["event_time"] == datetime(2026, 11, 22, 11, 59, 58, 123000, tzinfo=UTC)
    assert values["user_id"] == "user-1"
    assert values["device_id"] == PURCHASE["idfa"]
    assert values["created_at"] == NOON
    assert len(values["id"]) == 64


def test_the_wide_table_has_a_typed_column_for_each_field():
    event = read(PURCHASE)
    assert event.values.keys() == FIELDS.keys() | {"event_key", "event_data", "received_at"}
    assert event.values["event_revenue"] == Decimal("9.99")
    assert event.values["wifi"] is True
    assert event.values["is_retargeting"] is False
    assert event.values["media_source"] is None
    assert event.misfits == {}


def test_the_whole_event_is_kept_to_the_byte():
    text = '{ "event_name":"x",  "n": 1.500, "new": {"y": null} }'
    assert read(text).values["event_data"] == text


def test_other_queues_declare_their_columns():
    layout = EventLayout(
        columns={
            "amount": EventColumn(type="DECIMAL(10,2)", path=("order.total", "total")),
            "currency": EventColumn(type="VARCHAR(3)"),
        },
        required=("amount",),
    )
    assert read({"order": {"total": "5"}}, layout).values["amount"] == Decimal("5.00")
    assert read({"total": 6, "currency": "EUR"}, layout).values["amount"] == Decimal("6.00")
    with pytest.raises(NotAnEvent, match="required_missing: amount"):
        read({"total": "much"}, layout)


def test_what_does_not_fit_is_told():
    event = read({**PURCHASE, "event_time": "soon", "carrier": "x" * 300})
    assert event.misfits == {"event_time": "unreadable", "carrier": "too_long"}
    assert event.values["event_time"] is None
    assert json.loads(event.values["event_data"])["carrier"] == "x" * 300


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no json", "not_json"),
        ('{"a": NaN}', "not_json"),
        ("[]", "not_an_object"),
        ('{"a": ' + "[" * 800 + "]" * 800 + "}", "too_deep"),
    ],
)
def test_what_is_no_event_is_set_aside(text, reason):
    with pytest.raises(NotAnEvent) as raised:
        read(text, EventLayout(key="payload"))
    assert raised.value.reason == reason


def test_x5_the_same_event_has_the_same_key_however_it_is_written():
    shuffled = dict(reversed(PURCHASE.items())) | {"media_source": "", "conversion_type": None}
    assert read(shuffled).key == read(PURCHASE, message_id="another").key


@pytest.mark.parametrize("field", KEY)
def test_x5_another_event_has_another_key(field):
    assert read({**PURCHASE, field: "something else"}).key != read(PURCHASE).key


def test_two_attributions_of_one_event_are_two_rows():
    again = {**PURCHASE, "is_retargeting": True, "is_primary_attribution": False}
    assert read(again).key != read(PURCHASE).key


def test_a_message_with_none_of_the_keys_fields_is_told_apart_by_all_it_has():
    assert read({"a": 1}).key != read({"a": 2}).key
    assert read({"a": 1}).key == read({"a": 1.0}, message_id="another").key


def test_without_a_key_a_message_is_one_event_however_often_it_is_delivered():
    layout = EventLayout()
    assert read({"a": 1}, layout).key == read({"a": 1}, layout).key
    assert read({"a": 1}, layout).key != read({"a": 1}, layout, message_id="another").key


def test_duplicates_are_removed_and_counted():
    events = [read({"app_id": name}) for name in "abacab"]
    kept, others = distinct(events)
    assert [event.values["app_id"] for event in kept] == list("abc")
    assert others == 3


SECRET = b"a secret of sixteen"


def test_what_is_not_to_be_kept_is_nowhere_in_the_row():
    layout = EventLayout(layout="wide", pii={"idfa": "hash", "ip": "drop", "city": "keep"})
    event = read({**PURCHASE, "ip": "192.168.7.7", "city": "Basel"}, layout, secret=SECRET)
    text = str(event.values)
    assert "192.168.7.7" not in text
    assert PURCHASE["idfa"] not in text
    assert event.values["ip"] is None
    assert event.values["city"] == "Basel"
    hashed = hmac.new(SECRET, PURCHASE["idfa"].encode(), hashlib.sha256).hexdigest()
    assert event.values["idfa"] == hashed
    assert json.loads(event.values["event_data"])["idfa"] == hashed
    assert '"x":[1.25]' in event.values["event_data"]  # the rest is as it came
    narrow = EventLayout(layout="narrow", pii={"idfa": "hash"})
    assert read(PURCHASE, narrow, secret=SECRET).values["device_id"] == hashed


def test_the_key_does_not_depend_on_what_is_kept():
    layout = EventLayout(layout="wide", pii={"appsflyer_id": "drop"})
    assert read(PURCHASE, layout).key == read(PURCHASE).key


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": {"event_data": {"type": "SUPER"}}}, "writes this column itself"),
        ({"layout": "narrow", "columns": {"id": {"type": "BIGINT"}}}, "writes this column itself"),
        ({"columns": {"a": {"type": "TEXT"}}}, "is no type"),
        ({"columns": {"a": {"type": "BIGINT", "path": ["a..b"]}}}, "is no path"),
        ({"required": ["a"]}, "required: a: no such column"),
        ({"layout": "wide", "pii": {"wifi": "hash"}}, "column wifi has no room"),
    ],
)
def test_layouts_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        EventLayout(**settings)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(), JSON))
def test_every_object_is_an_event(event):
    text = json.dumps(event)
    if "Infinity" in text:
        return
    row = read(text)
    assert row.values["event_data"] == text
    assert read(text).key == row.key
