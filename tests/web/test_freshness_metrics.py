"""If these fail, Prometheus is blind, or anybody may read how every table stands."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tidemark.web.freshness import create_app
from tidemark.web.freshness_metrics import metrics_routes
from tidemark.web.token_login import token_permit

from tests.support.receiver import Served
from tests.web.test_freshness import TOKEN, Desk


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    desk, permit = Desk("shop.orders", "shop.secrets"), token_permit((TOKEN.encode(),))
    app = create_app(desk, permit)
    app.include_router(metrics_routes(desk, permit))
    with Served(app) as served:
        yield served


def test_prometheus_reads_how_every_table_stands(served: Served) -> None:
    answer = httpx.get(
        f"{served.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    lags = families["tidemark_destination_lag"]
    assert lags.type == "gauge"
    found = {(s.labels["table"], s.labels["target"]): s.value for s in lags.samples}
    assert len(found) == 4
    assert found["shop.orders", "secondary"] >= 20
    assert found["shop.orders", "primary"] > found["shop.orders", "secondary"]


def test_nobody_reads_it_without_a_token(served: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer another"}):
        assert httpx.get(f"{served.url}/metrics", headers=headers, timeout=60).status_code == 401
