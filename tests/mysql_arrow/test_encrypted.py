"""Rows arrive through TLS as they do without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from pymysql.connections import Connection

from tests.mysql_arrow.conftest import run
from tests.support.dialects import numbers
from tests.support.encrypted_source import EncryptedSource, encrypted_source


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptedSource]:
    with encrypted_source(tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture
def connection(server: EncryptedSource) -> Iterator[Connection[Any]]:
    connection = pymysql.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        charset="utf8mb4",
        read_timeout=60,
        ssl_ca=str(server.authority),
        ssl_verify_cert=True,
        ssl_verify_identity=True,
    )
    run(connection, "CREATE DATABASE IF NOT EXISTS tls")
    run(connection, "USE tls")
    assert run(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]
    yield connection
    if connection.open:
        connection.close()


def _read(connection: Connection[Any], query: str, path: Any) -> pa.Table:
    with mysql_arrow.rows(connection, query, path=path) as found:
        assert found.path == path
        return pa.Table.from_batches(list(found), found.schema)


@pytest.mark.parametrize("width", [0, 100, 20_000])
def test_both_paths_read_the_same_rows(connection: Connection[Any], width: int) -> None:
    # Up to 40 MB: many TLS records, of which the last of a read may wait decrypted.
    query = (
        f"SELECT seq, seq / 7 AS ratio, REPEAT(CHAR(97 + seq % 26), {width}) AS text "
        f"FROM {numbers(1, 2000)}"
    )
    by_wire = _read(connection, query, "wire")
    assert by_wire.num_rows == 2000
    assert by_wire.equals(_read(connection, query, "driver"))
    assert run(connection, "SELECT 5") == [(5,)]


def test_a_row_beyond_one_packet_is_whole(connection: Connection[Any]) -> None:
    query = "SELECT REPEAT('ü', 9000000) AS text, 1 AS last"
    (row,) = _read(connection, query, "wire").to_pylist()
    assert (row["text"], row["last"]) == ("ü" * 9_000_000, 1)


def test_whoever_stops_early_is_not_kept_waiting(connection: Connection[Any]) -> None:
    query = f"SELECT seq, REPEAT('x', 500) FROM {numbers(1, 5_000_000)}"
    with mysql_arrow.rows(connection, query, path="wire") as found:
        assert next(iter(found)).num_rows
    assert not connection.open


def test_an_error_in_the_middle_is_raised(connection: Connection[Any]) -> None:
    query = (
        f"SELECT seq, 0 AS v FROM {numbers(1, 50_000)} UNION ALL "
        f"SELECT seq, (SELECT t.seq FROM {numbers(1, 2, 't')} WHERE s.seq > 50000) "
        f"FROM {numbers(50_001, 100_000, 's')}"
    )
    with pytest.raises(pymysql.MySQLError, match="more than 1 row"):
        _read(connection, query, "wire")
    assert run(connection, "SELECT 5") == [(5,)]
