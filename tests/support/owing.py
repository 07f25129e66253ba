"""A warehouse that owes."""

from __future__ import annotations

from tests.support.product import Product


def owing(product: Product, table: str, batches: int) -> list[str]:
    """Give the secondary so many batches of debt, of one row each; return their ids."""
    product.source.insert(table, [0])
    product.sync(table)
    with product.secondary.paused():
        for number in range(1, batches + 1):
            product.source.insert(table, [number])
            product.start(table).go(until="commit_watermark")
    owed = product.debt(table)
    assert len(owed) == batches
    return owed
