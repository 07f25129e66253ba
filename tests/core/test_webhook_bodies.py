"""Failing here, an event is changed on its way, or something that is none gets in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.webhook.bodies import is_json_type, message_text
from tidemark.core.webhook.refusals import Refusal, Refused

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Surrogates cannot be written in UTF-8 other than as escapes.
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def refusal(body: bytes, max_depth: int = 32, max_keys: int = 2000) -> Refusal | None:
    try:
        message_text(body, max_depth=max_depth, max_keys=max_keys)
    except Refused as refused:
        return refused.refusal
    return None


@given(st.dictionaries(st.text(), JSON), st.booleans())
def test_a_message_says_what_the_body_said(event, ascii_only):
    body = json.dumps(event, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if refusal(body) is None:
        text = message_text(body, max_depth=32, max_keys=2000)
        assert json.loads(text) == event
        assert not {"\ufffe", "\uffff"} & set(text)  # SQS would refuse the message


def test_the_bytes_stay_as_they_came():
    body = '{ "b":1.50,\t"a": "é\\u00e9" }\n'.encode()
    assert message_text(body, max_depth=32, max_keys=2000).encode() == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xff{}",
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\x00"}',
        b"{} {}",
        b'{"a": ' + b"1" * 5000 + b"}",  # no number anywhere in a warehouse
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_refused(body):
    assert refusal(body) is Refusal.NOT_JSON


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"{}"', b'[{"a": 1}]'])
def test_an_event_is_an_object(body):
    assert refusal(body) is Refusal.NOT_AN_OBJECT


def test_depth_and_keys_are_bounded():
    assert refusal(b'{"a": [[1]]}', max_depth=3) is None
    assert refusal(b'{"a": [[1]]}', max_depth=2) is Refusal.TOO_DEEP
    assert refusal(b'{"a": {"b": 1}, "c": 2}', max_keys=3) is None
    assert refusal(b'{"a": {"b": 1}, "c": 2}', max_keys=2) is Refusal.TOO_MANY_KEYS


@pytest.mark.parametrize(
    ("content_type", "json_type"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ('Application/JSON;charset="UTF-8"', True),
        ("application/cloudevents+json", True),
        ("application/json; charset=latin-1", False),
        ("text/plain", False),
        ("text/json", False),
        ("", False),
        (None, False),
    ],
)
def test_content_types(content_type, json_type):
    assert is_json_type(content_type) is json_type
