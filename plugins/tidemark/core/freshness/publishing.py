"""The view `tidemark_freshness` of a target: when it is renewed, and by which statements. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tidemark.core.freshness.heartbeats import NODE
from tidemark.core.freshness.record import Record
from tidemark.core.freshness.survey import Survey
from tidemark.core.settings.targets import Target
from tidemark.core.templates import render

# Of one INSERT: the Data API takes 100 kB a statement, and forty statements a transaction.
_PAGE = 250


@dataclass(frozen=True, slots=True)
class Row:
    """A table as the view has it. Times by the source's clock, lags in seconds."""

    table: str
    relation: str
    as_of: datetime | None
    target_lag: Decimal
    max_lag: Decimal


def due(record: Record, target: str, now: datetime, every_seconds: float) -> bool:
    """Return whether a target's view is to be renewed now. :param every_seconds: 0 is never"""
    if not every_seconds:
        return False
    last = record.published_at.get(target)
    return last is None or not timedelta(0) <= now - last < timedelta(seconds=every_seconds)


def rows_of(survey: Survey, target: str) -> list[Row]:
    """Return what the view of a target shows: every table that goes there."""
    return list(_rows(survey, target))


def create_statements(target: Target) -> dict[str, str]:
    """Return the statements that make table and view where they are missing."""
    return render("freshness.sql", target.dialect, part="create", schema=target.database_schema)


def publish_statements(
    target: Target, rows: Sequence[Row], measured_at: datetime
) -> dict[str, str]:
    """Return the statements that replace what the view shows, as one transaction."""
    pages = [rows[start : start + _PAGE] for start in range(0, len(rows), _PAGE)]
    return render(
        "freshness.sql",
        target.dialect,
        part="publish",
        schema=target.database_schema,
        pages=pages,
        measured_at=measured_at,
    )


def heartbeat_query(target: Target, table: str) -> str:
    """Return the question for what a target has of a heartbeat. :param table: its name there"""
    statements = render(
        "heartbeat.sql", target.dialect, schema=target.database_schema, table=table, node=NODE
    )
    return statements["read"]


def _rows(survey: Survey, target: str) -> Iterator[Row]:
    for table, listed in survey.listed.items():
        relation, standing = listed.relations.get(target), survey.standing(table, target)
        if relation is not None:
            budget = survey.budget(table, target)
            yield Row(
                table,
                relation,
                standing.as_of if standing else None,
                Decimal(str(budget.target_lag_seconds)),
                Decimal(str(budget.max_lag_seconds)),
            )
