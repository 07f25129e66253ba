"""If these fail, the source sends what was to stay there, or keeps what was to be sent."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.tables import Table
from tidemark.hooks.mysql.source import MySqlSource, ReadRequest

from tests.hooks.conftest import Run
from tests.hooks.reading import DATABASE, LATE, at, read_table
from tests.support.dialects import make_table

_FLOAT = "1.100000023841858"  # every digit of the FLOAT 1.1
SECRET = "a secret of more than sixty-four characters, which HMAC shortens first"


@pytest.fixture
def people(sql: Run) -> None:
    make_table(
        sql,
        "people",
        "id INT PRIMARY KEY, updated_at DATETIME(6),"
        " mail VARCHAR(80) CHARACTER SET latin1, raw VARBINARY(9), age SMALLINT, half DECIMAL(9,3),"
        " weight FLOAT, born DATE, flag BIT(3), kind ENUM('ä','b'), country CHAR(2),"
        " KEY (updated_at)",
    )
    sql(
        "INSERT INTO people VALUES"
        " (1, '2024-01-01 00:00:01', 'jörg@€.de', x'00ff5c27', 42, -0.5, 1.1, '1999-12-31', b'101',"
        " 'ä', 'DE'),"
        " (2, '2024-01-01 00:00:02', '', '', 0, 0, 0, '2000-01-01', b'0', 'b', 'FR'),"
        " (3, '2024-01-01 00:00:03', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
    )


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def set_to(password: str) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_TIDEMARK_HASH", f'{{"password": "{password}"}}')

    return set_to


def request(source: MySqlSource, **settings: Any) -> ReadRequest:
    table = Table(db_schema=DATABASE, table="people", **settings)
    return ReadRequest(
        DATABASE,
        "people",
        source.describe(DATABASE, "people", table).columns,
        table.cursor,
        cursor_low=None,
        cursor_high=LATE,
        where=table.where,
        hash_connection=table.hash_connection,
    )


def hashed(value: bytes, key: str) -> str:
    return hmac.new(key.encode(), value, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("password", [SECRET, "just long enough"])
def test_a_hash_is_hmac_sha_256_of_what_was_there(
    source: MySqlSource, people: None, secret: Callable[[str], None], password: str
) -> None:
    secret(password)
    names = ["mail", "raw", "age", "half", "weight", "born", "flag", "kind"]
    rows = read_table(source, request(source, columns={"hash": names})).to_pylist()
    values = {
        1: ["jörg@€.de", b"\x00\xff\x5c\x27", "42", "-0.500", _FLOAT, "1999-12-31", "5", "ä"],
        2: ["", b"", "0", "0.000", "0", "2000-01-01", "0", "b"],
        3: [None] * 8,
    }
    assert len(rows) == len(values)
    for row in rows:
        for name, value in zip(names, values[row["id"]], strict=True):
            data = value.encode() if isinstance(value, str) else value
            wanted = None if data is None else hashed(data, password)
            assert row[name] == wanted, (row["id"], name)
    assert [row["country"] for row in rows] == ["DE", "FR", None]


def test_the_key_is_in_no_list_of_running_queries(
    source: MySqlSource, people: None, sql: Run, secret: Callable[[str], None]
) -> None:
    secret(SECRET)
    with source.read(request(source, columns={"hash": ["mail"]})) as reading:
        next(reading.batches())
        seen = sql("SELECT COALESCE(info, '') FROM information_schema.processlist")
    block = hashlib.sha256(SECRET.encode()).digest().ljust(64, b"\0")
    inner = bytes(byte ^ 0x36 for byte in block).hex()
    assert seen
    assert not [text for (text,) in seen if inner in text or SECRET in text]


def test_without_a_good_key_nothing_is_read(
    source: MySqlSource, people: None, secret: Callable[[str], None]
) -> None:
    asked = request(source, columns={"hash": ["mail"]})
    with pytest.raises(FixConfiguration, match="no connection tidemark_hash"):
        read_table(source, asked)
    secret("too short")
    with pytest.raises(FixConfiguration, match="shorter than 16 characters") as failure:
        read_table(source, asked)
    assert "too short" not in str(failure.value).replace("too short to keep", "")


def test_excluded_columns_are_not_selected(source: MySqlSource, people: None) -> None:
    asked = request(source, columns={"exclude": ["mail", "raw"]})
    assert not {"mail", "raw"} & set(read_table(source, asked).column_names)


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("country = 'DE'", [1]),
        ("NOT country = 'DE'", [2]),
        ("country = 'DE' OR country IS NULL", [1, 3]),
        ("mail LIKE 'j_rg@%' AND half < -0.25", [1]),
        ("AGE IN (0, 7) AND LENGTH(mail) = 0", [2]),
        ("YEAR(born) BETWEEN 1999 AND 1999", [1]),
        ("MOD(id, 2) = 1", [1, 3]),
        ("kind = 'ä'", [1]),
    ],
)
def test_only_rows_for_which_the_condition_holds_are_read(
    source: MySqlSource, people: None, where: str, ids: list[int]
) -> None:
    asked = request(source, where=where)
    assert sorted(read_table(source, asked)["id"].to_pylist()) == ids
    # Joined to the window by AND, whatever the condition's own ORs.
    nothing = replace(asked, cursor_high=at(0))
    assert read_table(source, nothing).num_rows == 0
