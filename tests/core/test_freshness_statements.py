"""The SQL of freshness, read in full. Update golden files in the same commit as templates."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tidemark.core.freshness.heartbeats import NODE
from tidemark.core.freshness.publishing import (
    Row,
    create_statements,
    due,
    heartbeat_query,
    publish_statements,
)
from tidemark.core.freshness.record import Record
from tidemark.core.settings.targets import PostgresTarget, RedshiftTarget, Target
from tidemark.core.templates import render

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
REDSHIFT = RedshiftTarget(
    name="primary",
    kind="redshift",
    role="required",
    region="us-east-1",
    cluster_identifier="c",
    database="d",
    db_user="u",
    iam_role="arn:aws:iam::1:role/r",
)
POSTGRES = PostgresTarget(name="copy", kind="postgres", role="required", conn_id="copy")
ROWS = [
    Row("shop.orders", "public.orders", NOW, Decimal("300"), Decimal("900")),
    Row("shop.o'hara", "public.o'hara", None, Decimal("0.5"), Decimal("900")),
]


def text(statements: dict[str, str]) -> str:
    return "\n\n".join(f"-- {name}\n{sql}" for name, sql in statements.items()) + "\n"


@pytest.mark.parametrize("target", [REDSHIFT, POSTGRES], ids=["redshift", "postgres"])
def test_what_a_target_is_sent(target: Target) -> None:
    sent = create_statements(target) | publish_statements(target, ROWS, NOW)
    sent["heartbeat"] = heartbeat_query(target, "_heartbeat")
    assert text(sent) == (GOLDEN / f"freshness_{target.dialect}.sql").read_text()


def test_what_a_source_is_sent() -> None:
    sent = render("heartbeat.sql", "mysql", schema="sh`op", table="_heartbeat", node=NODE)
    assert text(sent) == (GOLDEN / "heartbeat.sql").read_text()


def test_a_thousand_tables_are_some_statements_of_one_transaction() -> None:
    many = [Row(f"shop.t{n}", f"public.t{n}", NOW, Decimal(300), Decimal(900)) for n in range(1000)]
    sent = publish_statements(REDSHIFT, many, NOW)
    assert len(sent) == 5
    assert all(len(sql) < 100_000 for sql in sent.values()), "the Data API's limit"
    assert len(publish_statements(REDSHIFT, [], NOW)) == 1


def test_a_view_is_renewed_when_its_time_is_over() -> None:
    record = Record(published_at={"primary": NOW})
    assert due(record, "secondary", NOW, 300)
    assert not due(record, "primary", NOW + timedelta(seconds=299), 300)
    assert due(record, "primary", NOW + timedelta(seconds=300), 300)
    assert due(record, "primary", NOW - timedelta(seconds=1), 300), "the clock was set back"
    assert not due(Record(), "primary", NOW, 0)
