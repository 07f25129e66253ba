"""If these fail, an event is another one in the warehouse, or a bad one is lost."""

import json
from datetime import UTC, datetime

from tidemark.core.events.drains import event_columns
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.events.event_rows import MESSAGES, Received, event_rows, message_rows

SENT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)
LAYOUT = EventLayout.model_validate(
    {
        "layout": "declared",
        "columns": {
            "at": {"type": "TIMESTAMP"},
            "paid": {"type": "BOOLEAN"},
            "price": {"type": "DECIMAL(10,2)", "path": ["item.price"]},
            "items": {"type": "SUPER"},
            "count": {"type": "BIGINT"},
        },
        "required": ["at"],
    }
)
COLUMNS = event_columns(LAYOUT)


def a_message(body: str, number: int = 1, **attributes: str) -> Received:
    return Received(f"id-{number}", f"handle-{number}", SENT, 1, attributes, body)


def test_values_have_their_columns_types() -> None:
    event = {
        "at": "2026-03-01T14:00:00+02:00",
        "paid": True,
        "item": {"price": 9.990},
        "items": [1, {"a": "ü"}],
        "count": 7,
    }
    text = json.dumps(event)
    (row,) = event_rows([a_message(text)], COLUMNS, LAYOUT).rows.to_pylist()
    assert len(row.pop("event_key")) == 64
    assert {**row, "price": str(row["price"])} == {
        "at": datetime(2026, 3, 1, 12, 0),  # noqa: DTZ001 - UTC without a zone, as in the file
        "paid": True,
        "price": "9.99",
        "items": '[1,{"a":"ü"}]'.encode(),
        "count": 7,
        "event_data": text.encode(),
        "received_at": SENT.replace(tzinfo=None),
    }


def test_when_it_came_and_who_it_is_the_receiver_says() -> None:
    body = '{"at": "2026-03-01"}'
    at = "2026-02-28T23:59:59.5+00:00"
    twice = [a_message(body, n, message_id="drawn", received_at=at) for n in (1, 2)]
    rows = event_rows([*twice, a_message(body, 3)], COLUMNS, LAYOUT).rows.to_pylist()
    assert rows[0] == rows[1]
    assert rows[0]["received_at"].isoformat() == "2026-02-28T23:59:59.500000"
    assert rows[2]["event_key"] != rows[0]["event_key"]


def test_what_is_no_event_is_kept_with_its_bytes_and_the_reason() -> None:
    bodies = ["{", "[]", '{"paid": 1}', '{"at": "2026-03-01"}', '{"at": "x", "paid": "perhaps"}']
    found = event_rows([a_message(b, n) for n, b in enumerate(bodies)], COLUMNS, LAYOUT)
    assert found.rows.num_rows == 1
    told = [(r["body"].decode(), r["_tidemark_column"]) for r in found.bad.to_pylist()]
    assert told == [("{", "(message)"), ("[]", "(message)"), (bodies[2], "at"), (bodies[4], "at")]


def test_a_value_that_fits_nowhere_is_counted_and_stays_in_the_whole() -> None:
    text = '{"at": "2026-03-01", "count": "many"}'
    found = event_rows([a_message(text)], COLUMNS, LAYOUT)
    assert found.misfits == {("count", "unreadable"): 1}
    assert found.rows.to_pylist()[0]["event_data"] == text.encode()


def test_every_message_is_listed_with_what_deletes_it() -> None:
    rows = message_rows([a_message("{", 1, message_id="m"), a_message("[]", 2)])
    assert rows.schema == MESSAGES
    assert rows["receipt_handle"].to_pylist() == ["handle-1", "handle-2"]
    assert rows["attributes"].to_pylist() == ['{"message_id": "m"}', "{}"]
    assert event_rows([], COLUMNS, LAYOUT).rows.num_rows == 0
