"""Failing here, a copy of a signed request counts as another event, or memory fills with them."""

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.webhook.replays import Replays, signed_id

FIRST, SECOND = signed_id("0a" * 32), signed_id("0b" * 32)


def test_an_id_follows_from_the_signature_alone():
    assert signed_id("0A" * 32) == FIRST  # hexadecimal digits are the same in either case
    assert FIRST != SECOND


def test_a_copy_is_known_for_as_long_as_it_is_valid():
    replays = Replays()
    assert not replays.holds(FIRST, 1000)
    replays.keep(FIRST, until=1300, now=1000)
    assert replays.holds(FIRST, 1299)
    assert not replays.holds(FIRST, 1300)
    assert not replays.holds(SECOND, 1000)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300)), max_size=80))
def test_it_remembers_no_more_than_it_may(kept):
    replays, now = Replays(most=10), 0
    for number, (lasts, passes) in enumerate(kept):
        replays.keep(signed_id(f"{number:064x}"), until=now + lasts, now=now)
        now += passes
        known = [n for n in range(number + 1) if replays.holds(signed_id(f"{n:064x}"), now)]
        assert len(known) <= 10
        assert passes or not lasts or number in known
