"""Failing here, a deletion request names whom it is about, or nobody finds them."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.events.erasures import erasure, persons, request
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.loading.catch_up import Room, next_step
from tidemark.core.storage.batches import parse_batch_id

UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAYOUT = EventLayout(layout="narrow")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def an_erasure(*values: str, until: datetime = UNTIL):
    asked = request("events", persons(LAYOUT, "user_id", values, None), until, "ticket 12")
    return erasure(asked, LAYOUT, 1)


def test_a_person_is_known_by_a_digest_alone():
    batch = an_erasure("user-1")
    assert [person.digest for person in batch.plan.persons] == [sha256("user-1")]
    assert "user-1" not in batch.model_dump_json()
    assert parse_batch_id(batch.batch_id).kind == "erasure"
    assert an_erasure("user-1") == batch
    assert an_erasure("user-2").batch_id != batch.batch_id
    assert an_erasure("user-1", until=UNTIL + timedelta(days=1)).batch_id != batch.batch_id


def test_where_ids_are_hashed_both_forms_are_looked_for():
    hashed = EventLayout(layout="narrow", pii={"customer_user_id": "hash"})
    found = persons(hashed, "user_id", ["user-1"], b"a secret of the hashes")
    assert len(found) == 2
    assert sha256("user-1") in {person.digest for person in found}
    assert len(persons(hashed, "device_id", ["device"], None)) == 1


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("app_id", ["x"], "no person is found by the column app_id"),
        ("user_id", [], "names 1 to 500"),
        ("user_id", map(str, range(501)), "names 1 to 500"),
    ],
)
def test_what_cannot_be_asked_for(column, values, words):
    with pytest.raises(FixConfiguration, match=words):
        request("events", persons(LAYOUT, column, values, None), UNTIL, "")


def test_it_is_applied_by_itself():
    batches = {each.batch_id: each for each in (an_erasure("a"), an_erasure("b"))}
    step = next_step(list(batches), None, batches.__getitem__, Room())
    assert step.group
    assert len(step.group.batches) == 1
