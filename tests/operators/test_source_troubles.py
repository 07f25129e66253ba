"""If these fail, what happens on sources every week loses rows, or nobody learns why it waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from localaws import Endpoints
from onebox.rest import wait_until
from tests.support.product import Product
from tests.support.source_server import SourceServer

_LATER = timedelta(minutes=5)


@pytest.mark.runbook("The horizon is held back, or has stalled")
def test_rule_19_a_statement_that_waits_for_a_lock_is_waited_for(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    """It is stamped with the time at which it began to wait, and no transaction shows it."""
    table, other = product.table("waiting_dml", safety_lag_seconds=0.1), "waited_for"
    source = product.source
    source.create(other)
    source.insert(table, range(1, 4))
    source.insert(other, [1])
    product.sync(table)

    def update() -> None:
        with source.transaction() as waiting:
            waiting.execute(f"UPDATE {table} t, {other} o SET t.name = 'waited' WHERE t.id = o.id")

    updater = threading.Thread(target=update)
    with source.transaction() as locker:
        locker.execute(f"LOCK TABLES {other} WRITE")
        updater.start()
        wait_until(
            lambda: bool(source.statements("Waiting for table metadata lock")),
            120,
            lambda: "the update does not wait",
        )
        source.insert(table, [4])
        with caplog.at_level("INFO"):
            product.sync(table)
        assert "held back by statement" in caplog.text
        watermark = product.watermark(table)
        locker.execute("UNLOCK TABLES")
    updater.join(120)
    ((stamped,),) = source.run(f"SELECT updated_at FROM {table} WHERE id = 1")
    assert watermark <= stamped.replace(tzinfo=UTC)
    product.sync(table)
    product.assert_equal(table)
    assert product.secondary.names(table)[1] == "waited"


@pytest.mark.runbook("The horizon is held back, or has stalled")
def test_a_horizon_that_stalls_is_an_error_in_the_log_and_skips_nothing(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    table, source = product.table("stalled_source", stall_alert_seconds=0.001), product.source
    source.insert(table, range(1, 4))
    product.sync(table)
    watermark = product.watermark(table)
    with source.transaction() as forgotten:
        forgotten.execute(f"UPDATE {table} SET name = 'forgotten' WHERE id = 1")
        forgotten.execute("SELECT CONNECTION_ID()")
        (thread,) = forgotten.fetchone()
        source.insert(table, [4])
        product.sync(table)
        assert "has stalled at" in caplog.text
        assert f"KILL {thread}" in caplog.text
        assert product.watermark(table) >= watermark
    product.sync(table)
    product.assert_equal(table)


@pytest.mark.runbook("The source refuses us")
def test_without_process_nothing_is_read_until_it_is_granted_again(
    product: Product, stack: Endpoints
) -> None:
    table, source = product.table("process_revoked"), product.source
    source.insert(table, range(1, 4))
    product.sync(table)
    watermark = product.watermark(table)
    source.insert(table, [4])
    ((reader,),) = source.run(
        "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user WHERE user = %s",
        stack.mysql_reader_user,
    )
    source.run(f"REVOKE PROCESS ON *.* FROM {reader}")
    try:
        run = product.sync(table, "failed")
    finally:
        source.run(f"GRANT PROCESS ON *.* TO {reader}")
    assert "open transactions cannot be seen" in run.told("plan_increment")
    assert "GRANT PROCESS" in run.told("plan_increment")
    assert product.watermark(table) == watermark
    run.clear_all().go().expect("success")
    product.assert_equal(table)


def test_a_cursor_that_moves_backwards_ends_no_run_and_moves_no_watermark(
    product: Product,
) -> None:
    """The row stays as it was copied until it is touched again; all others go on."""
    table, source = product.table("backwards"), product.source
    source.insert(table, range(1, 4))
    product.sync(table)
    watermark = product.watermark(table)
    source.run(f"UPDATE {table} SET name = 'older', updated_at = '2020-01-01' WHERE id = 1")
    source.insert(table, [4])
    product.sync(table)
    assert product.watermark(table) >= watermark
    assert product.primary.names(table)[1] == "new 1"
    assert 4 in product.primary.names(table)
    source.update(table, [1], "touched")
    product.sync(table)
    product.assert_equal(table)


def test_rows_stamped_ahead_of_the_sources_clock_are_copied_and_copied_again(
    product: Product,
) -> None:
    """An application whose clock is five minutes fast stamps above every horizon."""
    table, source = product.table("ahead"), product.source
    source.insert(table, range(1, 4))
    source.insert(table, [4], at=source.now() + _LATER)
    product.sync(table)
    product.assert_equal(table)
    assert product.watermark(table) <= source.now()
    source.run(f"UPDATE {table} SET name = 'again', updated_at = updated_at WHERE id = 4")
    source.insert(table, [5])
    product.sync(table)
    product.assert_equal(table)


_IN_LOCAL_TIME = """
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    amount DECIMAL(12,2) NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    KEY by_time (updated_at)
"""


def test_summer_time_that_ends_shifts_no_window(product: Product) -> None:
    """The server's clock and the application's sessions go from +02:00 to +01:00 between runs."""
    table, source = product.table("summer_time", _IN_LOCAL_TIME), product.source
    ((zone,),) = source.run("SELECT @@global.time_zone")
    watermarks: list[datetime] = []
    try:
        for number, offset in enumerate(("+02:00", "+01:00", "+01:00")):
            source.run("SET GLOBAL time_zone = %s", offset)
            with source.transaction() as application:
                application.execute(f"SET time_zone = '{offset}'")
                application.execute(f"UPDATE {table} SET name = CONCAT(name, '+') WHERE id = 0")
                values = f"({number}, 'in {offset}', 1)"
                application.execute(f"INSERT INTO {table} (id, name, amount) VALUES {values}")
            product.sync(table)
            product.assert_equal(table)
            watermarks.append(product.watermark(table))
    finally:
        source.run("SET GLOBAL time_zone = %s", zone)
    assert watermarks == sorted(set(watermarks))
    assert watermarks[-1] - watermarks[0] < timedelta(minutes=30)


@pytest.fixture
def server(product: Product, stack: Endpoints) -> Iterator[SourceServer]:
    """The source's own process; running again afterwards, whatever happens."""
    server = SourceServer(stack)
    yield server
    server.start()
    product.source.reconnect()


@pytest.mark.runbook("The source cannot be reached")
def test_a_source_that_restarts_in_the_middle_costs_no_chunk_that_was_read(
    product: Product, server: SourceServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The next chunk waits for the server; the run goes on from there by itself."""
    table = product.table("source_restarted", chunk_rows=4)
    product.source.insert(table, range(1, 13))
    run = product.start(table).go(until="plan_increment")
    first, *others = run.ready()
    run.do(*first)
    finished = _finished(product, table)
    server.stop()
    waiting = run.begin(*others[0])
    wait_until(lambda: "Trying again in" in caplog.text, 120, lambda: caplog.text)
    server.start()
    assert waiting.end().state == "success"
    run.go().expect("success")
    product.source.reconnect()
    product.assert_equal(table)
    assert len(product.primary.batches(table)) == 1
    assert len(_finished(product, table)) > len(finished)
    assert finished.items() <= _finished(product, table).items()


def _finished(product: Product, table: str) -> dict[str, bytes]:
    """The receipts of the chunks that are read."""
    (keys,) = product.batches(table).values()
    return {key: product.store.get(key) for key in keys if "/chunk-" in key}
