"""What must be true, told from the source's history, the ledgers and the state document.

Nothing here asks the product: the documents are read as JSON, the warehouses at their engine.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.warehouse import Warehouse


class Oracle:
    """Remembers every version that the source ever had and every batch that was committed."""

    def __init__(self, product: Product, table: str) -> None:
        self.product, self.table = product, table
        self._history: set[tuple[Any, ...]] = set()
        self._newest: dict[tuple[str, int], datetime] = {}
        self._watermark: datetime | None = None
        self._read: dict[str, datetime] = {}
        self.committed: list[str] = []

    def remember_source(self) -> None:
        """After every change of the source."""
        self._history |= set(self.product.source.rows(self.table))

    def look(self) -> None:
        """After every step: nothing is ahead of the ledgers, invented, doubled or older than it
        was, and whoever lacks a committed batch owes it."""
        state = self._state()
        if state is None:
            return
        self._follow(state)
        for warehouse in self.product.warehouses:
            target = state["targets"].get(warehouse.name)
            lacks = self._lacks(warehouse)
            if target and target["role"] == "required":
                assert not lacks, f"the watermark is ahead of {warehouse.name}: it lacks {lacks}"
            elif target and target["status"] != "new":
                missing = lacks - set(target["debt"])
                assert not missing, f"{warehouse.name} lacks {missing}, and does not owe them"
            self._rows_are_honest(warehouse)

    def at_rest(self) -> bool:
        """Whether nothing is in flight, nobody owes, and nobody is new."""
        state = self._state()
        return bool(
            state
            and not state["in_flight"]
            and not any(target["debt"] for target in state["targets"].values())
            and not self.new_targets()
        )

    def new_targets(self) -> list[str]:
        """The targets that need the whole table."""
        targets = (self._state() or {"targets": {}})["targets"]
        return [name for name, target in targets.items() if target["status"] == "new"]

    def all_is_well(self) -> None:
        """After a quiet time: every target is the source, and the debt is paid to the last."""
        state = self._state()
        assert state, "no state document"
        assert not state["in_flight"], f"{state['in_flight']['batch_id']} sticks in flight"
        rows = {row[0]: row for row in self.product.source.rows(self.table)}
        for warehouse in self.product.warehouses:
            debt = state["targets"][warehouse.name]["debt"]
            assert not debt, f"{warehouse.name} still owes {debt}"
            found = {row[0]: row for row in self._rows(warehouse)}
            assert found == rows, f"{warehouse.name} differs: {_differences(rows, found)}"
            lacks = self._lacks(warehouse)
            assert not lacks, f"{warehouse.name} lacks {lacks}"

    def _follow(self, state: dict[str, Any]) -> None:
        """The watermark moves up only, and a batch is committed once."""
        text = state["watermark"]
        now = datetime.fromisoformat(text) if text else None
        before = self._watermark
        assert before is None or (now is not None and now >= before), (
            f"the watermark went back from {before} to {now}"
        )
        batch = state["last_batch"]
        if now != before:
            assert batch, f"the watermark moved to {now} without a batch"
            assert batch not in self.committed, f"{batch} was committed twice"
            if low := re.match(r"inc-e\d+-(start|\w+)-", batch):
                assert (low[1] == "start") == (before is None), (
                    f"{batch} does not begin at {before}"
                )
            self.committed.append(batch)
        self._watermark = now

    def _rows_are_honest(self, warehouse: Warehouse) -> None:
        rows = self._rows(warehouse)
        keys = [row[0] for row in rows]
        assert len(keys) == len(set(keys)), f"{warehouse.name} holds a key twice: {sorted(keys)}"
        for row in rows:
            assert row in self._history, f"{warehouse.name} holds {row}, which never was"
            before = self._newest.get((warehouse.name, row[0]))
            assert before is None or row[3] >= before, (
                f"{warehouse.name}: {row} is older than it was"
            )
            self._newest[warehouse.name, row[0]] = row[3]
        known = {key for name, key in self._newest if name == warehouse.name}
        assert known <= set(keys), f"{warehouse.name} lost {known - set(keys)}"

    def _rows(self, warehouse: Warehouse) -> list[tuple[Any, ...]]:
        return warehouse.peek(f'SELECT id, name, amount, updated_at FROM public."{self.table}"')

    def _lacks(self, warehouse: Warehouse) -> set[str]:
        """The committed batches that are neither in its ledger nor covered by its newest base."""
        ledger = f"_tidemark_ledger__{self.table}"
        rows = warehouse.peek(f'SELECT batch_id, kind, read_from FROM public."{ledger}"')
        listed = [row[0] for row in rows]
        assert len(listed) == len(set(listed)), f"{warehouse.name} lists a batch twice: {listed}"
        base = max((row[2] for row in rows if row[1] == "base"), default=None)
        return {
            batch
            for batch in self.committed
            if batch not in listed and (base is None or self._read_to(batch) > base)
        }

    def _read_to(self, batch: str) -> datetime:
        if batch not in self._read:
            document = self.product.store.document(f"{DATABASE}.{self.table}", batch)
            self._read[batch] = datetime.fromisoformat(document["read_to"]).replace(tzinfo=None)
        return self._read[batch]

    def _state(self) -> dict[str, Any] | None:
        try:
            return self.product.store.state(f"{DATABASE}.{self.table}")
        except ClientError:
            return None


def _differences(wanted: dict[int, Any], found: dict[int, Any]) -> list[Any]:
    every = sorted(wanted.keys() | found.keys())
    return [(wanted.get(key), found.get(key)) for key in every if wanted.get(key) != found.get(key)]
