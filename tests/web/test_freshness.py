"""If these fail, programs are sent to stale data, or somebody sees what they may not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import Header
from tidemark.core.errors import TryAgain
from tidemark.core.freshness.budgets import Freshness
from tidemark.core.freshness.standing import standings
from tidemark.core.freshness.survey import Listed, Place, Survey
from tidemark.core.loading.breaker import Limits
from tidemark.core.storage.state import TableState, TargetState
from tidemark.web.freshness import create_app
from tidemark.web.freshness_desk import FreshnessDesk, Look
from tidemark.web.token_login import token_permit

from tests.support.receiver import Served

TOKEN = "a token of sixteen and more"


class Desk(FreshnessDesk):
    """Knows what a test says."""

    def __init__(self, *tables: str) -> None:
        super().__init__()
        self.lags = {"primary": 60.0, "secondary": 20.0}
        self.tables, self.away = tables, False

    async def look(self) -> tuple[Look, bool]:
        if self.away:
            raise TryAgain(what="S3 is away", do="Wait.")
        now = datetime.now(UTC)
        return Look(self.survey(now), 0.0), True

    def survey(self, now: datetime) -> Survey:
        limits = Limits(failures=5, pause=timedelta(minutes=15))
        listed = {
            name: Listed(
                "table",
                f"sync__{name.replace('.', '__')}",
                None,
                timedelta(seconds=5),
                "mysql_default",
                dict.fromkeys(self.lags, "public.it"),
            )
            for name in self.tables
        }
        state = TableState(
            table_name="any",
            targets={
                name: TargetState(
                    role="required" if name == "primary" else "best_effort",
                    as_of=now - timedelta(seconds=lag),
                )
                for name, lag in self.lags.items()
            },
            created_at=now,
            updated_at=now,
        )
        return Survey(
            looked_at=now,
            freshness=Freshness(),
            places={
                name: Place(target.role, True, limits) for name, target in state.targets.items()
            },
            listed=listed,
            standings=dict.fromkeys(self.tables, standings(state)),
        )


class Some:
    """May see one DAG."""

    def of(self, dag_ids: Collection[str]) -> list[str]:
        return [each for each in dag_ids if each == "sync__shop__orders"]


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk("shop.orders", "shop.secrets")


@pytest.fixture(scope="module")
def served(desk: Desk) -> Iterator[Served]:
    everything = token_permit((TOKEN.encode(),))

    def permit(authorization: str = Header("")) -> Any:
        return Some() if authorization == "some" else everything(authorization)

    with Served(create_app(desk, permit)) as served:
        yield served


@pytest.fixture
def client(served: Served, desk: Desk) -> Iterator[httpx.Client]:
    desk.lags, desk.away = {"primary": 60.0, "secondary": 20.0}, False
    with httpx.Client(base_url=served.url, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


@pytest.mark.parametrize(
    "path",
    ["/freshness", "/freshness/shop.orders", "/freshness/shop.orders/route", "/openapi.json"],
)
def test_nothing_is_answered_without_the_token(client: httpx.Client, path: str) -> None:
    for given in (None, "Bearer wrong", "Basic " + TOKEN, "Bearer", "Bearer " + TOKEN + "\xe9"):
        headers = {"Authorization": given.encode("latin-1") if given else b""}
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401, given
        assert answer.json()["error"] == "unauthorized"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert client.get(path).status_code == 200


def test_nobody_is_told_of_a_table_that_they_may_not_see(client: httpx.Client) -> None:
    client.headers["Authorization"] = "some"
    seen = client.get("/freshness")
    assert [each["table"] for each in seen.json()["tables"]] == ["shop.orders"]
    assert "secrets" not in seen.text
    hidden = [client.get(f"/freshness/{name}") for name in ("shop.secrets", "shop.nowhere")]
    routes = [client.get(f"/freshness/{name}/route") for name in ("shop.secrets", "shop.nowhere")]
    for first, second in (hidden, routes):
        assert first.status_code == second.status_code == 404
        assert first.text.replace("secrets", "nowhere") == second.text


def test_the_overview(client: httpx.Client, desk: Desk) -> None:
    desk.lags["secondary"] = 1200.0
    answer = client.get("/freshness")
    whole = answer.json()
    assert whole["badges"] == {"green": 2, "yellow": 0, "orange": 0, "red": 2, "grey": 0}
    assert "delayed by 20 minutes on secondary" in whole["banner"]
    assert answer.headers["X-Data-Source"] == whole["_metadata"]["source"] == "tidemark"
    assert answer.headers["X-Cache-Hit"] == "true"
    assert "history" not in answer.text.replace("history_days", "")
    one = client.get("/freshness/shop.orders").json()
    assert one["table"].keys() == whole["tables"][0].keys()
    assert one["table"]["targets"]["secondary"]["badge"] == "red"


def test_routes(client: httpx.Client, desk: Desk) -> None:
    answer = client.get("/freshness/shop.orders/route")
    assert answer.status_code == 200
    assert answer.json()["target"] == answer.headers["X-Data-Source"] == "secondary"
    assert answer.headers["X-Consistency-Level"] == "bounded"
    assert float(answer.headers["X-Data-Lag-Seconds"]) >= 20

    desk.lags["secondary"] = 1200.0
    assert client.get("/freshness/shop.orders/route").json()["target"] == "primary"

    refused = client.get("/freshness/shop.orders/route", params={"max_lag_seconds": 30})
    assert refused.status_code == 409
    assert refused.json()["error"] == "too_stale"
    assert set(refused.json()["passed_over"]) == {"primary", "secondary"}
    assert "Retry-After" not in refused.headers, "it runs when triggered: nobody knows"

    strong = client.get("/freshness/shop.orders/route", params={"consistency": "strong"})
    assert (strong.status_code, strong.json()["error"]) == (409, "not_served_here")


def test_who_has_written_reads_their_write(client: httpx.Client) -> None:
    def route(**params: str) -> httpx.Response:
        return client.get("/freshness/shop.orders/route", params=params)

    long_ago = datetime.now(UTC) - timedelta(hours=1)
    assert route(after=long_ago.isoformat()).json()["target"] == "secondary"
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert route(after=soon.isoformat()).status_code == 409


@pytest.mark.parametrize(
    "params",
    [
        {"consistency": "some"},
        {"max_lag_seconds": "-1"},
        {"max_lag_seconds": "nan"},
        {"max_lag_seconds": "soon"},
        {"after": "2026-01-31T17:42:00"},  # without a zone nobody knows when that is
        {"after": "yesterday"},
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(
    client: httpx.Client, params: dict[str, str]
) -> None:
    answer = client.get("/freshness/shop.orders/route", params=params)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert next(iter(params)) in answer.json()["message"]


def test_nothing_known_is_said_to_be_so(client: httpx.Client, desk: Desk) -> None:
    desk.away = True
    answer = client.get("/freshness")
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert "S3" not in answer.text


def test_the_description_tells_of_every_answer(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/freshness", "/freshness/{table}", "/freshness/{table}/route"}
    assert set(paths["/freshness/{table}/route"]["get"]["responses"]) >= {"200", "404", "409"}
