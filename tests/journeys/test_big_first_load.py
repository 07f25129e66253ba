"""If this fails, a first load that dies after two hours begins again from nothing."""

from __future__ import annotations

import os

import pytest

from tests.support.dialects import numbers
from tests.support.journeys import Pipeline
from tests.support.moments import receipt_written

ROWS = int(os.environ.get("TIDEMARK_SOAK_ROWS", "20000"))
"""`make soak` asks for millions."""

_CHUNKS = 8
_DEADLINE = 300.0 + ROWS / 5_000


@pytest.mark.runbook("A first load died after hours")
def test_a_first_load_killed_in_the_middle_goes_on_from_its_finished_chunks(
    pipeline: Pipeline,
) -> None:
    table, source = "big_first_load", pipeline.source
    source.create(table)
    source.run(
        f"INSERT INTO {table} SELECT seq * 3, CONCAT('row ', seq), seq MOD 1000 / 4,"
        f" NOW(6) - INTERVAL seq SECOND FROM {numbers(1, ROWS)} ORDER BY seq"
    )
    with pipeline.configured("tables.yaml", "chunk_rows: 2500", f"chunk_rows: {ROWS // _CHUNKS}"):
        with pipeline.gate.hold(receipt_written(table), nth=4) as held:
            first = pipeline.start(table)
            held.wait(_DEADLINE)
            held.kill_caller()
        first.wait("failed", _DEADLINE)
        (batch_id,) = pipeline.batches(table)
        finished = _finished(pipeline, table, batch_id)
        assert len(finished) >= _CHUNKS // 2

        run = pipeline.start(table).wait(deadline=_DEADLINE)
    assert run.xcom("plan_increment", "batch_id") == batch_id
    assert finished.items() <= _finished(pipeline, table, batch_id).items()
    sealed = pipeline.store.document(f"journeys.{table}", batch_id)
    read_again = [number for number in finished if not set(finished[number]) <= _files(sealed)]
    assert read_again == []
    assert sealed["rows"] == ROWS
    assert sealed["plan"]["ranged_by"] == [{"name": "id", "binary": False}]
    for warehouse in pipeline.warehouses:
        assert [entry["rows_staged"] for entry in warehouse.ledger(table)] == [ROWS]
    if ROWS <= 100_000:
        pipeline.assert_equal(table)


def _finished(pipeline: Pipeline, table: str, batch_id: str) -> dict[int, tuple[str, ...]]:
    """The files of each chunk that has a receipt."""
    stream, found = f"journeys.{table}", {}
    for key in pipeline.batches(table)[batch_id]:
        name = key.rsplit("/", 1)[-1]
        if name.startswith("chunk-"):
            receipt = pipeline.store.document(stream, batch_id, name)
            found[int(receipt["chunk"])] = tuple(file["key"] for file in receipt["files"])
    return found


def _files(sealed: dict[str, list[dict[str, str]]]) -> set[str]:
    return {file["key"] for file in sealed["files"]}
