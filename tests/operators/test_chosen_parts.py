"""If these fail, a warehouse holds what was to stay on the source, or lacks what was chosen."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.support.product import Product
from tests.support.source import DATABASE

_PEOPLE = """
    id BIGINT NOT NULL PRIMARY KEY,
    mail VARCHAR(60) NULL,
    secret VARCHAR(60) NULL,
    vectors GEOMETRY NULL,
    country CHAR(2) NULL,
    kind VARCHAR(10) NOT NULL,
    deleted_at DATETIME NULL,
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""
_NUMBERED = """
    tax_number BIGINT NOT NULL PRIMARY KEY,
    paid INT NOT NULL,
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""


HASH_KEY = "the key of these hashes"


@pytest.fixture(autouse=True)
def hash_key(product: Product) -> None:
    product.connection("tidemark_hash", conn_type="generic", password=HASH_KEY)


def hashed(value: str) -> str:
    return hmac.new(HASH_KEY.encode(), value.encode(), hashlib.sha256).hexdigest()


@pytest.mark.runbook("The columns or the condition of a table are to change")
def test_chosen_columns_and_rows_arrive_and_no_others(product: Product) -> None:
    source = product.source
    table = product.table("chosen", _PEOPLE)
    product.configure(
        table,
        columns={"exclude": ["secret", "vectors"], "hash": ["mail"]},
        where="country IN ('DE', 'FR') AND NOT kind = 'test'",
        soft_delete="deleted_at",
    )
    for row in (
        (1, "a@b.de", "DE", "real"),
        (2, None, "FR", "real"),
        (3, "c@d.us", "US", "real"),
        (4, "e@f.de", "DE", "test"),
        (5, "g@h.de", None, "real"),
    ):
        source.run(
            f"INSERT INTO {table} (id, mail, country, kind, secret) VALUES (%s, %s, %s, %s, 'no')",
            *row,
        )
    product.sync(table)
    chosen = [
        {"id": 1, "mail": hashed("a@b.de"), "country": "DE", "deleted_at": None},
        {"id": 2, "mail": None, "country": "FR", "deleted_at": None},
    ]
    for warehouse in product.warehouses:
        rows = warehouse.run(f"SELECT * FROM {table} ORDER BY id")
        assert [{name: row[name] for name in chosen[0]} for row in rows] == chosen
        assert not {"secret", "vectors"} & set(rows[0])

    # Marked as deleted, and chosen only now: both are changes like any other.
    source.run(f"UPDATE {table} SET deleted_at = '2024-01-01' WHERE id = 1")
    source.run(f"UPDATE {table} SET kind = 'real' WHERE id = 4")
    batch_id = product.sync(table).xcom("plan_increment", "batch_id")
    plan = product.store.document(f"{DATABASE}.{table}", batch_id)["plan"]
    assert plan["where"] == "country IN ('DE', 'FR') AND NOT kind = 'test'"
    for warehouse in product.warehouses:
        rows = warehouse.run(f"SELECT id, deleted_at FROM {table} ORDER BY id")
        assert [(row["id"], row["deleted_at"] is None) for row in rows] == [
            (1, False),
            (2, True),
            (4, True),
        ]

    # A row that is not chosen moves the watermark, or every run would look at it again.
    before = product.watermark(table)
    source.run(f"UPDATE {table} SET secret = 'other' WHERE id = 3")
    batch_id = product.sync(table).xcom("plan_increment", "batch_id")
    assert product.store.document(f"{DATABASE}.{table}", batch_id)["rows"] == 0
    assert product.watermark(table) > before
    for warehouse in product.warehouses:
        assert len(warehouse.run(f"SELECT id FROM {table}")) == 3


def test_a_hashed_key_tells_rows_apart_and_is_nowhere_written_down(product: Product) -> None:
    source = product.source
    table = product.table("hidden_key", _NUMBERED, chunk_rows=2)
    product.configure(table, columns={"hash": ["tax_number"]})
    for number in range(6):
        source.run(f"INSERT INTO {table} (tax_number, paid) VALUES (%s, 0)", 9_876_543_210 + number)
    product.sync(table)
    source.run(f"UPDATE {table} SET paid = 1 WHERE tax_number < 9876543213")
    product.sync(table)
    expected = {hashed(str(9_876_543_210 + number)): int(number < 3) for number in range(6)}
    for warehouse in product.warehouses:
        rows = warehouse.run(f"SELECT tax_number, paid FROM {table}")
        assert {row["tax_number"]: row["paid"] for row in rows} == expected
    documents = [
        product.store.get(key)
        for keys in product.batches(table).values()
        for key in keys
        if key.endswith(".json")
    ]
    assert len(documents) > 4
    assert not [text for text in documents if b"98765432" in text]
