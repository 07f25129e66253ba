"""If these fail, a failover of a minute is not survived, or everybody comes back at once."""

from itertools import accumulate, islice

from tidemark.core.patience import LONGEST_SECONDS, waits


def test_pauses_double_up_to_the_longest() -> None:
    assert list(islice(waits(lambda: 0.0), 7)) == [0.5, 1, 2, 4, 8, 8, 8]


def test_each_is_shortened_by_up_to_half() -> None:
    draws = iter([0.0, 0.5, 1.0, 0.25])
    assert list(islice(waits(lambda: next(draws)), 4)) == [0.5, 0.75, 1, 3.5]


def test_a_failover_of_a_minute_is_asked_about_often_and_not_too_often() -> None:
    for shortening in (0.0, 0.999):
        asked = [at for at in accumulate(islice(waits(lambda s=shortening: s), 50)) if at < 60]
        assert 8 < len(asked) < 25
        assert asked[-1] > 60 - LONGEST_SECONDS
