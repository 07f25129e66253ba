"""If these fail, something is wrong and nobody hears of it, or of something that is not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.loading.breaker import Breaker
from tidemark.core.loading.failures import Failure
from tidemark.core.settings.target_list import parse_targets
from tidemark.core.signals.alerts import Alerts, alert_list, parse_alerts
from tidemark.core.signals.metrics import METRICS
from tidemark.core.signals.symptoms import Owed, judge_quarantine, judge_queue, judge_table
from tidemark.core.source.windows import Window
from tidemark.core.storage.batches import increment_id
from tidemark.core.storage.stalls import Stall
from tidemark.core.storage.state import first_state

from tests.core.values import a_plan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WEEK = timedelta(days=7)
BATCH = increment_id(1, Window(NOW - HOUR, NOW))
ROOT = Path(__file__).parents[2]


def targets():
    text = """
version: 1
staging: {bucket: b, region: r}
defaults: {region: r, database: d, db_user: u, cluster_identifier: c, iam_role: arn}
targets: {primary: {role: required}, secondary: {role: best_effort}}
"""
    return parse_targets(text, {}).by_name


def plan(planned_at):
    return a_plan().model_copy(update={"planned_at": planned_at})


def judged(oldest=None, target="secondary", **changes):
    """The names of what is wrong with a table whose document has these changes."""
    roles = {"primary": "required", "secondary": "best_effort"}
    state = first_state("s.a", roles, NOW)
    of_target = {k: v for k, v in changes.items() if k in type(state.targets[target]).model_fields}
    known = state.targets[target].model_copy(update=of_target)
    others = {k: v for k, v in changes.items() if k not in of_target}
    if "plan_failure" in others:
        others["failure"] = others.pop("plan_failure")
    state = state.model_copy(update={"targets": {**state.targets, target: known}, **others})
    found = judge_table(state, targets(), oldest or {}, Alerts(), NOW, WEEK)
    return [(each.alert, each.severity, each.subject) for each in found]


def failure(runs=1, since=NOW, kind="TryAgain"):
    return Failure(runs=runs, run_id="r", since=since, at=NOW, kind=kind, said="away")


def test_a_table_that_is_well_has_no_symptom():
    assert judged() == []
    assert judged(in_flight=plan(planned_at=NOW - 30 * MINUTE)) == []


def test_a_batch_that_is_not_committed_is_a_page():
    late = plan(planned_at=NOW - 31 * MINUTE)
    assert judged(in_flight=late) == [("watermark-stuck", "page", "s.a")]


def test_runs_that_cannot_plan_are_a_page_and_columns_that_wait_a_ticket():
    assert judged(plan_failure=failure(2)) == []
    assert judged(plan_failure=failure(3)) == [("watermark-stuck", "page", "s.a")]
    blocked = failure(kind="MigrateSchema")
    assert judged(plan_failure=blocked) == [("schema-blocked", "ticket", "s.a")]


def test_a_transaction_that_holds_reading_back_is_a_ticket():
    stall = Stall(what="transaction", thread_id=4711, since=NOW - HOUR)
    assert judged(stall=stall) == [("source-stalled", "ticket", "s.a")]
    assert judged(stall=stall.model_copy(update={"too_long": False})) == []


def test_the_third_run_whose_required_load_fails_is_a_page():
    assert judged(target="primary", failure=failure(2)) == []
    page = ("required-load", "page", "s.a -> primary")
    assert judged(target="primary", failure=failure(3)) == [page]


def test_an_open_breaker_is_a_ticket_after_a_while():
    broken = Breaker(failures=9, failed_at=NOW, reason="away")
    where = "s.a -> secondary"
    assert judged(failure=failure(9, NOW - 30 * MINUTE), breaker=broken) == []
    ticket = [("breaker-open", "ticket", where)]
    assert judged(failure=failure(9, NOW - 31 * MINUTE), breaker=broken) == ticket


def test_columns_that_wait_for_somebody_are_a_ticket():
    ticket = [("schema-blocked", "ticket", "s.a -> secondary")]
    assert judged(failure=failure(kind="MigrateSchema")) == ticket


@pytest.mark.parametrize(
    ("age", "enabled", "wanted"),
    [
        (5 * HOUR, True, []),
        (7 * HOUR, True, [("batch-unloaded", "ticket")]),
        (6 * 24 * HOUR + MINUTE, True, [("debt-expires", "ticket"), ("batch-unloaded", "ticket")]),
        (6 * 24 * HOUR + MINUTE, False, [("debt-expires", "page")]),
        (None, True, [("debt-expires", "page")]),
    ],
)
def test_what_is_owed_for_too_long(age, enabled, wanted):
    owed = Owed(BATCH, None if age is None else NOW - age)
    found = judged({"secondary": owed}, debt=(BATCH,), enabled=enabled)
    assert [each[:2] for each in found] == wanted


def test_a_queue_and_what_was_set_aside_are_pages_when_they_grow():
    def queue(*seen):
        return [(each.alert, each.severity) for each in judge_queue("appsflyer", *seen, Alerts())]

    assert queue(100_000, 0, 0) == queue(None, None, 0) == []
    assert queue(100_001, 0, 0) == [("queue-long", "ticket")]
    assert queue(500_001, 0, 0) == [("queue-long", "page")]
    assert queue(0, 1, 0) == queue(0, 2, 2) == [("dead-letters", "ticket")]
    assert queue(0, 3, 2) == [("dead-letters", "page")]
    assert [each.severity for each in judge_quarantine("s.a", 3, 3)] == ["ticket"]
    assert [each.severity for each in judge_quarantine("s.a", 4, 3)] == ["page"]
    assert list(judge_quarantine("s.a", 0, 3)) == []


def test_every_alert_is_a_threshold_of_a_metric_that_is_sent():
    known = alert_list(Alerts())
    assert len(known) > 10
    assert len({(each.name, each.severity) for each in known}) == len(known)
    for each in known:
        assert each.where is None or each.where[0] in METRICS[each.metric].tags


@pytest.mark.runbook("An alert was told")
def test_every_alert_is_in_the_runbook():
    told = (ROOT / "docs" / "runbook.md").read_text()
    for each in alert_list(Alerts()):
        assert f"| `{each.name}` (" in told, each.name


def test_the_file_that_is_shipped_says_what_is_the_default():
    shipped = (ROOT / "include" / "alerts.yaml").read_text()
    assert parse_alerts(shipped, {}) == Alerts()


def test_a_wrong_key_is_named():
    with pytest.raises(FixConfiguration, match=r"alerts\.yaml: failed_run: there is no such"):
        parse_alerts("version: 1\nfailed_run: 3", {})
    with pytest.raises(FixConfiguration, match=r"alerts\.yaml: notify.*named by its module"):
        parse_alerts("version: 1\nnotify: {page: [{notifier: slack}]}", {})
