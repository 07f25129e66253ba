"""Tell which open work on a source could still commit rows stamped before now. Pure.

A row carries the time at which its statement *began*, and appears when its transaction commits.
Two lists show what lies in between: the server's transactions, and its running statements. A
statement that waits for a metadata lock has already frozen its time, and is only in the second.

Left out, because they cannot commit an older stamp: read-only transactions; transactions that have
written nothing and run nothing (their next statement begins later); statements that only read.

Not seen by either list, and left to the safety lag: a SELECT that will call a stored function which
writes; a transaction whose first statement waited for a metadata lock, then went idle (it is dated
by the end of the wait); an XA transaction prepared before a restart of the server (it is dated by
the restart); an application that computes its stamps itself, or sets `timestamp`.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tidemark.core.source.windows import Held

_IDLE = {"sleep", "daemon", "binlog dump", "binlog dump gtid"}
# The applier of a replica stamps rows with the primary's time; the replica's lag covers it.
_REPLICATION_USERS = {"system user"}
_TRX_QUERY_CHARACTERS = 1024  # `innodb_trx.trx_query` is cut here

_LEADING_COMMENTS = re.compile(r"(?:\s+|\(|--[^\n]*\n|#[^\n]*\n|/\*(?!M?!).*?\*/)*", re.DOTALL)
_FIRST_WORD = re.compile(r"[a-z]+")
_READING = {"select", "show", "explain", "describe", "desc", "values", "table", "kill", "use"}
_WRITING = re.compile(r"\b(?:insert|update|delete|replace|into|call|load)\b", re.IGNORECASE)


def held_by(
    now: datetime,
    transactions: Iterable[Mapping[str, Any]],
    statements: Iterable[Mapping[str, Any]],
) -> tuple[Held, ...]:
    """Return what holds the horizon back, oldest first.

    :param now: source time, UTC, read before both lists
    :param transactions: rows with thread_id, is_read_only, rows_modified, query, and started as
        seconds since 1970
    :param statements: rows of the process list, keys in lower case
    """
    held = [
        Held("transaction", int(row["thread_id"]), now - _instant(row["started"]))
        for row in transactions
        if _may_commit_older_rows(row)
    ]
    held += [
        Held("statement", int(row["id"]), _running_for(row))
        for row in statements
        if _may_be_writing(row)
    ]
    nothing = timedelta()
    return tuple(sorted((one for one in held if one.age > nothing), key=lambda one: -one.age))


def applies_replication(statements: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether the process list shows the threads of a replica."""
    return any(
        row["user"] in _REPLICATION_USERS and str(row["command"]).lower() != "daemon"
        for row in statements
    )


def only_reads(statement: str, *, complete: bool = True) -> bool:
    """Return whether a statement's text shows that it cannot write a row. In doubt, False.

    :param complete: False when the text may have been cut off
    """
    opening = _LEADING_COMMENTS.match(statement)
    text = statement[opening.end() if opening else 0 :].lower()
    word = _FIRST_WORD.match(text)
    if word is None:
        return False
    if word[0] == "with":
        return complete and not _WRITING.search(text)
    return word[0] in _READING


def _may_commit_older_rows(row: Mapping[str, Any]) -> bool:
    if int(row["is_read_only"]):
        return False
    if int(row["rows_modified"]):
        return True
    query = row["query"]
    return query is not None and not only_reads(query, complete=len(query) < _TRX_QUERY_CHARACTERS)


def _may_be_writing(row: Mapping[str, Any]) -> bool:
    command = str(row["command"]).lower()
    if command in _IDLE or command.startswith("slave") or row["user"] in _REPLICATION_USERS:
        return False
    text = row["info"]
    if text is None:
        # Between statements, or still logging in.
        return command in {"query", "execute", "killed"}
    return not only_reads(text)


def _instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(seconds))


def _running_for(row: Mapping[str, Any]) -> timedelta:
    """Return the age of a statement, rounded up where the server counts in whole seconds."""
    if (milliseconds := row.get("time_ms")) is not None:
        return timedelta(milliseconds=float(milliseconds))
    return timedelta(seconds=max(0, int(row["time"] or 0)) + 1)
