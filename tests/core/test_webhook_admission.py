"""Failing here, somebody may send who should not, or may not who should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.webhook.admission import (
    Bucket,
    networks,
    sender_address,
    signature,
    signature_refusal,
    timestamp_refusal,
    token_refusal,
    within,
)
from tidemark.core.webhook.refusals import Refusal

NEW, OLD = b"n" * 20, b"o" * 20
PROXIES = networks(["10.0.0.0/8", "fd00::/8"])


def test_both_tokens_are_valid_during_a_rotation():
    assert token_refusal(NEW.decode(), (NEW, OLD)) is None
    assert token_refusal(OLD.decode(), (NEW, OLD)) is None
    assert token_refusal(OLD.decode(), (NEW,)) is Refusal.WRONG_TOKEN


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_told_from_a_wrong_one(token):
    assert token_refusal(token, (NEW,)) is Refusal.NO_TOKEN


@given(st.text(max_size=30))
def test_no_other_text_is_a_token(text):
    assert token_refusal(text, (NEW, OLD)) is not None or text.encode() in (NEW, OLD)


def test_a_signature_covers_the_timestamp_and_each_byte_of_the_body():
    right = signature(NEW, "1764000000", b'{"a": 1}')
    assert signature_refusal(right, "1764000000", b'{"a": 1}', (OLD, NEW)) is None
    assert signature_refusal("sha256=" + right.upper(), "1764000000", b'{"a": 1}', (NEW,)) is None
    assert signature_refusal(right, "1764000001", b'{"a": 1}', (NEW,)) is Refusal.WRONG_SIGNATURE
    assert signature_refusal(right, "1764000000", b'{"a":1}', (NEW,)) is Refusal.WRONG_SIGNATURE
    assert signature_refusal(right, "1764000000", b'{"a": 1}', (OLD,)) is Refusal.WRONG_SIGNATURE


@pytest.mark.parametrize(
    ("given", "timestamp", "refusal"),
    [
        (None, "1000", Refusal.NO_SIGNATURE),
        ("0" * 64, None, Refusal.NO_SIGNATURE),
        ("0" * 63, "1000", Refusal.WRONG_SIGNATURE),
        ("0" * 64, "1e3", Refusal.WRONG_SIGNATURE),
        ("0" * 64, "699", Refusal.STALE_TIMESTAMP),
        ("0" * 64, "1301", Refusal.STALE_TIMESTAMP),
        ("0" * 64, "700", None),
        ("0" * 64, "1300", None),
    ],
)
def test_a_signed_request_is_worth_something_for_five_minutes(given, timestamp, refusal):
    assert timestamp_refusal(given, timestamp, 1000.0, 300) is refusal


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        ("192.168.1.1", [], "192.168.1.1"),
        ("192.168.1.1", ["45.92.116.9"], "192.168.1.1"),  # not a proxy of ours: not believed
        ("10.0.0.1", ["45.92.116.9"], "45.92.116.9"),
        ("10.0.0.1", ["45.92.116.9, 192.168.1.1"], "192.168.1.1"),  # the first was made up
        ("10.0.0.1", ["45.92.116.9", "10.0.0.2"], "45.92.116.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "nonsense"),
        ("10.0.0.1", ["45.92.116.9:4711, 10.0.0.2:80"], "45.92.116.9"),  # with ports, as ALB may
        ("10.0.0.1", ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("10.0.0.1", ["2001:db8::9"], "2001:db8::9"),
        (None, ["45.92.116.9"], None),
    ],
)
def test_only_trusted_proxies_are_believed(peer, forwarded, sender):
    assert sender_address(peer, forwarded, PROXIES) == sender


def test_an_address_belongs_to_a_network_in_either_notation():
    allowed = networks(["45.92.116.0/22"])
    assert within("45.92.117.5", allowed)
    assert within("::ffff:45.92.117.5", allowed)
    assert not within("45.92.120.1", allowed)
    assert not within("nonsense", allowed)
    assert not within(None, allowed)


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0.5, 50), st.integers(1, 20))
def test_never_more_than_rate_and_burst_allow(pauses, rate, burst):
    bucket, now, taken = Bucket(rate, burst, burst, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        if left := bucket.take(now):
            bucket, taken = left, taken + 1
        assert taken <= burst + rate * now + 1e-6


def test_a_rate_comes_back():
    bucket = Bucket(2.0, 1, 1, 0.0).take(0.0)
    assert bucket is not None
    assert bucket.take(0.4) is None
    assert bucket.take(0.5) is not None
