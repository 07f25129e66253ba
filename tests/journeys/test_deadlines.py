"""If this fails, nobody hears of a run that hangs until it has ended."""

from __future__ import annotations

from urllib.parse import urlsplit

from localaws import Endpoints
from tests.support.journeys import Pipeline
from tests.support.receiver import EventQueues

TABLE = "late_run"


def test_a_run_that_is_not_over_in_time_is_told_by_the_triggerer(
    pipeline: Pipeline, stack: Endpoints, environment: dict[str, str]
) -> None:
    pipeline.source.create(TABLE)
    pipeline.source.insert(TABLE, range(1, 4))
    run = pipeline.sync(TABLE)
    queue = stack.aws_endpoint_url + urlsplit(environment["DEADLINES_QUEUE_URL"]).path
    (message,) = EventQueues(stack).take(queue, 1)
    assert f"run {run.id} is not over after 0.001 s" in message["Body"]
