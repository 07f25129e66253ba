"""Failing here, a message as AppsFlyer sends it does not become the row it should."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest
from tidemark.core.events.appsflyer import FIELDS
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.events.events import distinct, read_event
from tidemark.core.webhook.bodies import message_text

from onebox.appsflyer_events import MESSAGE_TYPES, SKADNETWORK, example_event, example_events

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_every_message_type_has_an_example():
    assert len(MESSAGE_TYPES) == 17
    assert len(set(MESSAGE_TYPES)) == 17


@pytest.mark.parametrize("message_type", MESSAGE_TYPES)
def test_an_example_fits_the_published_fields(message_type):
    for seed in range(20):
        event = example_event(message_type, random.Random(seed))
        assert event.keys() <= FIELDS.keys()
        text = message_text(
            json.dumps(event, ensure_ascii=False).encode(), max_depth=32, max_keys=2000
        )
        row = read_event(text, EventLayout(layout="wide"), message_id="1", received_at=NOW)
        assert row.misfits == {}
        assert "" not in event.values()
        assert [name for name in event if row.values[name] is None] == []
        moment = datetime.fromisoformat(event["event_time"]).replace(tzinfo=UTC)
        assert row.values["event_time"] == moment
        if message_type not in SKADNETWORK:
            narrow = read_event(text, EventLayout(layout="narrow"), message_id="1", received_at=NOW)
            assert None not in narrow.values.values()


def test_examples_are_as_many_events_as_they_are():
    texts = [json.dumps(event) for event in example_events(2_000)]
    rows = [
        read_event(text, EventLayout(layout="narrow"), message_id="1", received_at=NOW)
        for text in [*texts, *texts[:300]]
    ]
    kept, others = distinct(rows)
    assert (len(kept), others) == (2_000, 300)
