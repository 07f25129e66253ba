"""If these fail, a long load holds a worker, runs on when nobody waits for it, or is lost."""

from __future__ import annotations

import httpx

from onebox.rest import wait_until
from tests.support.airflow_pages import Pages
from tests.support.journeys import Pipeline
from tests.support.moments import load_asked_about

TABLE = "long_load"


def said(page: str) -> str:
    return httpx.get(page, trust_env=False, timeout=60).text


def test_a_long_load_waits_in_the_triggerer(pipeline: Pipeline, pages: Pages) -> None:
    """Its button leads to its statement before it has ended, too."""
    pipeline.source.create(TABLE)
    pipeline.source.insert(TABLE, range(1, 4))
    pipeline.sync(TABLE)
    pipeline.source.insert(TABLE, [4])
    with pipeline.secondary.locked(TABLE):
        run = pipeline.start(TABLE)
        run.wait_for_task("load_secondary", "deferred")
        # Not in the browser, which may take longer than the load's deadline.
        page = f"{pipeline.api.url}/{run.xcom('load_secondary', '_link_StatementLink')}"
        (statement,) = run.xcom("load_secondary", "statements")
        wait_until(lambda: "STARTED" in said(page), 120, lambda: said(page))
        assert f"--id {statement}" in said(page)
    run.wait()
    pages.statement(run, "load_secondary", "FINISHED", statement)
    pages.browser.picture("statement")
    pipeline.assert_equal(TABLE)
    assert len(pipeline.secondary.ledger(TABLE)) == 2
    assert pipeline.debt(TABLE) == []


def test_a_deferred_load_that_is_given_up_ends_on_the_warehouse(pipeline: Pipeline) -> None:
    """Airflow tells the trigger that a person acted; a statement that ran on would be a zombie."""
    pipeline.source.insert(TABLE, [6])
    asked = load_asked_about(TABLE, "secondary")
    with pipeline.secondary.locked(TABLE):
        run = pipeline.start(TABLE)
        run.wait_for_task("load_secondary", "deferred")
        # Airflow tells no trigger that its triggerer has not begun.
        pipeline.gate.wait_for(asked, since=len(pipeline.gate.seen))
        # The commit asks the locked ledger for a moment.
        batch_id = run.xcom("plan_increment", "batch_id")
        load = f"tidemark journeys.{TABLE} secondary {batch_id}"
        assert pipeline.secondary.unfinished().count(load) == 1
        run.mark("load_secondary", "failed")
        pipeline.secondary.wait_until_idle()
    run.wait("failed")
    run.clear("load_secondary").wait()
    pipeline.assert_equal(TABLE)
    assert pipeline.debt(TABLE) == []
