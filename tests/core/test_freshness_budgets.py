"""If these fail, a budget is not what its file says, or a wrong one is found out too late."""

from pathlib import Path

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.freshness.budgets import Freshness, parse_freshness

SHIPPED = Path(__file__).parents[2] / "include" / "freshness.yaml"


def parse(text: str) -> Freshness:
    return parse_freshness(
        f"version: 1\n{text}",
        {},
        tables=["shop.orders", "shop._heartbeat"],
        targets=["primary", "secondary"],
    )


def test_the_shipped_file_is_the_matrix_of_freshness():
    shipped = parse_freshness(SHIPPED.read_text(), {}, tables=[], targets=[])
    matrix = {
        name: (each.target_lag_seconds, each.max_lag_seconds, each.on_breach)
        for name, each in shipped.budgets.items()
    }
    assert matrix == {
        "redis_cache": (0, 0.1, "read_primary"),
        "primary_database": (0, 0.05, "failover"),
        "read_replica": (3, 5, "route_primary"),
        "near_real_time_replica": (10, 30, "abort_retry"),
        "kafka_consumers": (30, 120, "partial_with_warning"),
        "redshift_bi": (300, 900, "display_as_of"),
        "redshift_historical": (86_400, 172_800, "accept_stale"),
    }
    bi = shipped.budget("any.table", "primary")
    assert bi == shipped.budgets["redshift_bi"]
    assert bi.service_level == 0.995


def test_the_first_rule_that_fits_counts():
    chosen = parse(
        "budgets: {fast: {}, slow: {max_lag_seconds: 90000}}\n"
        "default_budget: fast\n"
        "tables:\n"
        "  shop.orders: {priority: high, targets: {secondary: slow}}\n"
        '  "shop.*": {budget: slow, priority: low}\n'
    )
    assert chosen.budget_name("shop.orders", "primary") == "fast"
    assert chosen.budget_name("shop.orders", "secondary") == "slow"
    assert chosen.budget_name("shop.carts", "primary") == "slow"
    assert chosen.budget_name("appsflyer", "primary") == "fast"
    assert [chosen.rule(t).priority for t in ("shop.orders", "shop.x", "x")] == [
        "high",
        "low",
        "normal",
    ]


def test_a_copy_is_offered_before_the_primary_unless_told_otherwise():
    roles = {"primary": "required", "secondary": "best_effort", "third": "best_effort"}
    assert parse("default_budget: redshift_bi").in_order(roles) == ["secondary", "third", "primary"]
    assert parse("prefer: [primary]").in_order(roles) == ["primary", "secondary", "third"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("budgets: {b: {target_lag_seconds: 9, max_lag_seconds: 5}}\ndefault_budget: b", "above"),
        (
            "budgets: {b: {max_lag_seconds: 900, recover_below_seconds: 901}}\ndefault_budget: b",
            "it would flap",
        ),
        ("budgets: {b: {max_lag: 5}}\ndefault_budget: b", "there is no such setting"),
        ("default_budget: none", "default_budget: there is no budget none"),
        ("tables: {shop.orders: {budget: none}}", "tables.shop.orders.budget"),
        ("tables: {shop.orders: {targets: {third: redshift_bi}}}", "third is not in targets.yaml"),
        ("prefer: [third]", "third is not in targets.yaml"),
        ("heartbeats: [{table: shop.nowhere}]", "shop.nowhere is not in tables.yaml"),
        ("colour: green", "there is no such setting"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str):
    with pytest.raises(FixConfiguration, match=r"freshness\.yaml") as raised:
        parse(text)
    assert says in str(raised.value)
