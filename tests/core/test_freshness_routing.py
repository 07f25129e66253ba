"""If these fail, a reader is sent to staler data than asked for, or sent away for nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.freshness.budgets import Budget
from tidemark.core.freshness.hysteresis import Hold
from tidemark.core.freshness.routing import Ask, Candidate, Offer, Refusal, Rhythm, route
from tidemark.core.freshness.standing import Standing
from tidemark.core.loading.breaker import Breaker
from tidemark.core.loading.failures import Failure
from tidemark.core.storage.stalls import Stall

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BI = Budget()
AWAY = Failure(runs=1, run_id="r", since=NOW, at=NOW, kind="TryAgain")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def a_candidate(target: str, lag: float | None, *, left: float | None = None, **known) -> Candidate:
    role = "required" if target == "primary" else "best_effort"
    standing = Standing(
        target=target,
        role=role,
        enabled=True,
        status="new" if lag is None else "complete",
        as_of=None if lag is None else ago(lag),
        debt=0,
        debt_since=None,
        breaker=Breaker(),
        last_batch=None,
        failure=None,
    )
    hold = Hold(left_at=None if left is None else ago(left))
    return Candidate(replace(standing, **known), lag, hold, BI)


def both(secondary: float | None, primary: float | None, **of_secondary) -> list[Candidate]:
    return [a_candidate("secondary", secondary, **of_secondary), a_candidate("primary", primary)]


def offer(ask: Ask, candidates: list[Candidate]) -> Offer:
    answer = route(ask, candidates, NOW)
    assert isinstance(answer, Offer), answer
    return answer


def refusal(ask: Ask, candidates: list[Candidate]) -> Refusal:
    answer = route(ask, candidates, NOW)
    assert isinstance(answer, Refusal), answer
    return answer


def chosen(ask: Ask, candidates: list[Candidate]) -> str:
    return offer(ask, candidates).candidate.standing.target


def test_the_first_that_is_fresh_enough_is_offered():
    assert chosen(Ask(), both(40, 20)) == "secondary"
    assert chosen(Ask(max_lag=30), both(40, 20)) == "primary"
    found = offer(Ask(max_lag=30), both(40, 20))
    assert found.passed_over == {"secondary": "it is 40 seconds behind, and 30 seconds are allowed"}
    assert not found.degraded


def test_a_copy_that_was_left_is_not_offered_while_another_will_do():
    assert chosen(Ask(), both(40, 20, left=60)) == "primary"
    assert chosen(Ask(consistency="eventual"), both(40, 600, left=60)) == "primary"


def test_better_a_copy_that_is_fresh_and_not_back_yet_than_none():
    found = offer(Ask(), both(40, 2000, left=60))
    assert found.candidate.standing.target == "secondary"
    assert found.degraded
    assert set(found.passed_over) == {"primary"}


def test_strong_consistency_is_the_sources():
    assert refusal(Ask(consistency="strong"), both(0, 0)).error == "not_served_here"


def test_what_is_owed_for_longer_than_the_reader_allows_is_missing_there():
    """A backfill that it missed does not show in the as-of."""
    owing = {"debt": 1, "debt_since": ago(500), "status": "owes"}
    assert chosen(Ask(max_lag=60), both(40, 50, **owing)) == "primary"
    assert chosen(Ask(max_lag=600), both(40, 50, **owing)) == "secondary"


def test_who_has_written_reads_what_was_written():
    assert chosen(Ask(after=ago(30)), both(40, 20)) == "primary"
    assert chosen(Ask(after=ago(20)), both(20, 19)) == "primary", (
        "an as-of is the first moment not covered"
    )
    assert refusal(Ask(after=ago(5)), both(40, 20)).error == "too_stale"


def test_nobody_is_sent_to_a_target_that_is_disabled_or_not_loaded_yet():
    assert chosen(Ask(consistency="eventual"), both(None, 5000)) == "primary"
    assert chosen(Ask(), both(10, 20, enabled=False)) == "primary"
    assert refusal(Ask(consistency="eventual"), both(None, None)).wait is None
    assert refusal(Ask(), []).message == "No target is fresh enough: there is none."


def test_eventual_consistency_takes_the_freshest_when_all_are_late():
    late = [a_candidate("secondary", 9000, left=60), a_candidate("primary", 1000, left=60)]
    found = offer(Ask(consistency="eventual"), late)
    assert (found.candidate.standing.target, found.degraded) == ("primary", True)
    waits = [replace(each, budget=Budget(on_breach="abort_retry")) for each in late]
    assert refusal(Ask(consistency="eventual"), waits).error == "too_stale"


def test_a_refusal_names_the_shortest_wait():
    """Runs at the full minute take 8 s and end 5 s below their start."""
    runs = tuple(NOW + timedelta(seconds=s) for s in (-30, 30, 90, 150))
    rhythm = Rhythm(runs, timedelta(seconds=5), 8.0)
    late = [replace(a_candidate("primary", 40), rhythm=rhythm)]
    assert refusal(Ask(max_lag=20), late).wait == 38
    assert refusal(Ask(max_lag=10), late).wait is None, "it is never so fresh"
    assert refusal(Ask(after=NOW + timedelta(seconds=26)), late).wait == 98
    failing = [replace(each, standing=replace(each.standing, failure=AWAY)) for each in late]
    assert refusal(Ask(max_lag=20), failing).wait is None, "nobody knows when it is mended"
    stall = Stall(what="transaction", thread_id=4711, since=NOW)
    held = [replace(each, standing=replace(each.standing, stall=stall)) for each in late]
    assert refusal(Ask(max_lag=20), held).wait is None, "nor when the transaction ends"


lags = st.one_of(st.none(), st.floats(0, 2000))
candidates = st.builds(
    a_candidate,
    st.sampled_from(["primary", "secondary", "third"]),
    lags,
    left=st.one_of(st.none(), st.floats(0, 100)),
    enabled=st.booleans(),
    debt_since=st.one_of(st.none(), st.floats(0, 3000).map(ago)),
)
asks = st.builds(
    Ask,
    consistency=st.sampled_from(["bounded", "eventual"]),
    max_lag=st.one_of(st.none(), st.floats(0, 3000)),
    after=st.one_of(st.none(), st.floats(-10, 3000).map(ago)),
)


def owing_for(each):
    since = each.standing.debt_since
    return (NOW - since).total_seconds() if since else 0.0


@given(asks, st.lists(candidates, max_size=4))
def test_whatever_is_offered_is_what_was_asked_for(ask, among):
    answer = route(ask, among, NOW)
    limit = BI.max_lag_seconds if ask.max_lag is None else ask.max_lag
    limited = ask.max_lag is not None or ask.consistency == "bounded"
    fit = [
        each
        for each in among
        if each.standing.enabled
        and each.lag is not None
        and not (limited and each.lag > limit)
        and not (limited and owing_for(each) > limit)
        and not (ask.after and ask.after >= each.standing.as_of)
    ]
    if isinstance(answer, Refusal):
        assert not fit
        return
    assert answer.candidate in fit
    assert answer.degraded == (not any(each.hold.offered for each in fit))
