"""If these fail, the tests that run the product in this process say something else than Airflow."""

from __future__ import annotations

from tests.support.moments import load_submitted, part_written
from tests.support.product import Product


def test_a_run_from_beginning_to_end(product: Product) -> None:
    table = product.table("driven", chunk_rows=3)
    product.source.insert(table, range(1, 9))
    run = product.sync(table)
    assert set(run.states.values()) == {"success"}
    assert len(run.xcom("plan_increment")) == len(run.instances_of("extract_chunk")) > 1
    product.assert_equal(table)

    idle = product.sync(table)
    assert idle.states == {
        "plan_increment": "success",
        "extract_chunk": "skipped",
        "seal_batch": "skipped",
        "load_primary": "skipped",
        "load_secondary": "skipped",
        "commit_watermark": "skipped",
    }
    product.source.update(table, [1], "later")
    idle.clear_all().go().expect("success")
    product.assert_equal(table)


def test_failures_clears_and_settings(product: Product) -> None:
    table = product.table("driven", chunk_rows=100)
    product.source.insert(table, range(3))
    product.sync(table)
    product.source.update(table, [1], "later")
    with product.secondary.paused():
        run = product.sync(table, "failed")
    assert run.states["commit_watermark"] == "success"
    assert "secondary" in run.told("load_secondary")
    assert len(product.debt(table)) == 1
    run.clear("load_secondary").go().expect("success")
    product.assert_equal(table)
    with product.target("secondary", enabled=False):
        product.source.update(table, [1], "even later")
        run = product.sync(table)
        assert run.states["load_secondary"] == "skipped"
    product.sync(table)
    product.assert_equal(table)


def test_a_zombie_is_overtaken(product: Product) -> None:
    table = product.table("driven")
    product.source.insert(table, range(3))
    run = product.start(table).go(until="seal_batch")
    with product.gate.hold(load_submitted(table, "primary")) as held:
        zombie = run.begin("load_primary")
        held.wait()
        run.lose("load_primary")
        run.go().expect("success")
        held.release()
        assert zombie.end().state == "success"
    run.expect("success")
    product.assert_equal(table)
    assert len(product.primary.batches(table)) == 1


def test_a_worker_is_killed(product: Product) -> None:
    table = product.table("driven")
    product.source.insert(table, range(3))
    run = product.start(table).go(until="plan_increment")
    with product.gate.hold(part_written(table), after=True) as held:
        attempt = run.begin("extract_chunk", 0, process=True)
        held.kill_caller()
        assert attempt.end().state == "failed"
    run.go().expect("failed")
    run.clear("extract_chunk", downstream=True).go().expect("success")
    assert product.gate.count(part_written(table)) == 2
    product.assert_equal(table)


def test_a_long_load_is_deferred(product: Product) -> None:
    table = product.table("driven")
    product.source.insert(table, range(3))
    product.sync(table)
    product.source.update(table, [1], "later")
    run = product.start(table).go(until="seal_batch")
    with product.primary.locked(table):
        assert run.do("load_primary", follow=False).state == "deferred"
    assert run.resume("load_primary").state == "success"
    run.go().expect("success")
    product.assert_equal(table)
