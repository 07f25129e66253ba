"""If these fail, dashboards and alarms are blind: a run no longer says in numbers what it did."""

from __future__ import annotations

import pytest
from tidemark.core.signals.metrics import METRICS
from tidemark.hooks import metrics

from tests.support.otel import collecting
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.statsd import listening


def test_a_run_tells_its_rows_bytes_and_seconds(product: Product) -> None:
    table = product.table("metered")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 6))
    with listening() as statsd:
        run = product.sync(table)
        assert statsd.sum("tidemark.rows_extracted", table=name) == 5
        assert statsd.sum("tidemark.rows_staged", table=name) == 5
        assert statsd.sum("tidemark.batch_bytes", table=name) == run.xcom("seal_batch")["bytes"]
        assert statsd.of("tidemark.extract_seconds", table=name)[0].kind == "ms"
        for target in ("primary", "secondary"):
            where = {"table": name, "target": target}
            assert statsd.sum("tidemark.rows_merged", **where) == 5
            assert statsd.sum("tidemark.load_success", **where) == 1
            assert len(statsd.of("tidemark.copy_seconds", **where)) == 1
        assert statsd.of("tidemark.bound_stalled_seconds", table=name)

        run.clear("load_primary").go().expect("success")
        assert statsd.sum("tidemark.rows_merged", table=name, target="primary") == 5, "once"


def test_opentelemetry_is_told_the_same_names_tags_and_numbers(product: Product) -> None:
    table = product.table("traced")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 6))
    with collecting() as collector:
        for row in (6, 7):
            product.source.insert(table, [row])
            product.sync(table)
        product.look()
        where = {"table": name, "target": "secondary"}
        (debt,) = collector.of("tidemark.debt_batches", **where)[-1:]
        merged = collector.of("tidemark.rows_merged", **where)
        seconds = collector.of("tidemark.copy_seconds", **where)
        assert collector.sum("tidemark.rows_extracted", table=name) == 7
    assert (debt.kind, debt.value) == ("gauge", 0)
    assert sum(each.value for each in merged) == 7
    # Each task is a process of its own: what it counted must not look like all there ever was.
    assert {(each.kind, each.delta) for each in merged} == {("sum", True)}
    assert {(each.kind, each.unit) for each in seconds} == {("exponential_histogram", "ms")}
    assert sum(each.count for each in seconds) == 2


def test_a_load_that_fails_is_counted_and_remembered(product: Product) -> None:
    table = product.table("failing")
    name = f"{DATABASE}.{table}"
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.source.insert(table, [4])
    with listening() as statsd, product.primary.paused():
        runs = [product.sync(table, "failed") for _ in range(2)]
        failed = statsd.of("tidemark.load_failure", table=name, target="primary")
    assert [each.tags["kind"] for each in failed] == ["TryAgain", "TryAgain"]
    failure = product.state(table)["targets"]["primary"]["failure"]
    assert (failure["runs"], failure["run_id"]) == (2, runs[-1].id)

    product.sync(table)
    assert product.state(table)["targets"]["primary"]["failure"] is None


def test_a_run_that_cannot_plan_is_remembered_until_one_can(product: Product) -> None:
    table = product.table("unplanned")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    product.configure(table, cursor="nothing_like_it")
    run = product.sync(table, "failed")
    failure = product.state(table)["failure"]
    assert (failure["runs"], failure["run_id"]) == (1, run.id)
    assert failure["kind"] == "FixConfiguration"

    product.configure(table, cursor=None)
    product.sync(table)
    assert product.state(table)["failure"] is None


def test_nothing_is_sent_that_dashboards_do_not_know() -> None:
    with pytest.raises(ValueError, match="no counter rows_lost"):
        metrics.count("rows_lost", 1, table="s.a")
    with pytest.raises(ValueError, match="with \\['table'\\]"):
        metrics.gauge("debt_batches", 1, table="s.a")
    assert len(METRICS) > 20
    assert all(each.says for each in METRICS.values())
