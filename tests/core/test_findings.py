"""A doctor who misses what stops the copying, or cries at what is well, is not asked again."""

from datetime import timedelta

import pytest
from tidemark.core.errors import TryAgain
from tidemark.core.findings import (
    Airflow,
    counted,
    judge_airflow,
    judge_chunks,
    judge_clock,
    judge_lifecycle,
    refused,
)
from tidemark.core.loading.breaker import Breaker
from tidemark.core.loading.roles import with_new
from tidemark.core.settings.targets import RedshiftTarget
from tidemark.core.storage.committing import with_commit
from tidemark.core.storage.overdue import judge_state
from tidemark.core.storage.state import first_state, with_plan

from tests.core.values import HIGH, LOW, a_batch, a_plan

ABORT = {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}
HOUR = timedelta(hours=1)


def expiry(days, **more):
    return {"ID": "old", "Status": "Enabled", "Expiration": {"Days": days}, **more}


def below(prefix):
    return {"Filter": {"Prefix": prefix}}


@pytest.mark.parametrize(
    ("rule", "levels"),
    [
        (expiry(30), ["error", "warning", "warning"]),  # everything: documents, quarantine, staging
        (expiry(30, Prefix="watermark/tables/"), ["error"]),
        (expiry(30, **below("staging/")), ["warning"]),
        (expiry(7, Filter={"And": {"Prefix": "staging/shop", "Tags": []}}), ["error"]),
        (expiry(1, **below("logs/")), []),
        (expiry(1, **below("staging/")) | {"Status": "Disabled"}, []),
        ({**expiry(1), "Expiration": {"ExpiredObjectDeleteMarker": True}}, []),
    ],
)
def test_a_lifecycle_rule_that_takes_what_somebody_needs_is_found(rule, levels):
    found = judge_lifecycle("bucket", [rule, ABORT], keep_days=7)
    assert [each.level for each in found] == levels


def test_unfinished_uploads_need_a_rule():
    (found,) = judge_lifecycle("bucket", [], keep_days=7)
    assert "unfinished uploads" in found.what


def test_a_clock_is_off_only_outside_the_time_in_which_it_was_read():
    assert judge_clock("s", HIGH, LOW, HIGH) == []
    assert judge_clock("s", HIGH + timedelta(seconds=59), LOW, HIGH) == []
    for theirs in (HIGH + HOUR, LOW - HOUR):
        (found,) = judge_clock("s", theirs, LOW, HIGH)
        assert "3600 s" in found.what


ALL = frozenset({"scheduler", "dag-processor", "triggerer"})


def test_what_keeps_tasks_from_being_run_is_found():
    well = Airflow(frozenset({"default_pool"}), ALL, "postgresql+psycopg2")
    assert judge_airflow(well, ["default_pool"], defers=True) == []
    (found,) = judge_airflow(well, ["default_pool", "tidemark_primary"], defers=True)
    assert "airflow pools set tidemark_primary" in found.do
    alone = Airflow(frozenset(), ALL - {"triggerer"}, "sqlite")
    assert [each.what for each in judge_airflow(alone, [], defers=True)] == [
        "no triggerer is running",
        "its database is SQLite",
    ]
    assert len(judge_airflow(alone, [], defers=False)) == 1


def test_a_table_of_more_chunks_than_airflow_maps_is_found():
    assert judge_chunks("t", 1_024_000, 1_000, 1024) == []
    (found,) = judge_chunks("t", 1_024_001, 1_000, 1024)
    assert "chunk_rows of t to 2,002" in found.do


def test_a_refusal_keeps_its_words_and_a_line_says_it_all():
    found = refused("source x", TryAgain(what="it is away", do="Wait."), "Nothing is copied")
    assert found.line == "error   source x: it is away. Nothing is copied. Wait."
    assert counted([found]) == "1 error, 0 warnings"


TARGETS = {
    name: RedshiftTarget(
        name=name, role=role, region="x", workgroup_name="w", database="d", iam_role="r"
    )
    for name, role in (("primary", "required"), ("secondary", "best_effort"))
}


def owing():
    batch = a_batch(low=None, high=LOW)
    roles = {name: target.role for name, target in TARGETS.items()}
    state = with_plan(first_state("shop.orders", roles, LOW), batch.plan)
    return with_commit(state, batch, ["secondary"]), batch.batch_id


def judged(state, changed_at, now=HIGH + 7 * HOUR):
    return [
        (f.level, f.where, f.do) for f in judge_state(state, TARGETS, changed_at, now, 6 * HOUR)
    ]


def test_what_is_owed_or_in_flight_for_too_long_is_found_and_nothing_else():
    state, owed = owing()
    assert judged(state, {owed: HIGH + 2 * HOUR}) == []
    ((level, where, do),) = judged(state, {owed: HIGH})
    assert (level, where) == ("warning", "shop.orders -> secondary")
    assert do == "python -m tidemark catchup -t shop.orders --target secondary"
    ((level, _, do),) = judged(state, {})
    assert (level, "resync" in do) == ("error", True), "its files are gone"
    flying = with_plan(state, a_plan())
    ((_, where, do),) = judged(flying, {owed: HIGH + 2 * HOUR})
    assert (where, do.endswith("watermark replan -t shop.orders")) == ("shop.orders", True)


def test_targets_that_load_nothing_are_found():
    state, owed = owing()
    fresh = {owed: HIGH + 7 * HOUR}
    ((level, _, do),) = judged(with_new(state, "primary"), fresh)
    assert (level, "mode: resync, targets: [primary]" in do) == ("error", True)
    ((level, _, _),) = judged(with_new(state, "secondary"), fresh)
    assert level == "warning"
    off = {"secondary": TARGETS["secondary"].model_copy(update={"enabled": False})}
    (found,) = judge_state(state, off, {owed: HIGH}, HIGH + 7 * HOUR, 6 * HOUR)
    assert "it is disabled and owes 1 batch" in found.what
    assert judge_state(state, off, fresh, HIGH + 7 * HOUR, 6 * HOUR) == []
    broken = Breaker(failures=9, failed_at=HIGH, reason="away")
    target = state.targets["secondary"].model_copy(update={"breaker": broken})
    state = state.model_copy(update={"targets": {**state.targets, "secondary": target}})
    ((_, _, do),) = judged(state, fresh)
    assert "clear load_secondary" in do
