"""If these fail, a warehouse is spoken to when it must be left alone, or owes for ever after."""

from __future__ import annotations

import pytest

from tests.support.bad_rows import essays, ids, records, strict_on
from tests.support.moments import ledger_asked
from tests.support.owing import owing
from tests.support.product import Product
from tests.support.traffic import data_api

_ALWAYS = ["00:00-12:00", "12:00-00:00"]


@pytest.mark.runbook("A warehouse must be left alone at certain times")
def test_a_target_without_operation_now_owes(product: Product) -> None:
    table = product.table("quiet")
    product.source.insert(table, [1])
    with product.target("secondary", no_operation=_ALWAYS):
        seen = len(product.gate.seen)
        run = product.sync(table)
        assert run.states["load_secondary"] == "skipped"
        assert "no_operation" in run.told("load_secondary")
        assert len(product.debt(table)) == 1
        assert product.gate.count(ledger_asked(table, "secondary"), seen) == 0
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook("A warehouse must be left alone at certain times")
def test_a_time_without_operation_begins_while_debt_is_paid(product: Product) -> None:
    """What runs, runs on; nothing is begun any more, though there is debt and an own batch."""
    table = product.table("quiet")
    owed = owing(product, table, 3)
    product.source.insert(table, [9])
    with product.target("secondary", catch_up_batches=2):
        run = product.start(table).go(until="seal_batch")
        with product.secondary.locked(table):
            assert run.do("load_secondary", follow=False).state == "deferred"
        with product.target("secondary", no_operation=_ALWAYS):
            assert run.resume("load_secondary").state == "success"
            assert list(run.xcom("load_secondary")) == owed[:2]
            run.go().expect("success")
        own = run.xcom("plan_increment", "batch_id")
        assert product.debt(table) == [owed[2], own]
    product.sync(table)
    assert product.debt(table) == []
    product.assert_equal(table)


@pytest.mark.runbook("A warehouse must be left alone at certain times")
def test_a_time_without_operation_begins_while_a_required_target_refuses_rows(
    product: Product,
) -> None:
    """Neither its rows nor parts of them are sent until the end, and nobody failed."""
    table = product.table(
        "quiet", "id BIGINT PRIMARY KEY, name VARCHAR(60), updated_at DATETIME(6)"
    )
    product.primary.run(
        f"CREATE TABLE {table} (id BIGINT NOT NULL, name VARCHAR(240) NOT NULL, updated_at"
        " TIMESTAMP, _batch_id VARCHAR(256), _read_at TIMESTAMP, _loaded_at TIMESTAMP)"
    )
    product.source.run(f"INSERT INTO {table} VALUES (1, 'one', NOW(6)), (2, NULL, NOW(6))")
    run = product.start(table).go(until="seal_batch")
    with product.primary.locked(table):
        assert run.do("load_primary", follow=False).state == "deferred"
    with product.target("primary", no_operation=_ALWAYS):
        assert run.resume("load_primary").state == "deferred"
    assert product.primary.ledger(table) == []
    assert product.state(table)["targets"]["primary"]["failure"] is None
    run.clear("load_primary").go()
    assert [row["id"] for row in product.primary.rows(table)] == [1]
    (receipt,) = run.xcom("load_primary").values()
    assert (receipt["merged"], receipt["set_aside"]) == (1, 1)


@pytest.mark.runbook("A warehouse must be left alone at certain times")
def test_a_time_without_operation_begins_while_rows_are_looked_for(product: Product) -> None:
    """It owes what it refused, is asked nothing more, and no row is set aside yet."""
    table = essays(product, "fine")
    strict_on(product.secondary, table)
    product.source.run(f"INSERT INTO {table} (id, body) VALUES (1, NULL), (2, 'there')")
    run = product.start(table).go(until="seal_batch")
    with product.secondary.locked(table):
        assert run.do("load_secondary", follow=False).state == "deferred"
    with product.target("secondary", no_operation=_ALWAYS):
        seen = len(product.gate.seen)
        assert run.resume("load_secondary").state == "skipped"
        assert "no_operation" in run.told("load_secondary")
        assert product.gate.count(data_api("BatchExecuteStatement", table), seen) == 0
        run.go().expect("success")
    assert records(product, table) == {}
    assert len(product.debt(table)) == 1
    run.clear("load_secondary").go()
    assert product.debt(table) == []
    assert ids(product, table) == [[0, 1, 2], [0, 2]]


@pytest.mark.runbook("A warehouse must be left alone at certain times")
def test_a_required_target_without_operation_now_is_waited_for(product: Product) -> None:
    table = product.table("quiet")
    product.source.insert(table, [1])
    run = product.start(table).go(until="seal_batch")
    with product.target("primary", no_operation=_ALWAYS):
        assert run.do("load_primary", follow=False).state == "deferred"
        run.clear("load_primary")
        with product.target("primary", deferrable=False):
            assert run.do("load_primary").state == "failed"
        assert "left alone until" in run.told("load_primary")
    run.clear("load_primary").go().expect("success")
    product.assert_equal(table)
