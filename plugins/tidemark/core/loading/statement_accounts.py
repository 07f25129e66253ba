"""What the Data API says of a statement. Pure.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

UNFINISHED = ("SUBMITTED", "PICKED", "STARTED")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the service says of a statement.

    :param failed_index: which of a batch's statements failed, counted from 0
    """

    id: str
    status: str
    error: str = ""
    failed_index: int | None = None

    @property
    def running(self) -> bool:
        """Whether it may still succeed."""
        return self.status in UNFINISHED

    @property
    def succeeded(self) -> bool:
        """Whether it committed."""
        return self.status == "FINISHED"


def forgotten(statement_id: str) -> Statement:
    """Return what is known of a statement that the service does not know any more."""
    said = "the Data API does not know this statement any more: it keeps them for 24 hours"
    return Statement(statement_id, "FORGOTTEN", said)


def parse_statement(answer: Mapping[str, Any]) -> Statement:
    """Read a DescribeStatement answer."""
    failed = [
        index
        for index, part in enumerate(answer.get("SubStatements", []))
        if part.get("Status") in {"FAILED", "ABORTED"} and part.get("Error")
    ]
    return Statement(
        id=str(answer["Id"]),
        status=str(answer["Status"]),
        error=str(answer.get("Error") or ""),
        failed_index=failed[0] if failed else None,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One of the statements of a transaction.

    :param seconds: how long it ran, so far or in all; None if the service does not say
    :param rows: how many it returned or changed; None if it says nothing of rows
    """

    sql: str
    status: str
    seconds: float | None
    rows: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Account:
    """All that is told of a transaction to the person who looks at it."""

    id: str
    status: str
    begun: datetime | None
    seconds: float | None
    error: str
    parts: tuple[Part, ...]

    @property
    def running(self) -> bool:
        """Whether it may still succeed."""
        return self.status in UNFINISHED


def parse_account(answer: Mapping[str, Any]) -> Account:
    """Read a DescribeStatement answer, whole."""
    begun = answer.get("CreatedAt")
    return Account(
        id=str(answer["Id"]),
        status=str(answer["Status"]),
        begun=begun.astimezone(UTC) if begun else None,
        seconds=_seconds(answer),
        error=str(answer.get("Error") or ""),
        parts=tuple(map(_part, answer.get("SubStatements") or [answer])),
    )


def _part(answer: Mapping[str, Any]) -> Part:
    rows = answer.get("ResultRows", -1)
    return Part(
        sql=str(answer.get("QueryString") or ""),
        status=str(answer.get("Status") or ""),
        seconds=_seconds(answer),
        rows=rows if rows >= 0 else None,
        error=str(answer.get("Error") or ""),
    )


def _seconds(answer: Mapping[str, Any]) -> float | None:
    nanoseconds = answer.get("Duration", -1)
    return nanoseconds / 1e9 if nanoseconds >= 0 else None
