"""If these fail, debt is paid one COPY a batch, or by starving what is new, or never."""

from __future__ import annotations

import pytest
from tidemark.cli import main

from localaws import inject
from tests.support.moments import load_submitted
from tests.support.owing import owing
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.traffic import s3


def test_owed_batches_and_the_runs_own_are_one_copy(product: Product) -> None:
    table = product.table("grouped")
    owed = owing(product, table, 3)
    product.source.update(table, [1], "newer than its owed version")
    seen = len(product.gate.seen)
    run = product.sync(table)
    assert product.gate.count(load_submitted(table, "secondary"), seen) == 1
    assert product.debt(table) == []
    product.assert_equal(table)

    ledger = {row["batch_id"]: row for row in product.secondary.ledger(table)}
    assert list(ledger) == product.primary.batches(table)
    stale = ledger[owed[0]]
    assert (stale["rows_staged"], stale["rows_merged"], stale["rows_stale"]) == (1, 0, 1)
    receipts = run.xcom("load_secondary")
    assert set(receipts) == {*owed, run.xcom("plan_increment", "batch_id")}
    for each in receipts.values():
        assert each["extracted"] == each["merged"] + each["stale"] + each["set_aside"] == 1


@pytest.mark.runbook("The secondary was down for hours")
def test_a_run_pays_so_much_and_its_own_batch_comes_all_the_same(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = product.table("bounded")
    owed = owing(product, table, 4)
    product.source.insert(table, [9])
    with product.target("secondary", catch_up_batches=2):
        run = product.sync(table)
        own = run.xcom("plan_increment", "batch_id")
        assert product.debt(table) == owed[2:]
        assert run.xcom("load_secondary", "owed") == 2
        assert main(["debt", "-t", f"{DATABASE}.{table}"]) == 0
        assert f"owes 2 batches, the oldest {owed[2]}" in capsys.readouterr().out
        assert product.secondary.batches(table)[-1] == own
        assert main(["catchup", "-t", f"{DATABASE}.{table}", "--target", "secondary"]) == 0
        assert f"{owed[3]}  extracted 1  staged 1  merged 1" in capsys.readouterr().out
    assert product.debt(table) == []
    product.assert_equal(table)


@pytest.mark.runbook("The secondary was down for hours", "Which task is red?")
def test_rule_7_a_refused_batch_is_reported_and_passed_over(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    table = product.table("poisoned")
    first, bad, last = owing(product, table, 3)
    good = product.store.batches(f"{DATABASE}.{table}")[bad]
    (part,) = [key for key in good if key.endswith(".parquet")]
    sound = product.store.get(part)
    product.store.put(part, b"no Parquet at all")
    product.source.insert(table, [9])
    run = product.sync(table, "failed")
    assert bad in run.told("load_secondary")
    assert "1 owed batch that cannot be applied" in run.told("load_secondary")
    assert "Failed to insert data into secondary Redshift" in caplog.text
    assert f"{bad} is passed over" in caplog.text
    assert run.states["commit_watermark"] == "success"
    assert product.debt(table) == [bad]
    assert {first, last, run.xcom("plan_increment", "batch_id")} <= {
        *product.secondary.batches(table)
    }

    product.store.put(part, sound)
    run.clear("load_secondary").go().expect("success")
    assert product.debt(table) == []
    product.assert_equal(table)


@pytest.mark.runbook("The secondary was down for hours")
def test_the_breaker_skips_loads_and_a_clear_probes(product: Product) -> None:
    table = product.table("shut_out")
    with product.target("secondary", breaker_failures=2, breaker_pause_seconds=3600):
        owing(product, table, 2)
        product.source.insert(table, [3])
        seen = len(product.gate.seen)
        run = product.sync(table)
        assert run.states["load_secondary"] == "skipped"
        assert "2 loads in a row have failed" in run.told("load_secondary")
        assert product.gate.count(load_submitted(table, "secondary"), seen) == 0
        assert len(product.debt(table)) == 3
        assert product.state(table)["targets"]["secondary"]["breaker"]["failures"] == 2

        run.clear("load_secondary").go().expect("success")
        assert run.states["load_secondary"] == "success", "whoever clears it probes"
        assert product.state(table)["targets"]["secondary"]["breaker"]["failures"] == 0
    product.assert_equal(table)


def test_an_open_breaker_probes_after_its_pause(product: Product) -> None:
    table = product.table("probed")
    with product.target("secondary", breaker_failures=1, breaker_pause_seconds=0):
        owing(product, table, 1)
        product.sync(table)
    assert product.debt(table) == []
    product.assert_equal(table)


def test_a_long_debt_is_not_looked_through_for_what_a_base_covers(product: Product) -> None:
    """What was planned after the base was read tells by its name that it cannot be in there."""
    table = product.table("long")
    product.source.insert(table, [0])
    product.sync(table)
    product.sync(table, mode="resync", targets=["secondary"])
    with product.target("secondary", enabled=False):
        for number in (1, 2, 3):
            product.source.insert(table, [number])
            product.sync(table)
    owed = product.debt(table)
    with product.target("secondary", catch_up_batches=1):
        seen = len(product.gate.seen)
        product.sync(table)
        assert product.debt(table) == owed[1:]
        assert product.gate.count(s3("(?:GET|HEAD)", f"{owed[0]}/"), seen) > 0
        assert product.gate.count(s3("(?:GET|HEAD)", f"{owed[2]}/"), seen) == 0
    product.sync(table)
    product.assert_equal(table)


def test_a_load_that_fails_late_does_not_open_the_breaker_that_another_closed(
    product: Product,
) -> None:
    table = product.table("late")
    with product.target("secondary", breaker_failures=3, breaker_pause_seconds=3600):
        owing(product, table, 2)
        product.source.insert(table, [3])
        run = product.start(table).go(until="seal_batch")
        with product.gate.hold(load_submitted(table, "secondary")) as held:
            attempt = run.begin("load_secondary")
            held.wait()
            catch_up = ["catchup", "-t", f"{DATABASE}.{table}", "--target", "secondary"]
            assert main(catch_up) == 0
            with product.secondary.paused():
                held.release_and_wait()
                assert attempt.end().state == "failed"
        assert product.state(table)["targets"]["secondary"]["breaker"]["failures"] == 1
        run.go()
        product.source.insert(table, [4])
        product.sync(table)
    assert product.debt(table) == []
    product.assert_equal(table)


@pytest.mark.runbook("There is no triggerer")
def test_without_a_triggerer_the_worker_waits(product: Product) -> None:
    table = product.table("waiting")
    product.source.insert(table, [1])
    product.sync(table)
    product.source.insert(table, [2])
    run = product.start(table).go(until="seal_batch")
    with product.target("primary", deferrable=False, statement_timeout_ms=7000):
        with product.primary.locked(table):
            assert run.do("load_primary", follow=False).state == "failed"
        assert "Timeout waiting for primary" in run.told("load_primary")
        product.primary.wait_until_idle()
    run.clear("load_primary", downstream=True).go().expect("success")
    product.assert_equal(table)


def test_a_conflict_with_another_transaction_is_sent_again(product: Product) -> None:
    """A best-effort load has no retries: without this, every 1023 would be a red run."""
    table = product.table("conflict")
    product.source.insert(table, [1])
    fault = {"match": f"(?s)INSERT INTO.*{table}", "cluster": "secondary", "times": 2}
    with inject(product.stack, "redshift-data", "error_1023", **fault) as injected:
        product.sync(table)
        assert injected.hits == 2
    product.assert_equal(table)


def test_primary_first_waits_for_the_primary(product: Product) -> None:
    table = product.table("in_turn", ordering="primary_first")
    product.source.insert(table, [1])
    run = product.start(table).go(until="seal_batch")
    assert run.ready() == [("load_primary", -1)]
    with product.primary.paused():
        run.do("load_primary")
        assert run.go().states["load_secondary"] == "upstream_failed"
    run.clear("load_primary", downstream=True).go().expect("success")
    product.assert_equal(table)
