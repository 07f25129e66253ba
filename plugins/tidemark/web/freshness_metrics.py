"""The same numbers as Airflow's metrics, for Prometheus, where the freshness API stands alone.

    GET /metrics        how every table stands on every target

It asks for the token that the API asks for: ``authorization: {credentials: …}`` of a scrape job.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Depends, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from tidemark.core.freshness.survey import Survey
from tidemark.core.signals.gauges import survey_gauges
from tidemark.core.signals.metrics import METRICS
from tidemark.web.freshness_desk import FreshnessDesk


def metrics_routes(desk: FreshnessDesk, permit: Callable[..., Any]) -> APIRouter:
    """Return the route.

    :param permit: as for `freshness.create_app`
    """
    router = APIRouter()

    @router.get("/metrics", dependencies=[Depends(permit)], include_in_schema=False)
    async def metrics() -> Response:
        look, _ = await desk.look()
        text = await asyncio.to_thread(exposition, look.survey, datetime.now(UTC))
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router


def exposition(survey: Survey, now: datetime) -> bytes:
    """Return a survey's numbers as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Survey(survey, now))
    return generate_latest(registry)


class _Survey(Collector):
    def __init__(self, survey: Survey, now: datetime) -> None:
        self._survey, self._now = survey, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one family for each metric, with a sample for each table and target."""
        families: dict[str, GaugeMetricFamily] = {}
        for name, value, tags in survey_gauges(self._survey, self._now):
            known = METRICS[name]
            family = families.setdefault(
                name, GaugeMetricFamily(f"tidemark_{name}", known.says, labels=known.tags)
            )
            family.add_metric([tags[tag] for tag in known.tags], value)
        yield from families.values()
