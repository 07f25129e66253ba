"""If these fail, people are told of the wrong number of failed runs, or of a stall that is over."""

from datetime import UTC, datetime, timedelta

from tidemark.core.errors import FixConfiguration, MigrateSchema, TryAgain
from tidemark.core.loading.breaker import Breaker
from tidemark.core.loading.failures import Failure, after_failed, family
from tidemark.core.loading.roles import with_outcome
from tidemark.core.source.windows import Held, Horizon
from tidemark.core.storage.noting import untold, with_failed_plan, with_stall, without_failed_plan
from tidemark.core.storage.stalls import Stall, same_stall, stall_of
from tidemark.core.storage.state import TableState, first_state, with_load

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_failures_count_runs_not_tries() -> None:
    failure: Failure | None = None
    for minute, run in enumerate(["r1", "r1", "r2", "r2", "r3"]):
        error = TryAgain(what=f"away in {run}", do="Wait.")
        failure = after_failed(failure, error, run, NOW + minute * MINUTE)
    assert failure is not None
    assert (failure.runs, failure.run_id, failure.said) == (3, "r3", "away in r3")
    assert (failure.since, failure.at) == (NOW, NOW + 4 * MINUTE)


def test_an_error_is_remembered_by_who_acts_next() -> None:
    class Narrower(MigrateSchema):
        pass

    families = (FixConfiguration, Narrower, TryAgain)
    assert [family(each(what="w", do="d")) for each in families] == [
        "FixConfiguration",
        "MigrateSchema",
        "TryAgain",
    ]


def test_a_success_leaves_nothing_and_an_unknown_target_is_passed_over() -> None:
    state = first_state("s.a", {"primary": "required"}, NOW)
    failure = after_failed(None, TryAgain(what="away", do="Wait."), "r1", NOW)
    failed = with_outcome(state, "primary", Breaker(), failure)
    assert failed.targets["primary"].failure == failure
    assert with_outcome(failed, "primary", Breaker(), None) == state
    assert with_outcome(state, "gone", Breaker(), failure) is state


def test_what_a_dead_load_left_is_told_once_and_an_old_one_is_not_the_newest() -> None:
    state = first_state("s.a", {"primary": "required"}, NOW)
    assert untold(state.targets["primary"], "b1", NOW), "nothing was ever told"

    def after(batch: str, at: datetime) -> TableState:
        return with_load(state, "primary", [batch], rows={batch: 7}, loaded_at=at, mirror=True)

    state = after("b1", NOW)
    known = state.targets["primary"]
    assert not untold(known, "b1", NOW)
    assert untold(known, "b2", NOW + MINUTE)
    owes = known.model_copy(update={"debt": ("b0",)})
    assert untold(owes, "b0", NOW - MINUTE), "it is held, and the document has it as owed"
    assert after("b0", NOW - MINUTE) == state, "its run was cleared: b1 stays the newest load"


def test_what_holds_reading_back_has_a_name_after_a_minute_and_is_an_alert_as_configured() -> None:
    lag, second = timedelta(seconds=5), timedelta(seconds=1)

    def seen(age: timedelta, silent_for: timedelta) -> Stall | None:
        bound = Horizon(at=NOW - age - lag, held_by=Held("transaction", 4711, age))
        return stall_of(bound, lag, silent_for)

    assert seen(MINUTE, 15 * MINUTE) is None
    assert seen(second, second) is None
    for age, silent_for, too_long in (
        (MINUTE + second, 15 * MINUTE, False),
        (15 * MINUTE, 15 * MINUTE, False),
        (16 * MINUTE, 15 * MINUTE, True),
        (2 * second, second, True),
    ):
        stall = seen(age, silent_for)
        assert stall
        assert (stall.since, stall.too_long) == (NOW - age, too_long)
    assert stall_of(Horizon(at=NOW, held_by=None), lag, 15 * MINUTE) is None


def test_a_stall_is_written_once_and_forgotten_once() -> None:
    state = first_state("s.a", {"primary": "required"}, NOW)
    stall = Stall(what="transaction", thread_id=4711, since=NOW)
    held = with_stall(state, stall)
    later = stall.model_copy(update={"since": NOW + timedelta(seconds=1)})
    assert with_stall(held, later) is held
    assert with_stall(held, None) == state
    for told in ({"thread_id": 4712}, {"too_long": False}):
        assert not same_stall(stall, stall.model_copy(update=told))


def test_a_run_that_could_not_plan_is_counted_until_one_can() -> None:
    state = first_state("s.a", {"primary": "required"}, NOW)
    failed = with_failed_plan(state, TryAgain(what="away", do="Wait."), "r1", NOW)
    assert failed.failure is not None
    assert (failed.failure.runs, failed.failure.said) == (1, "away")
    assert without_failed_plan(failed) == state
