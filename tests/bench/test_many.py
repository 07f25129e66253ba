"""A bench that counted wrongly would call a pool kept that was not."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest

from bench.many.watching import Ended, loops, most_at_once, most_tasks
from bench.statsd import Sent, receiving
from onebox.airflow_values import TaskInstance

_PORT = "AIRFLOW__METRICS__STATSD_PORT"
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _ran(dag_id: str, task_id: str, first: int, last: int) -> TaskInstance:
    start, end = (_NOON + timedelta(seconds=second) for second in (first, last))
    return TaskInstance(dag_id, task_id, -1, "success", start, end, 1, 0, None, None, "here")


def test_tasks_are_counted_where_they_overlap() -> None:
    ran = [_ran("a", "plan", 0, 4), _ran("b", "plan", 1, 3), _ran("a", "load", 4, 6)]
    assert most_at_once(ran) == 2, "one that starts as another ends is not beside it"
    assert most_tasks(ran) == 2


def test_loops_and_heartbeats_are_those_of_the_scheduler() -> None:
    durations = [Sent("scheduler.scheduler_loop_duration", {}, ms, "ms", 0) for ms in (100, 300)]
    beats = [Sent("scheduler_heartbeat", {}, 1, "c", at) for at in (1, 6, 13)]
    figures = {each.name: each.value for each in loops("many", [*durations, *beats], 30)}
    assert figures["scheduler loop, longest"] == 0.3
    assert figures["between two heartbeats, longest"] == 7


def test_a_dag_whose_run_is_over_is_counted_once() -> None:
    with receiving() as statsd, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        ended = Ended(statsd)
        assert ended.count() == 0
        for dag_id, state in (("a", "success"), ("b", "failed"), ("a", "success")):
            line = f"airflow.dagrun.duration.{state},dag_id={dag_id},run_type=scheduled:12.5|ms"
            client.sendto(line.encode(), ("127.0.0.1", int(statsd.settings[_PORT])))
        assert ended.count() == 2


def test_a_scheduler_that_says_nothing_is_no_healthy_one() -> None:
    with pytest.raises(RuntimeError, match="0 heartbeats"):
        loops("many", [], 30)
