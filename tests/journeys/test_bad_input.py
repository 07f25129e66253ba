"""If these fail, a mistake in a file or a table is found by its damage instead of by a message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.journeys import Pipeline


def test_a_table_without_a_key(pipeline: Pipeline) -> None:
    table, source = "no_key", pipeline.source
    source.create(
        table,
        "id BIGINT NOT NULL, name VARCHAR(60), amount DECIMAL(12,2),"
        " updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)",
    )
    source.insert(table, [1, 2])
    run = pipeline.sync(table, "failed")
    said = run.log("plan_increment")
    assert "no primary key" in said
    assert "tables.journeys.no_key.key in tables.yaml" in said

    source.run(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
    run.clear("plan_increment", downstream=True).wait()
    pipeline.assert_equal(table)


def test_a_missing_cursor_column_and_a_missing_table(pipeline: Pipeline) -> None:
    table, source = "no_cursor", pipeline.source
    run = pipeline.sync(table, "failed")
    assert f"shows no table journeys.{table}" in run.log("plan_increment")

    source.create(table, "id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(60)")
    run.clear("plan_increment", downstream=True).wait("failed")
    said = run.log("plan_increment")
    assert "no column updated_at" in said
    assert f"tables.journeys.{table}.cursor" in said

    source.create(table)
    source.insert(table, [1])
    run.clear("plan_increment", downstream=True).wait()
    pipeline.assert_equal(table)


def test_an_unreachable_mysql(pipeline: Pipeline) -> None:
    run = pipeline.sync("unreachable", "failed")
    said = run.log("plan_increment")
    assert "mysql_nowhere" in said
    assert "The watermark has not moved" in said


def test_a_truncated_state_document(pipeline: Pipeline) -> None:
    """It is never taken for a first run."""
    table, store = "truncated_state", pipeline.store
    key = store.state_key(f"journeys.{table}")
    pipeline.source.create(table)
    pipeline.source.insert(table, [1, 2])
    pipeline.sync(table)
    whole = store.get(key)
    pipeline.source.insert(table, [3])
    store.put(key, whole[: len(whole) // 2])

    run = pipeline.sync(table, "failed")
    said = run.log("plan_increment")
    assert "refusing to guess" in said
    assert key in said
    assert store.get(key) == whole[: len(whole) // 2]
    assert len(pipeline.primary.ledger(table)) == 1

    store.put(key, whole)
    run.clear("plan_increment", downstream=True).wait()
    pipeline.assert_equal(table)


def test_a_wrong_iam_role(pipeline: Pipeline) -> None:
    table = "wrong_role"
    pipeline.source.create(table)
    pipeline.source.insert(table, [1, 2])
    right = "iam_role: ${REDSHIFT_IAM_ROLE}"
    with pipeline.configured("targets.yaml", right, "iam_role: arn:aws:iam::1:role/other"):
        run = pipeline.sync(table, "failed")
    said = run.log("load_primary")
    assert "iam_role" in said
    assert "targets.yaml" in said
    assert pipeline.watermark(table) is None
    assert pipeline.primary.ledger(table) == []

    run.clear("load_primary", "load_secondary", downstream=True).wait()
    pipeline.assert_equal(table)


def test_an_unknown_setting_stops_the_dag_file(
    environment: dict[str, str], tmp_path: Path, pipeline: Pipeline
) -> None:
    """Airflow shows it as an import error that names file, table and key."""
    for file in pipeline.config.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    tables = tmp_path / "tables.yaml"
    wrong = "  journeys.first_sync:\n    chunk_row: 10\n"
    tables.write_text(tables.read_text().replace("  journeys.first_sync:\n", wrong))
    shown = subprocess.run(
        [sys.executable, "-c", _IMPORT_ERRORS],
        env=environment | {"TIDEMARK_CONFIG_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert "tables.yaml: tables.journeys.first_sync.chunk_row: there is no such setting" in shown


_IMPORT_ERRORS = """
import os
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
print(*bag.import_errors.values())
"""
