"""If this fails, events are lost or counted twice where Airflow itself drains the queue."""

from __future__ import annotations

from onebox.rest import wait_until
from tests.support.event_queue import EventQueue, purchases
from tests.support.journeys import Pipeline


def test_events_are_counted_once_whatever_is_down_or_cleared(
    pipeline: Pipeline, drained: EventQueue
) -> None:
    """The rest of what may happen to a drain is in tests/operators/test_drain.py."""
    events = purchases(3)
    drained.send(*events, events[0], "no JSON")
    pipeline.drain(drained.name)
    assert drained.left() == 0
    drained.assert_users(3)

    drained.send(*purchases(1, first=3))
    with pipeline.secondary.paused():
        run = pipeline.drain(drained.name, "failed")
    assert run.states["delete_messages"] == "success"
    assert drained.left() == 0
    assert len(pipeline.store.debt(drained.name, "secondary")) == 1
    drained.assert_users(4, pipeline.primary)

    paid = pipeline.drain(drained.name)  # an empty queue, and a debt
    assert paid.states["load_secondary"] == "success"
    assert paid.states["receive_messages"] == paid.states["delete_messages"] == "skipped"
    assert pipeline.store.debt(drained.name, "secondary") == []
    drained.assert_users(4)

    drained.send(*purchases(2, first=4))  # the cleared run takes them up, in a batch of their own
    run.clear_all().wait()
    assert drained.left() == 0
    drained.assert_users(6)
    for task in ("receive_messages", "seal_batch", "load_primary", "delete_messages"):
        run.clear(task)
    run.wait()
    drained.assert_users(6)


def test_a_run_starts_when_messages_wait(pipeline: Pipeline, watched: EventQueue) -> None:
    watched.send(*purchases(2))
    wait_until(lambda: watched.left() == 0, 240, lambda: f"{watched.left()} messages are left")
    # One, or two if it was noticed between the messages.
    for run in pipeline.new_runs(f"drain__{watched.name}"):
        assert run.wait().id.startswith("asset_triggered")
    watched.assert_users(2)
