"""F1. If these fail, a worker that dies at the wrong moment loses rows or doubles them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.moments import (
    batch_sealed,
    load_asked_about,
    load_submitted,
    part_written,
    plan_recorded,
    state_read,
    watermark_moved,
)
from tests.support.product import Product
from tests.support.traffic import Pattern

# The task that dies, the request at which it does, whether the server has answered that request.
DEATHS: dict[str, tuple[str, Callable[[str], Pattern], bool]] = {
    "after the plan is recorded": ("plan_increment", plan_recorded, True),
    "before extraction": ("extract_chunk", state_read, True),
    "during upload": ("extract_chunk", part_written, False),
    "after the manifest": ("seal_batch", batch_sealed, True),
    "after COPY was submitted": ("load_primary", load_submitted, True),
    "after COPY was committed": ("load_primary", load_asked_about, True),
    "before the watermark moves": ("commit_watermark", watermark_moved, False),
    "after the watermark moved": ("commit_watermark", watermark_moved, True),
}


@pytest.mark.runbook("An extracting task was killed")
@pytest.mark.parametrize("moment", DEATHS)
def test_f1_a_worker_is_killed(product: Product, moment: str) -> None:
    task, pattern, after = DEATHS[moment]
    table = product.table("killed")
    product.source.insert(table, range(1, 5))
    run = product.start(table)
    while (ready := run.ready())[0][0] != task:
        run.do(*ready[0])
    with product.gate.hold(pattern(table), after=after) as hold:
        attempt = run.begin(*ready[0], process=True)
        hold.kill_caller(arrives=False)
        assert attempt.end().state == "failed"
    product.source.update(table, [1], "later")

    run.clear(task, downstream=True).go().expect("success")
    (event,) = run.task("load_primary").events
    assert event.extra["rows"] == 4, "whoever runs on fresh data hears of it, though a worker died"
    product.sync(table)
    product.assert_equal(table)
    for warehouse in product.warehouses:
        batches = warehouse.batches(table)
        assert len(batches) == len(set(batches)) == len(product.batches(table)) <= 2
    assert product.state(table)["in_flight"] is None
    assert product.debt(table) == []
