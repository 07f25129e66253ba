"""If these fail, programs that ask where to read are told nothing, or something else."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tidemark.web.freshness import create_app
from tidemark.web.token_login import token_permit

from clients import tidemark_freshness
from clients.tidemark_freshness import FreshnessClient, FreshnessUnavailable, StaleDataError
from tests.support.receiver import Served
from tests.web.test_freshness import TOKEN, Desk


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served(create_app(Desk("shop.orders"), token_permit((TOKEN.encode(),)))) as served:
        yield served


def test_a_route(served: Served) -> None:
    client = FreshnessClient(served.url + "/", TOKEN, timeout=60)
    route = client.route("shop.orders", max_lag_seconds=3600)
    assert (route.target, route.relation) == ("secondary", "public.it")
    assert timedelta(0) < datetime.now(UTC) - route.as_of < timedelta(hours=1)
    assert route.metadata["source"] == "secondary"
    assert (route.degraded, route.banner) == (False, "")
    assert client.table("shop.orders")["table"] == "shop.orders"
    assert len(client.overview()["tables"]) == 1


def test_stale_data_is_an_error_that_says_how_long_to_wait(served: Served) -> None:
    client = FreshnessClient(served.url, TOKEN, timeout=60)
    with pytest.raises(StaleDataError, match=r"No target is fresh enough") as raised:
        client.route("shop.orders", after=datetime.now(UTC) + timedelta(hours=1))
    assert set(raised.value.passed_over) == {"primary", "secondary"}
    assert raised.value.on_breach == "display_as_of"
    with pytest.raises(StaleDataError) as raised:
        client.route("shop.orders", "strong")
    assert raised.value.error == "not_served_here"


def test_what_is_no_answer_is_said_to_be_none(served: Served) -> None:
    with pytest.raises(FreshnessUnavailable, match="A token is needed") as raised:
        FreshnessClient(served.url, "wrong", timeout=60).route("shop.orders")
    assert raised.value.status == 401
    with pytest.raises(FreshnessUnavailable, match=r"no table or queue shop\.nowhere"):
        FreshnessClient(served.url, TOKEN, timeout=60).route("shop.nowhere")
    with pytest.raises(FreshnessUnavailable, match="no answer from") as raised:
        FreshnessClient("http://127.0.0.1:1", TOKEN).overview()
    assert raised.value.status is None
    with pytest.raises(ValueError, match="no time zone"):
        FreshnessClient(served.url).route("shop.orders", after=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="not an HTTP address"):
        FreshnessClient("file:///etc")


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(tidemark_freshness.__file__).read_text())
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "urllib" in names
    assert names <= sys.stdlib_module_names
