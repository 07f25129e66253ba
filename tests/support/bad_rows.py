"""Rows that no warehouse takes, and where they are found when they are set aside."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow.parquet as pq

from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.warehouse import Warehouse

ESSAYS = """
    id BIGINT NOT NULL PRIMARY KEY,
    body LONGTEXT NULL,
    born DATE NULL,
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""
TOO_LONG = 70_000
# What the look before the upload cannot know: that these warehouses take no character 0.
ZERO = "a\0b"


def records(product: Product, table: str) -> dict[str, dict[str, Any]]:
    """The table's records in quarantine, by the end of their name."""
    keys = product.store.keys(f"quarantine/{DATABASE}.{table}/")
    return {
        key.rsplit("/", 1)[1]: json.loads(product.store.get(key))
        for key in keys
        if key.endswith(".json")
    }


def rows_of(product: Product, record: dict[str, Any]) -> list[dict[str, Any]]:
    files = [product.store.get(file["key"]) for file in record["files"]]
    return [row for file in files for row in pq.read_table(io.BytesIO(file)).to_pylist()]


def essays(product: Product, *bodies: str, **settings: Any) -> str:
    table = product.table("essays", ESSAYS, **settings)
    for number, body in enumerate(bodies):
        product.source.run(f"INSERT INTO {table} (id, body) VALUES (%s, %s)", number, body)
    return table


def ids(product: Product, table: str) -> list[list[int]]:
    return [[row["id"] for row in warehouse.rows(table)] for warehouse in product.warehouses]


def strict_on(warehouse: Warehouse, table: str) -> None:
    """Somebody made the table there by hand, more strictly than the source."""
    columns = (
        "id BIGINT NOT NULL, body VARCHAR(65535){}, born DATE, updated_at TIMESTAMP,"
        " _batch_id VARCHAR(256), _read_at TIMESTAMP, _loaded_at TIMESTAMP"
    )
    warehouse.run(f"CREATE TABLE {table} ({columns.format(' NOT NULL')})")
    warehouse.run(f"CREATE TABLE {table}_relaxed ({columns.format('')})")
