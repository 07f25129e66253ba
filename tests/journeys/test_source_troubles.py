"""If these fail, what happens on sources every week loses rows, or nobody learns why it waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from localaws import Endpoints
from onebox.rest import wait_until
from tests.support.journeys import Pipeline
from tests.support.moments import receipt_written
from tests.support.source_server import SourceServer

_LATER = timedelta(minutes=5)


def test_rule_19_a_statement_that_waits_for_a_lock_is_waited_for(pipeline: Pipeline) -> None:
    """It is stamped with the time at which it began to wait, and no transaction shows it."""
    table, other, source = "waiting_dml", "waited_for", pipeline.source
    source.create(table)
    source.create(other)
    source.insert(table, range(1, 4))
    source.insert(other, [1])
    pipeline.sync(table)

    def update() -> None:
        with source.transaction() as waiting:
            waiting.execute(f"UPDATE {table} t, {other} o SET t.name = 'waited' WHERE t.id = o.id")

    updater = threading.Thread(target=update)
    with source.transaction() as locker:
        locker.execute(f"LOCK TABLES {other} WRITE")
        updater.start()
        wait_until(
            lambda: bool(source.statements("Waiting for table metadata lock")),
            30,
            lambda: "the update does not wait",
        )
        source.insert(table, [4])
        run = pipeline.sync(table)
        assert "held back by statement" in run.log("plan_increment")
        watermark = pipeline.watermark(table)
        locker.execute("UNLOCK TABLES")
    updater.join(30)
    ((stamped,),) = source.run(f"SELECT updated_at FROM {table} WHERE id = 1")
    assert watermark <= stamped.replace(tzinfo=UTC)
    pipeline.sync(table)
    pipeline.assert_equal(table)
    assert pipeline.secondary.names(table)[1] == "waited"


def test_a_horizon_that_stalls_is_an_error_in_the_log_and_skips_nothing(pipeline: Pipeline) -> None:
    table, source = "stalled_source", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    pipeline.sync(table)
    watermark = pipeline.watermark(table)
    with source.transaction() as forgotten:
        forgotten.execute(f"UPDATE {table} SET name = 'forgotten' WHERE id = 1")
        forgotten.execute("SELECT CONNECTION_ID()")
        (thread,) = forgotten.fetchone()
        source.insert(table, [4])
        log = pipeline.sync(table).log("plan_increment")
        assert "stalled" in log
        assert f"KILL {thread}" in log
        assert pipeline.watermark(table) >= watermark
    pipeline.sync(table)
    pipeline.assert_equal(table)


def test_without_process_nothing_is_read_until_it_is_granted_again(
    pipeline: Pipeline, stack: Endpoints
) -> None:
    table, source = "process_revoked", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    pipeline.sync(table)
    watermark = pipeline.watermark(table)
    source.insert(table, [4])
    ((reader,),) = source.run(
        "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user WHERE user = %s",
        stack.mysql_reader_user,
    )
    source.run(f"REVOKE PROCESS ON *.* FROM {reader}")
    try:
        run = pipeline.sync(table, "failed")
    finally:
        source.run(f"GRANT PROCESS ON *.* TO {reader}")
    assert "GRANT PROCESS" in run.log("plan_increment")
    assert pipeline.watermark(table) == watermark
    run.clear_all().wait()
    pipeline.assert_equal(table)


def test_a_cursor_that_moves_backwards_ends_no_run_and_moves_no_watermark(
    pipeline: Pipeline,
) -> None:
    """The row stays as it was copied until it is touched again; all others go on."""
    table, source = "backwards", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    pipeline.sync(table)
    watermark = pipeline.watermark(table)
    source.run(f"UPDATE {table} SET name = 'older', updated_at = '2020-01-01' WHERE id = 1")
    source.insert(table, [4])
    pipeline.sync(table)
    assert pipeline.watermark(table) >= watermark
    assert pipeline.primary.names(table)[1] == "new 1"
    assert 4 in pipeline.primary.names(table)
    source.update(table, [1], "touched")
    pipeline.sync(table)
    pipeline.assert_equal(table)


def test_rows_stamped_ahead_of_the_sources_clock_are_copied_and_copied_again(
    pipeline: Pipeline,
) -> None:
    """An application whose clock is five minutes fast stamps above every horizon."""
    table, source = "ahead", pipeline.source
    source.create(table)
    source.insert(table, range(1, 4))
    source.insert(table, [4], at=source.now() + _LATER)
    pipeline.sync(table)
    pipeline.assert_equal(table)
    assert pipeline.watermark(table) <= source.now()
    source.run(f"UPDATE {table} SET name = 'again', updated_at = updated_at WHERE id = 4")
    source.insert(table, [5])
    pipeline.sync(table)
    pipeline.assert_equal(table)


_IN_LOCAL_TIME = """
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    amount DECIMAL(12,2) NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""


def test_summer_time_that_ends_shifts_no_window(pipeline: Pipeline) -> None:
    """The server's clock and the application's sessions go from +02:00 to +01:00 between runs."""
    table, source = "summer_time", pipeline.source
    ((zone,),) = source.run("SELECT @@global.time_zone")
    source.create(table, _IN_LOCAL_TIME)
    watermarks: list[datetime] = []
    try:
        for number, offset in enumerate(("+02:00", "+01:00", "+01:00")):
            source.run("SET GLOBAL time_zone = %s", offset)
            with source.transaction() as application:
                application.execute(f"SET time_zone = '{offset}'")
                application.execute(f"UPDATE {table} SET name = CONCAT(name, '+') WHERE id = 0")
                values = f"({number}, 'in {offset}', 1)"
                application.execute(f"INSERT INTO {table} (id, name, amount) VALUES {values}")
            pipeline.sync(table)
            pipeline.assert_equal(table)
            watermarks.append(pipeline.watermark(table))
    finally:
        source.run("SET GLOBAL time_zone = %s", zone)
    assert watermarks == sorted(set(watermarks))
    assert watermarks[-1] - watermarks[0] < timedelta(minutes=30)


@pytest.fixture
def server(pipeline: Pipeline, stack: Endpoints) -> Iterator[SourceServer]:
    """The source's own process; running again afterwards, whatever happens."""
    server = SourceServer(stack)
    yield server
    server.start()
    pipeline.source.reconnect()


def test_a_source_that_restarts_in_the_middle_costs_no_chunk_that_was_read(
    pipeline: Pipeline, server: SourceServer
) -> None:
    """The next chunk waits for the server; the run goes on from there by itself."""
    table = "source_restarted"
    pipeline.source.create(table)
    pipeline.source.insert(table, range(1, 13))
    with pipeline.gate.hold(receipt_written(table), after=True) as held:
        run = pipeline.start(table)
        held.wait()
        server.stop()
        held.release()
        wait_until(
            lambda: "running" in str(run.states["extract_chunk"]) and _finished(pipeline, table),
            60,
            lambda: f"no chunk waits: {run.states}",
        )
        finished = _finished(pipeline, table)
        server.start()
        run.wait()
    pipeline.source.reconnect()
    pipeline.assert_equal(table)
    assert len(pipeline.primary.batches(table)) == 1
    assert len(_finished(pipeline, table)) > len(finished)
    assert finished.items() <= _finished(pipeline, table).items()


def _finished(pipeline: Pipeline, table: str) -> dict[str, bytes]:
    """The receipts of the chunks that are read."""
    (keys,) = pipeline.batches(table).values()
    return {key: pipeline.store.get(key) for key in keys if "/chunk-" in key}
