"""If these fail, rows are behind the watermark that were never read: nobody will notice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tidemark.cli import main as cli
from tidemark.core.errors import TryAgain
from tidemark.operators.stream import TableStream

from tests.support.product import Product
from tests.support.source import DATABASE


def test_rule_19_the_horizon_stays_below_an_open_transaction(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    """A row stamped before a run and committed after it arrives with the next one."""
    table, source = product.table("late_commit"), product.source
    source.insert(table, range(1, 4))
    product.sync(table)
    with source.transaction() as late, caplog.at_level("INFO"):
        late.execute(f"UPDATE {table} SET name = 'late', amount = 7 WHERE id = 1")
        late.execute(f"INSERT INTO {table} (id, name) VALUES (4, 'late')")
        late.execute(f"SELECT MIN(updated_at) FROM {table} WHERE name = 'late'")
        (stamped,) = late.fetchone()
        source.insert(table, [5])
        product.sync(table)
        assert product.watermark(table) <= stamped.replace(tzinfo=UTC)
    assert "held back by transaction" in caplog.text
    product.sync(table)
    product.assert_equal(table)
    assert product.secondary.names(table)[4] == "late"


def test_rule_19_key_ranges_are_open_at_both_ends(product: Product) -> None:
    """Rows whose keys lie outside what the plan saw are read all the same."""
    table, long_ago = product.table("open_ends", chunk_rows=4), datetime(2026, 1, 1, tzinfo=UTC)
    product.source.insert(table, range(100, 112), at=long_ago)
    run = product.start(table).go(until="plan_increment")
    product.source.insert(table, [1, 999], at=long_ago)
    run.go().expect("success")
    assert len(run.instances_of("extract_chunk")) > 1, "it needs several chunks"
    product.assert_equal(table)


def test_ten_thousand_rows_with_one_time_cross_a_window_edge(product: Product) -> None:
    """The limit and the chunks are smaller than the tie, and do not cut it."""
    table = product.table("same_time", chunk_rows=4000, row_limit=1000)
    before, tie, after = (datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (1, 2, 3))
    product.source.insert(table, range(500), at=before)
    product.source.insert(table, range(500, 10_500), at=tie)
    product.source.insert(table, range(10_500, 11_000), at=after)
    for _ in range(5):
        run = product.sync(table)
        if run.states["load_primary"] == "skipped":
            break
    product.assert_equal(table)
    ledger = product.primary.ledger(table)
    assert len(ledger) > 1, "it needs a window edge"
    assert sum(entry["rows_staged"] for entry in ledger) == 11_000, "no row is read twice"


@pytest.mark.runbook("The state document is gone or unreadable")
def test_rule_22_a_missing_document_is_not_a_first_run(product: Product) -> None:
    """It stops the run, and names the command that recovers; the command does."""
    table, store = product.table("lost_document"), product.store
    stream = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    store.delete(store.state_key(stream))
    product.source.insert(table, [4])

    states = TableStream.open(stream).states
    with pytest.raises(TryAgain, match=r"the state document .* is gone"):
        states.update(stream, datetime.now(UTC), lambda state: state)  # as a late task does

    told = product.sync(table, "failed").told("plan_increment")
    command = f"python -m tidemark watermark recover -t {stream}"
    assert command in told
    assert "staged batches and ledger rows on primary, so this is no first run" in told
    assert store.keys(store.state_key(stream)) == []

    assert cli(command.split()[3:]) == 0
    product.sync(table)
    product.assert_equal(table)
    assert product.state(table)["epoch"] == 2
    assert [batch[:7] for batch in product.primary.batches(table)] == ["inc-e1-", "inc-e2-"]
