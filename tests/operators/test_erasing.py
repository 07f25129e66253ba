"""If these fail, somebody whose events were to be deleted is still in a warehouse."""

from __future__ import annotations

import io
import json
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tidemark.cli import main

from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.product import Product


@pytest.fixture
def ask_to_erase(monkeypatch: pytest.MonkeyPatch) -> Any:
    def ask_to_erase(queue: DrainedQueue, *ids: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(ids)))
        asked = ["erase", "request", "-q", queue.name, "--by", "user_id", "--reason", "ticket 12"]
        assert main(asked) == 0

    return ask_to_erase


def receipts(queue: DrainedQueue, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["erase", "receipts", "-q", queue.name]) == 0
    lines = capsys.readouterr().out.splitlines()  # the log's too, here
    return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.mark.runbook(
    "Messages are in the dead-letter queue, or somebody wants their events deleted"
)
def test_a_persons_events_go_everywhere_and_stay_away(
    product: Product, ask_to_erase: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = DrainedQueue(product)
    others = purchases(2)
    theirs = [{**event, "customer_user_id": "somebody"} for event in purchases(5, first=2)]
    queue.send(*others, *theirs[:2])
    queue.drain()
    queue.send(theirs[2])  # still in the queue when they ask
    ask_to_erase(queue, "somebody", "somebody-else")
    assert "somebody" not in capsys.readouterr().out
    assert len(queue.debt("primary")) == len(queue.debt()) == 1
    with product.secondary.paused():
        queue.drain("failed")
    queue.assert_users(2, product.primary)
    (asked,) = receipts(queue, capsys)
    assert asked["reason"] == "ticket 12"
    assert asked["targets"]["primary"]["events_deleted"] == 2
    queue.drain()
    assert queue.debt() == []
    queue.assert_users(2)
    (asked,) = receipts(queue, capsys)
    assert [done["status"] for done in asked["targets"].values()] == ["done", "done"]
    assert "somebody" not in json.dumps(asked)
    product.secondary.run(f"DELETE FROM _tidemark_ledger__{queue.name} WHERE kind = 'erasure'")
    assert main(["erase", "repeat", "-q", queue.name]) == 0  # as if restored from before
    assert len(queue.debt()) == 1
    assert queue.debt("primary") == []
    queue.send(theirs[3])  # they are back: what came later is taken
    queue.drain()
    for warehouse in product.warehouses:
        assert queue.users(warehouse)["somebody"] == 1


def test_postgresql_deletes_and_forgets_too(product: Product, ask_to_erase: Any) -> None:
    stack = product.stack
    login = {"host": stack.postgres_host, "port": stack.postgres_port}
    login["password"] = stack.postgres_password
    product.connection(
        "forgetful_db", conn_type="postgres", login=stack.postgres_user, schema="postgres", **login
    )
    settings = {"kind": "postgres", "role": "best_effort", "conn_id": "forgetful_db"}
    with product.target("forgetful", **settings):
        queue = DrainedQueue(product)
        events = purchases(4)
        queue.send(*events[:2])
        queue.drain()
        queue.send(events[3] | {"customer_user_id": "user-1"}, events[2])
        ask_to_erase(queue, "user-1")
        queue.drain()
        assert queue.debt("forgetful") == []
    table = sql.Identifier(queue.name)
    with psycopg.connect(user=stack.postgres_user, dbname="postgres", **login) as session:
        found = session.execute(sql.SQL("SELECT user_id FROM {}").format(table)).fetchall()
    assert sorted(found) == [("user-0",), ("user-2",)]


def test_a_request_is_refused_before_anything_is_written(
    product: Product, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = DrainedQueue(product)
    queue.send(*purchases(1))
    queue.drain()
    monkeypatch.setattr("sys.stdin", io.StringIO("x\n"))
    asked = ["erase", "request", "-q", queue.name, "--reason", "", "--by"]
    assert main([*asked, "app_id"]) == 1
    assert "no person is found by the column app_id" in capsys.readouterr().err
    assert main([*asked, "user_id"]) == 1  # nobody named: the first attempt has read them all
    assert "names 1 to 500 values, and this one 0" in capsys.readouterr().err
    assert receipts(queue, capsys) == []
