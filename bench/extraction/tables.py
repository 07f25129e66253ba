"""The tables that are read: made by the server itself, from numbers, in one statement each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import pymysql
from pymysql.connections import Connection

from localaws import Endpoints

SCHEMA = "bench"
_SEEDING_S = 600  # deadline of the longest statement
_POOL_BYTES = 2 << 30

_WIDE = """
    id BIGINT UNSIGNED PRIMARY KEY, customer_id INT UNSIGNED NOT NULL, store_id SMALLINT NOT NULL,
    quantity TINYINT UNSIGNED NOT NULL, flags INT NOT NULL, views BIGINT, price DECIMAL(12,2),
    tax DECIMAL(10,4), balance DECIMAL(20,6), ratio DOUBLE, weight DOUBLE,
    is_active TINYINT(1) NOT NULL, status ENUM('new','paid','sent','closed') NOT NULL,
    country CHAR(2), sku VARCHAR(20), email VARCHAR(80), name VARCHAR(60), city VARCHAR(40),
    address VARCHAR(120), remark VARCHAR(255), payload LONGTEXT, day DATE, created_at DATETIME,
    shipped_at DATETIME, updated_at DATETIME(6) NOT NULL, seen_at DATETIME(6)
"""
_WIDE_ROWS = """
    SELECT seq, seq * 7919 MOD 400000, seq MOD 500, seq MOD 100, seq * 31 MOD 65536, seq * 1000003,
        seq MOD 1000000 / 100, seq MOD 90000 / 10000, seq * 1.000001, seq / 7, seq / 13,
        seq MOD 2, 1 + seq MOD 4, ELT(1 + seq MOD 5, 'DE', 'FR', 'US', 'JP', 'BR'),
        CONCAT('SKU-', LPAD(seq * 13 MOD 1000000, 8, '0')), CONCAT('user', seq, '@example.com'),
        CONCAT('Customer number ', seq), ELT(1 + seq MOD 4, 'Köln', 'Lyon', '東京', 'Austin'),
        CONCAT(seq MOD 999, ' Long Street, Building ', seq MOD 97),
        IF(seq MOD 3, CONCAT('remark ', MD5(seq)), NULL),
        CONCAT('{"order": ', seq, ', "tags": ["a", "b"], "token": "', MD5(seq + 1), '"}'),
        '2020-01-01' + INTERVAL seq MOD 2000 DAY, '2024-01-01' + INTERVAL seq SECOND,
        IF(seq MOD 4, '2024-01-02' + INTERVAL seq SECOND, NULL),
        '2024-01-01' + INTERVAL seq * 1000003 MICROSECOND,
        '2024-01-01' + INTERVAL seq * 777777 MICROSECOND
"""
_NARROW = "id INT PRIMARY KEY, customer_id INT NOT NULL, price DECIMAL(10,2), updated_at DATETIME"
_NARROW_ROWS = """
    SELECT seq, seq * 7919 MOD 400000, seq MOD 1000000 / 100, '2024-01-01' + INTERVAL seq SECOND
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, and what is said of it."""

    name: str
    rows: int
    columns: int

    @property
    def query(self) -> str:
        """All of it."""
        return f"SELECT * FROM {SCHEMA}.{self.name}"  # noqa: S608 - our own words

    def repeated(self, times: int) -> str:
        """All of it, so many times over: a long reading that needs no large table."""
        numbers = f"{SCHEMA}.seq_1_to_{times}"
        joined = f"{numbers} STRAIGHT_JOIN {SCHEMA}.{self.name} AS w"
        return f"SELECT w.* FROM {joined}"  # noqa: S608 - our own words


class Source:
    """The server that is read from, seen by its administrator."""

    def __init__(self, endpoints: Endpoints, owner: psutil.Process) -> None:
        self._endpoints = endpoints
        self.server = next(
            process
            for process in owner.children(recursive=True)
            if process.name() in ("mariadbd", "mysqld")
        )
        with self._administrator() as cursor:
            # So that the tables are read from memory, and the reader is what is measured.
            cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {_pool_bytes()}")

    def seed(self, rows: int) -> dict[str, Table]:
        """Make what is not there yet, and read it once. Raises the driver's errors."""
        wide, wide3 = Table("wide", rows, 26), Table("wide3", 3 * rows, 26)
        narrow = Table("narrow", 6 * rows, 4)
        self._make(wide, _WIDE, _WIDE_ROWS)
        self._make(wide3, _WIDE, _WIDE_ROWS)
        self._make(narrow, _NARROW, _NARROW_ROWS)
        return {table.name: table for table in (wide, wide3, narrow)}

    def _make(self, table: Table, columns: str, values: str) -> None:
        name = f"{SCHEMA}.{table.name}"
        with self._administrator() as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns}) ENGINE=InnoDB")
            cursor.execute(f"SELECT COUNT(*) FROM {name}")  # noqa: S608 - our own words
            if cursor.fetchone()[0] == table.rows:
                return
            cursor.execute(f"CREATE OR REPLACE TABLE {name} ({columns}) ENGINE=InnoDB")
            # Into an empty table and without these checks, InnoDB builds the index in bulk.
            cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0, sql_log_bin = 0")
            cursor.execute(f"INSERT INTO {name} {values} FROM seq_1_to_{table.rows}")
            cursor.execute(f"SELECT COUNT(*) FROM {name}")  # noqa: S608 - our own words

    def end_sessions(self) -> None:
        """End what a reader that was stopped left running."""
        with self._administrator() as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE user = %s",
                [self._endpoints.mysql_reader_user],
            )
            for (thread,) in cursor.fetchall():
                with suppress(pymysql.MySQLError):  # it ended by itself
                    cursor.execute(f"KILL {thread}")

    @contextmanager
    def _administrator(self) -> Iterator[Any]:
        connection: Connection[Any] = pymysql.connect(
            host=self._endpoints.mysql_host,
            port=self._endpoints.mysql_port,
            user=self._endpoints.mysql_admin_user,
            password=self._endpoints.mysql_admin_password,
            charset="utf8mb4",
            autocommit=True,
            read_timeout=_SEEDING_S,
            init_command=f"CREATE DATABASE IF NOT EXISTS {SCHEMA} CHARACTER SET utf8mb4",
        )
        with connection:
            connection.select_db(SCHEMA)
            with connection.cursor() as cursor:
                yield cursor


def _pool_bytes() -> int:
    return int(min(_POOL_BYTES, psutil.virtual_memory().available // 4))
