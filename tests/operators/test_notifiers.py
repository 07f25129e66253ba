"""If these fail, what `alerts.yaml` recommends for Slack, SNS and e-mail reaches nobody."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from localaws import Endpoints
from tests.support.chat import Chat
from tests.support.mailbox import Mailbox
from tests.support.product import Product
from tests.support.source import DATABASE
from tests.support.topic import Topic

SHIPPED = Path(__file__).parents[2] / "include" / "alerts.yaml"


@dataclass
class Ways:
    """Where the shipped example tells people: pages to Slack and SNS, tickets by e-mail."""

    slack: Chat
    topic: Topic
    mailbox: Mailbox
    notify: dict[str, Any]


@pytest.fixture
def ways(product: Product, stack: Endpoints) -> Iterator[Ways]:
    topic, slack = Topic(stack, "alerts"), Chat()
    with Mailbox() as mailbox:
        aws = json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])
        aws["extra"]["service_config"]["sns"] = {"endpoint_url": stack.aws_endpoint_url}
        product.connection("aws_default", **aws)
        product.connection("slack", conn_type="http", host=slack.url)
        product.connection("smtp_default", **mailbox.connection)
        product.setenv({"PAGE_TOPIC_ARN": topic.arn})
        ways = Ways(slack, topic, mailbox, example())
        configure(product, ways.notify)
        yield ways
        product.write("alerts.yaml", {"version": 1})
    slack.close()


def example() -> dict[str, Any]:
    """What the commented lines of the shipped file say."""
    lines = [
        line.removeprefix("# ") for line in SHIPPED.read_text().splitlines() if line[:2] == "# "
    ]
    said = yaml.safe_load("\n".join(lines[lines.index("notify:") :]))
    notify: dict[str, Any] = said["notify"]
    return notify


def configure(product: Product, notify: dict[str, Any]) -> None:
    product.write("alerts.yaml", {"version": 1, "quiet_minutes": 0, "notify": notify})


def late(product: Product, table: str | None) -> None:
    """Give one table a budget that it breaks: an alert that pages."""
    if table is None:
        product.configure_freshness()
        return
    short = {"target_lag_seconds": 0, "max_lag_seconds": 0.001, "recover_for_seconds": 0}
    rules = {f"{DATABASE}.{table}": {"budget": "short"}}
    product.configure_freshness(budgets={"redshift_bi": {}, "short": short}, tables=rules)


@pytest.mark.runbook("An alert was told")
def test_pages_and_tickets_arrive_once_where_the_shipped_example_sends_them(
    product: Product, ways: Ways
) -> None:
    table, aside = product.table("paged"), product.table("ticketed")
    product.source.insert(table, range(1, 4))
    product.source.run(f"ALTER TABLE {aside} MODIFY name MEDIUMTEXT")
    product.source.run(f"INSERT INTO {aside} (id, name) VALUES (1, REPEAT('x', 70000)), (2, 'y')")
    for each in (table, aside):
        product.sync(each)
    late(product, table)
    for _ in range(3):
        product.look()

    words = f"[page] freshness: {DATABASE}.{table} -> primary: Data as of "
    (told,) = ways.slack.heard
    assert words in told
    assert words in ways.topic.next()["Message"]
    (letter,) = ways.mailbox.letters
    assert (letter["Subject"], letter["To"]) == ("Tidemark", "data@example.org")
    html = letter.get_body().get_content()
    assert f"[ticket] quarantine: {DATABASE}.{aside}: set aside: 1 row" in html
    assert f"{DATABASE}.{table}" not in html

    late(product, None)
    for _ in range(2):
        product.look()
    assert len(ways.slack.heard) == 2
    assert "over, after" in ways.slack.heard[1]
    assert "over, after" in ways.topic.next()["Message"]
    assert ways.topic.rest() == []
    assert len(ways.mailbox.letters) == 1


def test_one_that_never_answers_keeps_no_other_from_telling(product: Product, ways: Ways) -> None:
    table = product.table("deaf")
    product.source.insert(table, range(1, 4))
    product.sync(table)
    impatient = copy.deepcopy(ways.notify)
    options = impatient["page"][0]["arguments"]["extra_options"]
    assert options["timeout"] <= 60
    options["timeout"] = 1
    configure(product, impatient)
    late(product, table)
    ways.slack.deaf = True
    product.look()
    assert f"{DATABASE}.{table}" in ways.topic.next()["Message"]
    assert ways.slack.heard == []

    ways.slack.deaf = False
    product.look()
    assert ways.slack.heard == []
    assert ways.topic.rest() == []
    late(product, None)
    product.look()
