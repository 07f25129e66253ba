"""If these fail, people are shown, or programs are sent to, something staler than they are told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tidemark.cli import main
from tidemark.core.freshness.answers import overview
from tidemark.core.freshness.record import KEY, Record
from tidemark.core.freshness.routing import Ask, Offer, route
from tidemark.web.freshness_desk import FreshnessDesk, Look

from clients.tidemark_freshness import FreshnessClient, FreshnessUnavailable
from localaws.processes import free_port
from tests.support import freshness_answers
from tests.support.product import DATABASE, ROOT, Product

# No machine is so slow, and none so fast, that a lag would be on the other side of these.
GENEROUS = {"target_lag_seconds": 100_000_000, "max_lag_seconds": 100_000_000}
STRICT = {"target_lag_seconds": 0, "max_lag_seconds": 0.000001, "recover_below_seconds": 0}


@pytest.fixture(scope="module")
def idle(product: Product) -> str:
    """A table that was copied, and has not changed since."""
    table = product.table("idle")
    product.source.insert(table, range(1, 6))
    product.sync(table)
    return table


@pytest.fixture
def measured(product: Product) -> Iterator[Product]:
    yield product
    product.configure_freshness()


def record(product: Product) -> Record:
    return Record.model_validate_json(product.store.get(KEY))


def looked(desk: FreshnessDesk) -> Look:
    return asyncio.run(desk.look())[0]


def sent_to(desk: FreshnessDesk, table: str) -> str:
    survey, now = looked(desk).survey, datetime.now(UTC)
    answer = route(Ask(), survey.candidates(f"{DATABASE}.{table}", now), now)
    assert isinstance(answer, Offer), answer
    return answer.candidate.standing.target


def test_what_a_warehouse_says_of_itself(measured: Product, idle: str) -> None:
    """In plain SQL, for tools that cannot ask the API."""
    measured.configure_freshness(publish_seconds=0.000001)
    for _ in range(2):
        measured.measure()
        for warehouse in measured.warehouses:
            (row,) = warehouse.run(
                "SELECT relation, as_of, lag_seconds, freshness, data_as_of, measured_at "
                f"FROM tidemark_freshness WHERE table_name = '{DATABASE}.{idle}'"
            )
            as_of = measured.state(idle)["targets"][warehouse.name]["as_of"]
            told = datetime.fromisoformat(row["as_of"]).replace(tzinfo=UTC)
            assert told == datetime.fromisoformat(as_of)
            assert row["relation"] == f"public.{idle}"
            assert row["data_as_of"] == f"Data as of {told:%Y-%m-%d %H:%M} UTC"
            assert row["lag_seconds"] >= 0
            assert row["freshness"] in {"fresh", "late", "stale"}


def test_a_warehouse_that_is_away_is_no_failure_of_measuring(measured: Product, idle: str) -> None:
    measured.configure_freshness(publish_seconds=0.000001)
    with measured.secondary.paused():
        before = record(measured).published_at if measured.store.keys(KEY) else {}
        measured.measure()
        after = record(measured)
    assert after.published_at["primary"] > before.get("primary", datetime.min.replace(tzinfo=UTC))
    assert "secondary" not in after.published_at, "its view is made anew when it is back"
    assert after.of(f"{DATABASE}.{idle}", "secondary").as_of is not None


def test_a_copy_that_is_late_is_left_and_returned_to_after_the_hold(
    measured: Product, idle: str
) -> None:
    budgets = {"fast": GENEROUS, "late": STRICT}

    def configure(secondary: str, hold: float) -> None:
        held = {name: {**each, "recover_for_seconds": hold} for name, each in budgets.items()}
        rule = {"budget": "fast", "targets": {"secondary": secondary}}
        measured.configure_freshness(
            budgets=held, default_budget="fast", tables={f"{DATABASE}.{idle}": rule}
        )

    configure("fast", hold=3600)
    assert sent_to(FreshnessDesk(), idle) == "secondary", "a copy comes before the primary"
    configure("late", hold=3600)
    measured.measure()
    assert sent_to(FreshnessDesk(), idle) == "primary"

    configure("fast", hold=3600)
    measured.measure()
    assert sent_to(FreshnessDesk(), idle) == "primary", "it is well again, and not back yet"
    configure("fast", hold=0)
    measured.measure()
    assert sent_to(FreshnessDesk(), idle) == "secondary"


def test_one_desk_remembers_what_no_record_has_seen(measured: Product, idle: str) -> None:
    name = f"{DATABASE}.{idle}"
    desk = FreshnessDesk(refresh_seconds=0)
    for budget, left in ((GENEROUS, False), (STRICT, True), (GENEROUS, True)):
        measured.configure_freshness(
            budgets={"it": {**budget, "recover_for_seconds": 3600}}, default_budget="it"
        )
        survey = looked(desk).survey
        assert survey.hold(name, "primary", survey.looked_at).offered is not left


def test_documents_that_have_not_changed_are_not_read_again(measured: Product, idle: str) -> None:
    """A thousand tables cost one listing."""
    from tests.support.traffic import s3

    other = measured.table("read_again")
    measured.source.insert(other, range(1, 6))
    measured.sync(other)
    desk = FreshnessDesk(refresh_seconds=0)
    assert looked(desk).survey.standing(f"{DATABASE}.{idle}", "primary")

    measured.source.insert(other, [9])
    measured.sync(other)
    seen = len(measured.gate.seen)
    as_of = looked(desk).survey.standing(f"{DATABASE}.{other}", "primary").as_of
    assert as_of == datetime.fromisoformat(measured.state(other)["targets"]["primary"]["as_of"])
    assert measured.gate.count(s3("GET", f"tables/{DATABASE}.{other}.json"), seen) == 1
    assert measured.gate.count(s3("GET", f"tables/{DATABASE}.{idle}.json"), seen) == 0


def test_the_page_is_tried_with_what_is_answered(measured: Product, idle: str) -> None:
    """The page's own tests make answers up."""
    look = looked(FreshnessDesk())
    found, made = look.tables[f"{DATABASE}.{idle}"], freshness_answers.table("a.b")
    assert set(found) == set(made)
    real, made_up = found["targets"]["primary"], made["targets"]["primary"]
    assert set(real) - {"history"} == set(made_up)
    assert set(real["budget"]) == set(made_up["budget"])
    assert set(real["last_batch"]) == set(made_up["last_batch"])
    whole = overview(look.survey, look.tables, 1, datetime.now(UTC))
    assert set(whole) - {"_metadata"} == set(freshness_answers.answer(made))


def test_one_document_that_cannot_be_read_hides_no_other(measured: Product, idle: str) -> None:
    bad = measured.table("unreadable")
    measured.store.put(f"watermark/tables/{DATABASE}.{bad}.json", b"{")
    survey = looked(FreshnessDesk()).survey
    assert survey.standing(f"{DATABASE}.{idle}", "primary") is not None
    assert survey.standing(f"{DATABASE}.{bad}", "primary") is None


def test_at_a_terminal(measured: Product, idle: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{DATABASE}.{idle}"
    measured.configure_freshness(budgets={"it": GENEROUS}, default_budget="it")

    def answer(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["freshness", *words, "--json"]) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    (table,) = (each for each in answer("list")["tables"] if each["table"] == name)
    assert {each["badge"] for each in table["targets"].values()} == {"green"}
    assert answer("route", "-t", name)["relation"] == f"public.{idle}"
    assert main(["freshness", "list"]) == 0
    assert name in capsys.readouterr().out
    assert main(["freshness", "route", "-t", name, "--max-lag", "0"]) == 75, "it may pass by itself"
    assert "No target is fresh enough" in capsys.readouterr().err


def test_a_terminal_tells_why_there_is_no_lag_and_why_there_is_one(
    measured: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    table = measured.table("rested", stall_alert_seconds=0.001)
    measured.source.insert(table, [1])
    measured.sync(table)

    def said() -> list[str]:
        capsys.readouterr()
        assert main(["freshness", "list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if line.startswith(f"{DATABASE}.{table} ")]

    with measured.target("secondary", enabled=False):
        measured.sync(table)
    primary, secondary = said()
    assert primary.endswith(" behind")
    assert secondary.endswith("switched on, and not loaded since")
    with measured.source.transaction() as held:
        held.execute(f"INSERT INTO {table} (id, name) VALUES (2, 'not committed')")
        thread = held.connection.thread_id()
        measured.sync(table)
        for line in said():
            assert line.endswith(f"the source is held back by transaction {thread}")


def test_the_api_by_itself(measured: Product, idle: str, tmp_path: Path) -> None:
    token = "of sixteen characters, and more"
    assert main(["freshness", "serve"]) == 1, "without a token nothing is served"
    measured.connection("tidemark_freshness", conn_type="generic", password=token)
    with served(tmp_path / "served.log") as url:
        client = FreshnessClient(url, token, timeout=60)
        assert client.route(f"{DATABASE}.{idle}", "eventual").relation == f"public.{idle}"
        with pytest.raises(FreshnessUnavailable, match="A token is needed"):
            FreshnessClient(url, timeout=60).overview()
        bearer = {"Authorization": f"Bearer {token}"}
        numbers = httpx.get(f"{url}/metrics", headers=bearer, timeout=60).text
        assert f'tidemark_destination_lag{{table="{DATABASE}.{idle}",target="primary"}}' in numbers
        assert httpx.get(f"{url}/metrics", timeout=60).status_code == 401


@contextmanager
def served(log: Path) -> Iterator[str]:
    """`python -m tidemark freshness serve`, as somebody starts it."""
    port = free_port()
    command = [sys.executable, "-m", "tidemark", "freshness", "serve", f"--port={port}"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/plugins"}
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=written, stderr=written
        )
    end = time.monotonic() + 150
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/freshness", timeout=60)
                break
            except httpx.TransportError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(150)
