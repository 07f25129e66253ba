"""If these fail, the search for a bad row sets good ones aside, or never comes to an end."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tidemark.core.loading.load_failures import BadData
from tidemark.core.storage.batches import Batch
from tidemark.core.storage.quarantine import TooManyBadRows, allowed
from tidemark.operators.loading.isolating import MOST_QUESTIONS, isolate
from tidemark.operators.stream import Stream

from tests.support.dialects import numbers
from tests.support.product import Product
from tests.support.source import DATABASE

ROWS = 3000


@dataclass
class Fussy:
    """A warehouse of the tests' own, which takes rows or not by what its owner says, and reads them
    from the bucket as COPY does: what the manifest lists, checked against its lengths."""

    product: Product
    refuses: Callable[[Collection[int]], bool]
    target: Any
    names_file: bool = False
    asked: list[list[int]] = field(default_factory=list)

    def columns(self) -> None:
        return None

    def probe(self, batch: Batch, token: str) -> BadData | None:
        manifest = json.loads(self.product.store.get(batch.manifest_key))
        ids: list[int] = []
        for entry in manifest["entries"]:
            key = entry["url"].removeprefix(f"s3://{self.product.store.bucket}/")
            data = self.product.store.get(key)
            assert len(data) == entry["meta"]["content_length"]
            ids += pq.read_table(pa.BufferReader(data))["id"].to_pylist()
        assert len(ids) == batch.rows
        self.asked.append(ids)
        return a_refusal() if self.refuses(ids) else None


def a_refusal(file: str = "") -> BadData:
    error = BadData(what="no", do="Mend it.")
    error.why, error.column, error.file = "the name is not to our taste", "name", file
    return error


@pytest.fixture(scope="module")
def staged(product: Product) -> tuple[Stream, Batch]:
    """A batch of several files."""
    table = product.table("fussy", chunk_rows=1000)
    product.source.run(
        f"INSERT INTO {table} (id, name) SELECT seq, CONCAT('n', seq) FROM {numbers(1, ROWS)}"
    )
    product.start(table).go(until="seal_batch")
    stream = Stream.open(f"{DATABASE}.{table}")
    (batch_id,) = product.batches(table)
    batch = stream.batches.batch(stream.table.name, batch_id)
    assert batch is not None
    assert len(batch.files) > 1
    return stream, batch


def at_any_time() -> None:
    """The warehouse may always be asked."""


def a_copy(batch: Batch, name: str) -> Batch:
    """The same files under another id, so that each test has a quarantine of its own."""
    digits = f"{zlib.crc32(name.encode()) % 10**6:06}"
    plan = batch.plan.model_copy(update={"batch_id": batch.batch_id[:-6] + digits})
    return batch.model_copy(update={"plan": plan})


def fussy(product: Product, stream: Stream, bad: Collection[int]) -> Fussy:
    target = stream.project.target("primary")
    return Fussy(product, lambda ids: not set(bad).isdisjoint(ids), target)


def test_rows_for_which_no_rule_is_known_are_found_and_the_rest_stays_loadable(
    product: Product, staged: tuple[Stream, Batch]
) -> None:
    stream, batch = staged[0], a_copy(staged[1], "found")
    bad = {1, 1777, ROWS}
    warehouse = fussy(product, stream, bad)
    kept = isolate(stream, warehouse, batch, a_refusal(), at_any_time)
    assert (kept.rows, kept.rows_set_aside) == (ROWS - 3, 3)
    assert warehouse.probe(kept, "") is None
    assert sorted(warehouse.asked[-1]) == sorted(set(range(1, ROWS + 1)) - bad)
    (record,) = (r for r in stream.quarantine.records() if r.plan.batch_id == batch.batch_id)
    (rows,) = stream.quarantine.rows(record)
    assert set(rows["id"].to_pylist()) == bad
    assert set(rows["_tidemark_why"].to_pylist()) == {"the name is not to our taste"}
    assert len(warehouse.asked) < 120

    # Whoever comes later, a zombie perhaps, takes the first one's decision.
    again = isolate(stream, fussy(product, stream, {2}), batch, a_refusal(), at_any_time)
    assert again == kept
    # And what a crash left unwritten is written when the decision is next read.
    product.store.delete(kept.manifest_key, record.key)
    assert stream.quarantine.amended(batch, "primary") == kept
    assert product.store.get(kept.manifest_key)
    assert list(stream.quarantine.records(stream.table.name))


def test_a_file_that_the_warehouse_names_is_asked_about_first(
    product: Product, staged: tuple[Stream, Batch]
) -> None:
    stream, batch = staged[0], a_copy(staged[1], "named")
    warehouse = fussy(product, stream, {ROWS})
    refusal = a_refusal(f"s3://{stream.bucket.name}/{batch.files[-1].key}")
    isolate(stream, warehouse, batch, refusal, at_any_time)
    assert len(warehouse.asked[0]) == batch.files[-1].rows
    assert ROWS in warehouse.asked[0]


def test_more_bad_rows_than_may_be_end_the_search_early(
    product: Product, staged: tuple[Stream, Batch]
) -> None:
    stream, batch = staged[0], a_copy(staged[1], "many")
    most = allowed(ROWS, stream.table.max_bad_share)
    warehouse = fussy(product, stream, range(1, ROWS, 2))
    with pytest.raises(TooManyBadRows, match=f"no more than {most}"):
        isolate(stream, warehouse, batch, a_refusal(), at_any_time)
    assert len(warehouse.asked) < MOST_QUESTIONS


def test_a_refusal_that_no_row_explains_stays_a_refusal(
    product: Product, staged: tuple[Stream, Batch]
) -> None:
    stream, batch = staged[0], a_copy(staged[1], "together")
    warehouse = fussy(product, stream, ())
    warehouse.refuses = lambda ids: len(ids) > 5  # only ever together
    with pytest.raises(BadData):
        isolate(stream, warehouse, batch, a_refusal(), at_any_time)
    assert not any(r.plan.batch_id == batch.batch_id for r in stream.quarantine.records())
