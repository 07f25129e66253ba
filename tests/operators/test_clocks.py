"""If these fail, a worker's clock decides which rows are copied, and a wrong one skips some."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.product import Product

_OFF = {"ahead": timedelta(hours=2), "behind": timedelta(hours=-2)}


@contextlib.contextmanager
def _server_off_by(product: Product, off: timedelta) -> Iterator[None]:
    """Whoever logs in without SUPER finds a server whose clock is wrong by this much."""
    shift = f"SET timestamp = UNIX_TIMESTAMP(SYSDATE(6)) + {off.total_seconds():.0f}"
    product.source.run(f"SET GLOBAL init_connect = '{shift}'")
    try:
        yield
    finally:
        product.source.run("SET GLOBAL init_connect = ''")


def _write(product: Product, statement: str, off: timedelta) -> None:
    """What an application does on that server now."""
    with product.source.transaction() as application:
        application.execute(
            f"SET timestamp = UNIX_TIMESTAMP(SYSDATE(6)) + {off.total_seconds():.0f}"
        )
        application.execute(statement)


@pytest.mark.parametrize("way", _OFF)
def test_only_the_sources_clock_bounds_windows_and_dates_rows(product: Product, way: str) -> None:
    """Two hours between its clock and ours: no row waits for two hours, and none is passed over."""
    off, source = _OFF[way], product.source
    table = product.table(f"clock_{way}", safety_lag_seconds=0)
    with _server_off_by(product, off):
        _write(product, f"INSERT INTO {table} (id, name) VALUES (1, 'a'), (2, 'b')", off)
        product.sync(table)
        product.assert_equal(table)
        first = product.watermark(table)
        _write(product, f"UPDATE {table} SET name = 'c' WHERE id = 2", off)
        product.sync(table)
    product.assert_equal(table)
    ((stamped,),) = source.run(f"SELECT updated_at FROM {table} WHERE id = 2")
    assert first <= stamped.replace(tzinfo=UTC) < product.watermark(table)
    assert abs(product.watermark(table) - off - datetime.now(UTC)) < timedelta(minutes=10)
    for row in product.primary.rows(table):
        assert abs(datetime.fromisoformat(row["_read_at"]) - stamped) < timedelta(minutes=10)
