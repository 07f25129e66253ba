"""What MySQL and MariaDB have to be told in words of their own, for tests that run on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Run = Callable[[str], list[tuple[Any, ...]]]


def numbers(first: int, last: int, name: str = "numbers") -> str:
    """Return a derived table `name` whose column `seq`, a BIGINT, counts from `first` to `last`.

    The rows come in no promised order, and as they are made: nobody waits for the last one.
    """
    count = last - first + 1
    places = [10**power for power in range(len(str(count - 1)))]
    tables = " STRAIGHT_JOIN ".join(
        f"({_digits((count - 1) // place)}) AS place{place}" for place in places
    )
    value = " + ".join(f"place{place}.digit * {place}" for place in places)
    return f"(SELECT {first} + {value} AS seq FROM {tables} WHERE {value} < {count}) AS {name}"


def _digits(greatest: int) -> str:
    return " UNION ALL ".join(f"SELECT {digit} AS digit" for digit in range(min(greatest, 9) + 1))


def is_mariadb(run: Run) -> bool:
    ((version,),) = run("SELECT VERSION()")
    return "mariadb" in version.lower()


def make_table(run: Run, name: str, columns: str) -> None:
    """Make a table anew."""
    run(f"DROP TABLE IF EXISTS {name}")
    run(f"CREATE TABLE {name} ({columns})")


def make_user(run: Run, user: str, password: str, *grants: str) -> None:
    """Make a user anew, who may do what follows the word GRANT in each of `grants`."""
    run(f"DROP USER IF EXISTS {user}")
    run(f"CREATE USER {user} IDENTIFIED BY '{password}'")
    for grant in grants:
        run(f"GRANT {grant} TO {user}")


@contextmanager
def time_limit(run: Run, seconds: float) -> Iterator[None]:
    """Let the server end every query of the stack's reader after that; 0 for no limit.

    MariaDB sets a limit to the account; MySQL knows only one for everybody.
    """
    mariadb = is_mariadb(run)
    limit = (
        "ALTER USER reader@'127.0.0.1' WITH MAX_STATEMENT_TIME {seconds}"
        if mariadb
        else "SET GLOBAL max_execution_time = {milliseconds}"
    )
    run(limit.format(seconds=seconds, milliseconds=round(seconds * 1000)))
    try:
        yield
    finally:
        run(limit.format(seconds=0, milliseconds=0))


@contextmanager
def without_encryption(run: Run) -> Iterator[None]:
    """Let the stack's server offer none. MariaDB has no certificate there; MySQL makes its own."""
    if is_mariadb(run):
        yield
        return
    ((versions,),) = run("SELECT @@global.tls_version")
    run("SET GLOBAL tls_version = ''")
    run("ALTER INSTANCE RELOAD TLS NO ROLLBACK ON ERROR")
    try:
        yield
    finally:
        run(f"SET GLOBAL tls_version = '{versions}'")
        run("ALTER INSTANCE RELOAD TLS")
