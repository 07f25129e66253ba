"""Ask a MySQL source what time it is, and what could still commit rows stamped before now.

`information_schema.innodb_trx` is a copy that the server renews only when nobody has looked for a
tenth of a second, so somebody's monitor can freeze it. It is believed only if it shows a
transaction of our own, opened after the process list was read. Each session asks once: its thread
id is new, so no list from before the transaction can show it. That order matters: a statement
seen in neither list has either committed, and will be read, or began after `now`.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
from pymysql.connections import Connection

from tidemark.core.errors import TryAgain
from tidemark.core.source.windows import SourceClock
from tidemark.core.storage.open_work import applies_replication, held_by
from tidemark.core.templates import render
from tidemark.hooks.mysql.connection import SourceError, code_of, fetch, thread_id

_CACHE_SECONDS = 0.12
_TRIES = 5
_DENIED, _SYNTAX = 1227, 1064
_LAG_NAMES = ("seconds_behind_source", "seconds_behind_master")


def read_now(connection: "Connection[Any]") -> datetime:
    """Return the source's time, UTC, with microseconds."""
    now: datetime = fetch(connection, _queries()["now"])[0]["now"]
    return now.replace(tzinfo=UTC)


def read_clock(connection: "Connection[Any]") -> SourceClock:
    """Return the time, and what holds the horizon back.

    Not complete, with the reason, when transactions cannot be seen: without PROCESS; when the list
    stays frozen; on a replica, whose lag is subtracted from the time but whose primary may have
    transactions open that nothing here shows. A replica's unknown lag is an error: `SourceError`
    where the user may not see it, `TryAgain` where replication does not run.
    """
    queries = _queries()
    now = read_now(connection)
    try:
        statements = fetch(connection, queries["statements"])
        transactions = _proven_transactions(connection, queries)
    except pymysql.MySQLError as error:
        if code_of(error) != _DENIED:
            raise
        doubt = "the user lacks a privilege; GRANT PROCESS ON *.* to it"
        lag, of_replica = _replication(connection, queries, statements=[])
        return SourceClock(now - lag, (), complete=False, doubt=of_replica or doubt)
    lag, doubt = _replication(connection, queries, statements)
    frozen = transactions is None and not doubt
    if frozen:
        doubt = "the server's list of transactions stays frozen: something polls it often"
    held = held_by(now, transactions or [], statements)
    return SourceClock(now - lag, held, complete=not doubt, doubt=doubt, passing=frozen)


def _proven_transactions(
    connection: "Connection[Any]", queries: Mapping[str, str]
) -> list[dict[str, Any]] | None:
    """Return the open transactions of others; None if the list could not be proven fresh."""
    me = thread_id(connection)
    fetch(connection, queries["server_zone"])
    fetch(connection, queries["take_turn"])
    fetch(connection, queries["open_sentinel"])
    try:
        for attempt in range(_TRIES + 1):
            # The list is renewed only after being left alone for this long; mostly it was.
            if attempt:
                time.sleep(_CACHE_SECONDS)
            seen = fetch(connection, queries["transactions"])
            others = [row for row in seen if row["thread_id"] != me]
            if len(others) < len(seen):
                return others
        return None
    finally:
        fetch(connection, queries["close_sentinel"])
        fetch(connection, queries["end_turn"])
        fetch(connection, queries["utc"])


def _replication(
    connection: "Connection[Any]",
    queries: Mapping[str, str],
    statements: list[dict[str, Any]],
) -> tuple[timedelta, str]:
    """Return how far a replica is behind, and why its transactions prove nothing ("" if none)."""
    rows = _replica_status(connection, queries)
    if rows is None:
        server = fetch(connection, queries["server"])[0]
        if applies_replication(statements) or server["read_only"] or server["innodb_read_only"]:
            raise SourceError(
                what="the source looks like a replica, and the user may not see how far it is "
                "behind: rows that have not reached it yet would be skipped",
                do="GRANT REPLICATION CLIENT (MariaDB: REPLICA MONITOR) ON *.* to the user of the "
                "connection.",
            )
        return timedelta(), ""
    if not rows:
        if fetch(connection, queries["server"])[0]["innodb_read_only"]:
            raise SourceError(
                what="the source reads another server's storage, and nothing here shows how far it "
                "is behind: rows that have not reached it yet would be skipped",
                do="Let the connection name the writer (Aurora: the cluster endpoint).",
            )
        return timedelta(), ""
    lags = [next((row[name] for name in _LAG_NAMES if name in row), None) for row in rows]
    if None in lags:
        raise TryAgain(
            what="the source is a replica and cannot say how far it is behind",
            do="See SHOW REPLICA STATUS there; clear the task when replication runs again.",
        )
    # Whole seconds, cut off: one more is on the safe side.
    lag = timedelta(seconds=max(int(seconds) for seconds in lags if seconds is not None) + 1)
    return lag, "the source is a replica: transactions open on its primary cannot be seen from here"


def _replica_status(
    connection: "Connection[Any]", queries: Mapping[str, str]
) -> list[dict[str, Any]] | None:
    """Return the status of every replication channel; None when the user may not see it."""
    for name in ("replica_all", "replica", "replica_old"):
        try:
            return fetch(connection, queries[name])
        except pymysql.MySQLError as error:
            if code_of(error) == _DENIED:
                return None
            if code_of(error) != _SYNTAX:
                raise
    return None


def _queries() -> dict[str, str]:
    return render("read_source.sql", "mysql", question="clock")
