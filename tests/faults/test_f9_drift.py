"""F9. If this fails, a target that lags behind cannot follow the columns, or loses values."""

from __future__ import annotations

from tests.support.product import Product
from tests.support.warehouse import Warehouse, same

COLUMNS = """
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(5),
    kind ENUM('a', 'b'),
    note VARCHAR(10) CHARACTER SET latin1,
    spare INT,
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""
# What is altered, and a row that only fits afterwards.
ALTERATIONS = {
    "add": ("ADD COLUMN extra DECIMAL(10,2)", {"id": 2, "extra": 2.5}),
    "widen": ("MODIFY name VARCHAR(40)", {"id": 3, "name": "longer than it was"}),
    "a new ENUM value": ("MODIFY kind ENUM('a', 'b', 'cc')", {"id": 4, "kind": "cc"}),
    "charset": ("MODIFY note VARCHAR(10) CHARACTER SET utf8mb4", {"id": 5, "note": "€" * 10}),
    "reorder": ("MODIFY extra DECIMAL(10,2) FIRST", {"id": 6, "extra": 6.5, "name": "six"}),
    "narrow": ("MODIFY name VARCHAR(20)", {"id": 7, "name": "seven"}),
    "drop": ("DROP COLUMN spare", {"id": 8, "kind": "a"}),
}


def put(product: Product, table: str, values: dict[str, object]) -> None:
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    product.source.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())


def assert_equal(product: Product, table: str, *warehouses: Warehouse) -> None:
    """By name: a column that came later stands last on a target."""
    names = [row[0] for row in product.source.run(f"SHOW COLUMNS FROM {table}")]
    for warehouse in warehouses:
        rows = {row["id"]: row for row in warehouse.rows(table)}
        wanted = [dict(zip(names, row, strict=True)) for row in product.source.rows(table)]
        assert len(rows) == len(wanted)
        for row in wanted:
            assert all(same(value, rows[row["id"]][name]) for name, value in row.items()), row


def test_f9_the_source_is_altered_while_a_target_is_away(product: Product) -> None:
    table = product.table("altered", COLUMNS)
    put(product, table, {"id": 1, "name": "one", "kind": "a", "note": "é", "spare": 1})
    product.sync(table)
    with product.target("secondary", breaker_failures=0):
        with product.secondary.paused():
            for change, row in ALTERATIONS.values():
                product.source.run(f"ALTER TABLE {table} {change}")
                put(product, table, row)
                run = product.start(table).go()
                assert run.states["commit_watermark"] == "success", run.told("load_primary")
                assert_equal(product, table, product.primary)
            assert len(product.debt(table)) == len(ALTERATIONS)
        for _ in ALTERATIONS:
            product.sync(table)
            if not product.debt(table):
                break
    assert product.debt(table) == []
    assert_equal(product, table, *product.warehouses)
