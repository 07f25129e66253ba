"""If these fail, the doctor lets a budget pass that nobody can keep, or cries at one that is."""

from datetime import UTC, datetime, timedelta

import pytest
from tidemark.core.freshness.attainable import attainable, judge_schedules
from tidemark.core.freshness.budgets import Budget, Freshness, Rule
from tidemark.core.freshness.survey import Listed

NOW = datetime(2026, 11, 22, 17, 42, 3, tzinfo=UTC)
BOTH = ("primary", "secondary")


def listed(schedule: str | None, lag: float = 5) -> Listed:
    relations = dict.fromkeys(BOTH, "public.it")
    return Listed("table", "dag", schedule, timedelta(seconds=lag), "mysql_default", relations)


def judged(schedule: str | None, **budget) -> list[str]:
    freshness = Freshness(budgets={"it": Budget(**budget)}, default_budget="it")
    found = judge_schedules(freshness, {"shop.orders": listed(schedule)}, BOTH, NOW)
    assert {each.level for each in found} <= {"warning"}
    return [each.line for each in found]


def test_a_lag_grows_from_run_to_run():
    assert attainable([300], freshest=0, target_lag=300) == 1
    assert attainable([300], freshest=30, target_lag=300) == pytest.approx(0.9)
    assert attainable([100, 300], freshest=0, target_lag=100) == pytest.approx(0.5)
    assert attainable([300], freshest=60, target_lag=30) == 0


@pytest.mark.parametrize(
    ("schedule", "target", "warned"),
    [
        ("*/5 * * * *", 300, True),
        ("*/4 * * * *", 300, False),
        ("* * * * *", 60, True),
        ("* * * * *", 65, False),
        ("0 6 * * *", 24 * 3600, False),  # 99.99 % of the day
        ("0 8-18 * * *", 3700, True),  # nobody looks at night
        ("0 0 1 1 *", 24 * 3600, True),
        (None, 1, False),
    ],
)
def test_what_a_schedule_cannot_keep_is_told(schedule, target, warned):
    assert bool(judged(schedule, target_lag_seconds=target, max_lag_seconds=1e9)) is warned


def test_what_is_wrong_is_told_with_figures_once_for_all_tables_alike():
    (line,) = judged("*/5 * * * *")
    for words in ("'*/5 * * * *'", "300 s for 98.3% of the time", "99.5%", "shop.orders", "304"):
        assert words in line
    tables = {f"shop.t{number}": listed("*/5 * * * *") for number in range(1000)}
    freshness = Freshness(tables={"shop.t7": Rule(targets={"secondary": "redshift_bi"})})
    (found,) = judge_schedules(freshness, tables, BOTH, NOW)
    assert "shop.t0 and 999 more" in found.line
