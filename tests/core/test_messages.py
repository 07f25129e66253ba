"""Failing here, events are lost or refused between a request and its queue."""

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.events.messages import Message, first_batch, from_line, to_line
from tidemark.core.settings.queues import ATTRIBUTE_BYTES, MESSAGE_BYTES

TEXT = st.text(st.characters(exclude_categories=("Cs",)))


def a_message(size: int) -> Message:
    return Message("0" * 36, "2026-11-22T10:00:00.000Z", "x" * size)


@given(TEXT)
def test_a_line_of_the_spool_is_the_message(text):
    message = Message("1", "2026-11-22T10:00:00.000Z", text)
    line = to_line(message)
    assert line.count(b"\n") == 1
    assert from_line(line) == message


@given(TEXT, st.data())
def test_a_damaged_line_is_no_message(text, data):
    line = to_line(Message("1", "2026-11-22T10:00:00.000Z", text))
    cut = data.draw(st.integers(0, len(line) - 2))
    assert from_line(line[:cut]) is None
    at, bit = data.draw(st.integers(9, len(line) - 2)), data.draw(st.integers(0, 7))
    assert from_line(line[:at] + bytes([line[at] ^ 1 << bit]) + line[at + 1 :]) is None


@given(st.lists(st.integers(0, MESSAGE_BYTES // 2), min_size=1, max_size=15))
def test_a_call_takes_what_sqs_takes_and_no_less(sizes):
    messages = [a_message(size) for size in sizes]
    count = first_batch(messages)
    assert 1 <= count <= 10
    assert count == 1 or sum(m.size for m in messages[:count]) <= MESSAGE_BYTES
    if count < min(10, len(messages)):
        assert sum(m.size for m in messages[: count + 1]) > MESSAGE_BYTES


def test_what_a_message_takes_of_a_call_is_not_underrated():
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html:
    # name, type and value of each attribute count.
    entry = a_message(0).entry(0)
    attributes = entry["MessageAttributes"]
    size = sum(len(n) + len(a["DataType"]) + len(a["StringValue"]) for n, a in attributes.items())
    assert size <= ATTRIBUTE_BYTES
