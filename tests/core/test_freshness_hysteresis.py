"""If these fail, readers are sent to and fro between two copies, each time to other rows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.freshness.budgets import Budget
from tidemark.core.freshness.hysteresis import Hold, joined, step

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Left above 5 s, back after two minutes at 3 s or less.
REPLICA = Budget(
    target_lag_seconds=3, max_lag_seconds=5, recover_below_seconds=3, recover_for_seconds=120
)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def looked(*lags: float | None, every: float = 30, hold: Hold | None = None) -> Hold:
    hold = hold or Hold()
    for number, lag in enumerate(lags):
        hold = step(hold, lag, after(number * every), REPLICA)
    return hold


def test_a_copy_is_left_at_the_maximum_and_returned_to_after_the_hold():
    assert looked(4.9, 5.0).offered
    left = looked(2, 5.1)
    assert left.left_at == after(30)
    assert not looked(2, 5.1, 2.9, 2.9, 2.9, 2.9).offered, "90 s are not two minutes"
    assert looked(2, 5.1, 2.9, 2.9, 2.9, 2.9, 2.9).offered


def test_one_look_above_the_threshold_begins_the_hold_anew():
    assert not looked(6, 2, 2, 2, 4, 2, 2, 2, 2).offered
    assert looked(6, 2, 2, 2, 4, 2, 2, 2, 2, 2).offered


def test_it_says_how_long_the_hold_still_is():
    assert looked(2).returns_in(REPLICA, after(0)) is None
    assert looked(6, 4).returns_in(REPLICA, after(30)) is None
    assert looked(6, 2, 2).returns_in(REPLICA, after(60)) == 90


def test_a_silence_proves_nothing():
    """The one who looked was away: nobody knows what the lag was meanwhile."""
    hold = looked(6, 2)
    later = step(hold, 2, after(3600), REPLICA)
    assert not later.offered
    assert later.below_since == after(3600)


def test_a_target_that_holds_nothing_is_neither_left_nor_returned_to():
    assert looked(None, None).offered
    assert looked(6, 2, 2, 2, None, 2, 2).left_at == after(0)


steps = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(0, 12), st.sampled_from([3.0, 3.01, 5.0, 5.01])),
        st.integers(1, 200),
    ),
    max_size=60,
)


@given(steps, st.integers(0, 300))
def test_it_never_flaps(looks, recover_for):
    """Whatever the lag does: what is offered is inside the maximum, and a copy that was left comes
    back no sooner than the hold takes, and only if every look meanwhile was good."""
    budget = REPLICA.model_copy(update={"recover_for_seconds": float(recover_for)})
    hold, now, since_left = Hold(), NOW, []
    for lag, seconds in looks:
        now += timedelta(seconds=seconds)
        before, hold = hold, step(hold, lag, now, budget)
        if lag is not None and lag > 5:
            assert not hold.offered
        if before.offered:
            assert hold.offered or (lag is not None and lag > 5)
            since_left = [] if hold.offered else [(now, lag)]
            continue
        since_left.append((now, lag))
        if hold.offered:
            good = [at for at, seen in since_left if at > now - timedelta(seconds=recover_for)]
            assert all(
                seen is not None and seen <= 3 for at, seen in since_left if at in good or at == now
            )
            assert (now - since_left[0][0]).total_seconds() >= recover_for
    assert Hold.model_validate_json(hold.model_dump_json()) == hold


@given(st.lists(st.sampled_from([2.0, 4.0, 6.0]), min_size=20, max_size=60))
def test_a_lag_that_plays_around_the_thresholds_moves_readers_seldom(lags):
    """One look every 30 s: five good ones in a row are the least for a return."""
    hold, moves = Hold(), 0
    for number, lag in enumerate(lags):
        after_look = step(hold, lag, after(number * 30), REPLICA)
        moves += after_look.offered != hold.offered
        hold = after_look
    assert moves <= 1 + 2 * (len(lags) // 6)


def test_the_record_is_believed_but_for_what_it_was_too_slow_to_see():
    recorded = Hold(seen_at=after(60))
    own = Hold(left_at=after(10), seen_at=after(10))
    assert joined(own, recorded, REPLICA) == own, "it has not watched for long enough"
    well = Hold(seen_at=after(180))
    assert joined(own, well, REPLICA) == well
    left = Hold(left_at=after(0), seen_at=after(60))
    assert joined(Hold(seen_at=after(70)), left, REPLICA) == left
    assert joined(own, Hold(), REPLICA) == own, "there is no record"
    alone = Hold(seen_at=after(900))
    assert joined(alone, left, REPLICA) == alone, "the record is kept no more"
