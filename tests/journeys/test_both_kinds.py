"""If these fail, a table does not reach warehouses of two kinds, or a change of its columns one."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from localaws import Endpoints
from tests.support.journeys import Pipeline

TABLE = "both_kinds"
Rows = list[tuple[Any, ...]]


def in_archive(stack: Endpoints) -> Rows:
    with psycopg.connect(
        host=stack.postgres_host,
        port=stack.postgres_port,
        user=stack.postgres_user,
        password=stack.postgres_password,
        dbname="postgres",
        row_factory=dict_row,
    ) as archive:
        return told(archive.execute(f"SELECT * FROM {TABLE} ORDER BY id").fetchall())


def told(rows: list[dict[str, Any]]) -> Rows:
    return [(row["id"], row["name"], row["note"]) for row in rows]


def test_a_new_column_reaches_a_warehouse_of_each_kind_and_the_one_that_was_away(
    pipeline: Pipeline, stack: Endpoints
) -> None:
    source = pipeline.source
    source.create(TABLE)
    source.insert(TABLE, range(1, 4))
    with pipeline.secondary.paused():
        run = pipeline.sync(TABLE, "failed")
        assert run.states["load_archive"] == run.states["commit_watermark"] == "success"
        source.run(f"ALTER TABLE {TABLE} ADD COLUMN note VARCHAR(20)")
        source.run(f"UPDATE {TABLE} SET note = 'new' WHERE id = 2")
        run = pipeline.sync(TABLE, "failed")
        assert run.states["load_archive"] == "success"
        assert len(pipeline.debt(TABLE)) == 2

    run.clear("load_secondary").wait()
    expected = source.run(f"SELECT id, name, note FROM {TABLE} ORDER BY id")
    assert in_archive(stack) == expected
    for warehouse in pipeline.warehouses:
        assert told(warehouse.rows(TABLE)) == expected
    assert pipeline.debt(TABLE) == pipeline.debt(TABLE, "archive") == []
    assert pipeline.secondary.batches(TABLE) == pipeline.primary.batches(TABLE)
