"""If these fail, a full refresh or resync loses rows or keeps deleted ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.moments import load_submitted
from tests.support.product import Product


@pytest.fixture
def orders(product: Product) -> str:
    """A table of one chunk, copied once."""
    return copied(product, chunk_rows=100)


@pytest.fixture
def one_warehouse(product: Product) -> Iterator[Product]:
    """Without the secondary, where it would only do the same once more."""
    with product.target("secondary", enabled=False):
        yield product


def copied(product: Product, chunk_rows: int) -> str:
    table = product.table("orders", chunk_rows=chunk_rows)
    product.source.insert(table, range(1, 9))
    product.sync(table)
    return table


def kinds(product: Product, table: str, target: str = "primary") -> list[str]:
    warehouse = product.primary if target == "primary" else product.secondary
    return [row["kind"] for row in warehouse.ledger(table)]


def leftovers(product: Product) -> list[str]:
    found = product.primary.run(
        "SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%tidemark_new%'"
    )
    return [row["table_name"] for row in found]


@pytest.mark.runbook("Rows that were deleted on the source must go")
def test_a_full_refresh_takes_deleted_rows_along_and_keeps_the_watermark(product: Product) -> None:
    orders = copied(product, chunk_rows=4)
    watermark = product.watermark(orders)
    product.source.run(f"DELETE FROM {orders} WHERE id IN (2, 7)")
    product.source.run(f"UPDATE {orders} SET name = 'silent', updated_at = updated_at WHERE id = 3")
    product.sync(orders, mode="full_refresh")
    product.assert_equal(orders)
    assert product.watermark(orders) == watermark
    assert kinds(product, orders) == kinds(product, orders, "secondary") == ["increment", "base"]
    assert leftovers(product) == []

    product.source.update(orders, [1], "later")
    product.sync(orders)
    product.assert_equal(orders)
    assert product.state(orders)["epoch"] == 2


def test_readers_see_the_old_table_whole_or_the_new_one(product: Product, orders: str) -> None:
    """The swap waits for a reader whose transaction is open, and who reads on undisturbed."""
    product.source.run(f"DELETE FROM {orders} WHERE id IN (2, 7)")
    run = product.start(orders, mode="full_refresh").go(until="seal_batch")
    with product.primary.reading(orders) as read:
        before = read()
        load = run.begin("load_primary")
        product.primary.wait_for_lock(orders)
        assert read() == before == 8
    assert load.end().state == "success"
    run.go().expect("success")
    product.assert_equal(orders)


def test_rule_3_a_base_that_is_applied_late_carries_newer_rows_over(
    one_warehouse: Product, orders: str
) -> None:
    product = one_warehouse
    refresh = product.start(orders, mode="full_refresh").go(until="seal_batch")
    product.source.update(orders, [1], "changed after the base was read")
    product.source.insert(orders, [20])
    product.sync(orders)
    product.source.run(f"DELETE FROM {orders} WHERE id = 8")  # the base still has it
    refresh.go().expect("success")
    found = product.primary.rows(orders)
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5, 6, 7, 8, 20]
    assert product.primary.names(orders)[1] == "changed after the base was read"
    assert {row["id"]: row["_batch_id"][:4] for row in found}[20] == "inc-"
    product.sync(orders, mode="full_refresh")
    product.assert_equal(orders, product.primary)


def test_rule_3_a_base_older_than_the_newest_is_recorded_and_changes_nothing(
    one_warehouse: Product, orders: str
) -> None:
    product = one_warehouse
    older = product.start(orders, mode="full_refresh").go(until="seal_batch")
    product.source.run(f"DELETE FROM {orders} WHERE id = 5")
    product.sync(orders, mode="full_refresh")
    product.assert_equal(orders, product.primary)
    older.go().expect("success")
    product.assert_equal(orders, product.primary)
    assert kinds(product, orders)[1:] == ["base", "superseded"]


def test_what_a_base_covers_is_held_and_loaded_no_more(product: Product, orders: str) -> None:
    with product.secondary.paused():
        product.source.update(orders, [1], "missed")
        product.sync(orders, "failed")
        product.source.insert(orders, [30])
        product.sync(orders, "failed")
    product.source.run(f"DELETE FROM {orders} WHERE id = 30")
    assert len(product.debt(orders)) == 2
    run = product.sync(orders, mode="resync", targets=["secondary"])
    assert run.states["load_primary"] == "skipped"
    assert product.debt(orders) == []
    assert kinds(product, orders, "secondary") == ["increment", "base"]
    product.assert_equal(orders, product.secondary)
    assert product.state(orders)["targets"]["secondary"]["status"] == "complete"


def test_rule_7_a_full_refresh_frees_a_table_whose_batch_in_flight_sticks(
    one_warehouse: Product, orders: str
) -> None:
    product = one_warehouse
    product.source.update(orders, [4], "stuck")
    stuck = product.start(orders).go(until="plan_increment")
    product.sync(orders, mode="full_refresh")
    assert product.state(orders)["in_flight"] is None
    stuck.go()
    assert stuck.states["seal_batch"] == "skipped"
    product.sync(orders)
    product.assert_equal(orders, product.primary)


def test_rule_9_a_base_that_the_secondary_missed_is_owed_and_a_resync_never(
    product: Product, orders: str
) -> None:
    product.source.run(f"DELETE FROM {orders} WHERE id = 1")
    with product.secondary.paused():
        product.sync(orders, "failed", mode="full_refresh")
        assert [batch[:5] for batch in product.debt(orders)] == ["base-"]
        resync = product.sync(orders, "failed", mode="resync", targets=["secondary"])
        assert len(product.debt(orders)) == 1
    resync.clear("load_secondary").go().expect("success")
    assert product.debt(orders) == []
    product.assert_equal(orders)


def test_a_swap_that_dies_or_is_sent_twice_changes_nothing_twice(
    one_warehouse: Product, orders: str
) -> None:
    product = one_warehouse
    product.source.run(f"DELETE FROM {orders} WHERE id = 6")
    run = product.start(orders, mode="full_refresh").go(until="seal_batch")
    with product.gate.hold(load_submitted(orders, "primary"), after=True) as held:
        attempt = run.begin("load_primary", process=True)
        call = held.wait()
        held.kill_caller()
        assert attempt.end().state == "failed"
    run.clear("load_primary").go().expect("success")
    product.assert_equal(orders, product.primary)
    body = getattr(call, "body", None)
    if body:
        assert product.primary.replay(body, "f" * 64) == "FAILED"
    product.assert_equal(orders, product.primary)
    assert kinds(product, orders) == ["increment", "base"]
    assert leftovers(product) == []


@pytest.mark.runbook("A warehouse is new: added later, restored, or disabled too long")
def test_a_target_added_later_is_new_and_starts_by_resync(product: Product) -> None:
    table = product.table("added", chunk_rows=100)
    product.source.insert(table, range(1, 5))
    with product.target("secondary", enabled=False):
        product.sync(table)
    run = product.sync(table)  # plans nothing, and enters the target
    product.source.update(table, [1], "before its base")
    run = product.sync(table)
    assert run.states["load_secondary"] == "skipped"
    assert "mode: resync" in run.told("load_secondary")
    assert product.state(table)["targets"]["secondary"]["status"] == "new"
    assert product.debt(table) == []

    resync = product.start(table, mode="resync", targets=["secondary"]).go(until="seal_batch")
    product.source.update(table, [2], "after its base")
    product.sync(table)
    assert len(product.debt(table)) == 1, "what its base cannot have"
    resync.go().expect("success")
    product.assert_equal(table)
    assert product.debt(table) == []
    assert product.state(table)["targets"]["secondary"]["status"] == "complete"


@pytest.mark.runbook("A warehouse is new: added later, restored, or disabled too long")
def test_rule_23_a_restored_warehouse_is_noticed(product: Product, orders: str) -> None:
    product.source.update(orders, [1], "restored away")
    product.sync(orders)
    product.secondary.run(f"DELETE FROM _tidemark_ledger__{orders} WHERE low IS NOT NULL")
    product.source.update(orders, [2], "next")
    run = product.sync(orders, "failed")
    said = run.told("load_secondary")
    assert "which was committed and is not owed" in said
    assert "was restored from an older state" in said
    assert product.state(orders)["targets"]["secondary"]["status"] == "new"
    product.sync(orders, mode="resync", targets=["secondary"])
    product.assert_equal(orders)


def test_rule_4_what_repair_deleted_does_not_rise_again(
    one_warehouse: Product, orders: str
) -> None:
    product = one_warehouse
    stale = product.start(orders, since="2000-01-01T00:00:00+00:00").go(until="seal_batch")
    base = product.start(orders, mode="full_refresh").go(until="seal_batch")
    product.source.run(f"DELETE FROM {orders} WHERE id = 3")
    looked = product.source.now()
    for warehouse in [product.primary]:  # what repair will do
        warehouse.run(f"DELETE FROM {orders} WHERE id = 3")
        begin = f"_tidemark_tombstones__{orders}__"
        (made,) = warehouse.run(
            "SELECT table_name FROM information_schema.tables"
            f" WHERE LEFT(table_name, {len(begin)}) = '{begin}'"
        )
        warehouse.run(f"INSERT INTO {made['table_name']} VALUES (3, '{looked:%F %T.%f}')")
    stale.go().expect("success")
    product.assert_equal(orders, product.primary)
    base.go().expect("success")
    product.assert_equal(orders, product.primary)
    product.source.insert(orders, [3])
    product.sync(orders)
    product.assert_equal(orders, product.primary)


def test_a_full_table_is_replaced_by_every_run(product: Product) -> None:
    table = product.table("small", "id INT PRIMARY KEY, name VARCHAR(20)", strategy="full")
    product.source.run(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    product.sync(table)
    product.source.run(f"DELETE FROM {table} WHERE id = 1")
    first = product.watermark(table)
    with product.secondary.paused():
        product.sync(table, "failed")
        product.sync(table, "failed")
    assert len(product.debt(table)) == 1, "only the newest base is worth anything"
    assert product.watermark(table) > first
    product.sync(table)
    assert product.debt(table) == []
    for warehouse in product.warehouses:
        assert warehouse.names(table) == {2: "b", 3: None}


def test_a_full_table_needs_no_key(one_warehouse: Product) -> None:
    product = one_warehouse
    table = product.table("small", "id INT, name VARCHAR(20)", strategy="full")
    product.source.run(f"INSERT INTO {table} VALUES (1, 'a'), (1, 'a'), (2, NULL)")
    product.sync(table)
    assert [row["id"] for row in product.primary.rows(table)] == [1, 1, 2]
    product.source.run(f"DELETE FROM {table}")
    product.sync(table)
    assert product.primary.rows(table) == []


@pytest.mark.runbook("The source's columns changed")
def test_rows_may_be_told_apart_by_another_key(product: Product) -> None:
    """A key that a table gets, and one that grows; one column is called as deletions' time."""
    columns = "id INT NOT NULL, read_at DATETIME NOT NULL, level INT"
    table = product.table("readings", columns, strategy="full")
    add = f"INSERT INTO {table} VALUES (%s, %s, 1)"
    product.source.run(add, 1, "2026-03-01 12:00:00")
    product.sync(table)
    product.source.run(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
    product.source.run(add, 2, "2026-03-01 12:01:00")
    product.sync(table)
    product.assert_equal(table)
    product.source.run(f"ALTER TABLE {table} DROP PRIMARY KEY, ADD PRIMARY KEY (read_at, id)")
    product.source.run(f"DELETE FROM {table} WHERE id = 1")
    product.source.run(add, 2, "2026-03-01 11:00:00")
    product.sync(table)
    for warehouse in product.warehouses:
        found = warehouse.run(f"SELECT id, read_at FROM {table} ORDER BY read_at")
        assert [(row["id"], row["read_at"][11:16]) for row in found] == [(2, "11:00"), (2, "12:01")]
