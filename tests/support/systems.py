"""Source, staging bucket and warehouses, and what a test asks of all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.gateway import Gate
from tests.support.source import DATABASE, Source
from tests.support.store import Store
from tests.support.warehouse import Warehouse, assert_equal_everywhere


@dataclass
class Systems:
    """Everything that stands around the product, all real. Tables are named without database."""

    gate: Gate
    source: Source
    store: Store
    primary: Warehouse
    secondary: Warehouse

    @property
    def warehouses(self) -> tuple[Warehouse, Warehouse]:
        return self.primary, self.secondary

    def assert_equal(self, table: str, *warehouses: Warehouse) -> None:
        """The warehouses (both, if none is named) hold exactly what the source holds."""
        rows = self.source.rows(table)
        assert_equal_everywhere(rows, warehouses or self.warehouses, table)

    def state(self, table: str) -> dict[str, Any]:
        return self.store.state(f"{DATABASE}.{table}")

    def watermark(self, table: str) -> Any:
        return self.store.watermark(f"{DATABASE}.{table}")

    def debt(self, table: str, target: str = "secondary") -> list[str]:
        return self.store.debt(f"{DATABASE}.{table}", target)

    def batches(self, table: str) -> dict[str, list[str]]:
        return self.store.batches(f"{DATABASE}.{table}")
