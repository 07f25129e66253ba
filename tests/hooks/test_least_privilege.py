"""If these fail, the grants that docs/sources.md asks for are too few, or more than is needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from tidemark.core.errors import TidemarkError
from tidemark.core.source.key_ranges import range_columns
from tidemark.core.source.windows import Window
from tidemark.hooks.mysql.connection import fetch, open_session
from tidemark.hooks.mysql.ranges import RangedTable
from tidemark.hooks.mysql.source import MySqlSource, SourceError

from tests.hooks.conftest import Run
from tests.hooks.reading import DATABASE, LATE, all_rows, read_ids
from tests.support.dialects import is_mariadb

DOCUMENT = Path(__file__).parents[2] / "docs" / "sources.md"
_USER, _PASSWORD = "'tidemark_reader'@'%'", "least-password"


def documented(*, mariadb: bool) -> list[str]:
    """The statements of the page for this kind of server, for our schema and this machine."""
    blocks = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    statements = [one.strip() for block in blocks for one in block.split(";") if one.strip()]
    assert len(statements) == 4
    if not mariadb:
        statements = [one for one in statements if "REPLICA MONITOR" not in one]
        assert len(statements) == 3
    return [
        one.replace("'tidemark_reader'@'10.0.%'", _USER)
        .replace("'…' REQUIRE SSL", f"'{_PASSWORD}'")
        .replace("`shop`", f"`{DATABASE}`")
        for one in statements
    ]


@pytest.fixture
def reader(sql: Run, seconds: None, offer: Callable[..., MySqlSource]) -> MySqlSource:
    """The source, as a user sees it who has what the page says, and nothing else."""
    sql(f"DROP USER IF EXISTS {_USER}")
    for statement in documented(mariadb=is_mariadb(sql)):
        sql(statement)
    return offer(login="tidemark_reader", password=_PASSWORD)


def test_these_grants_do_for_everything(reader: MySqlSource, sql: Run) -> None:
    where = (DATABASE, "seconds", "updated_at")
    shape = reader.describe(DATABASE, "seconds")
    assert shape.primary_key == ("id",)
    assert (reader.clock().complete, reader.clock().doubt) == (True, "")
    assert reader.count_rows(*where, None, LATE) == 10
    index = shape.index_on["updated_at"]
    assert reader.share(*where, index, Window(None, LATE)).of_table > 0.5
    key = range_columns(shape.columns, shape.primary_key)
    ranged = RangedTable(DATABASE, "seconds", key, True, "updated_at", index)
    assert reader.key_cuts(ranged, 10, 4)
    assert reader.cursor_boundaries(*where, None, LATE, 4)
    assert read_ids(reader, all_rows(reader, "seconds")) == list(range(10))


def test_a_user_may_end_its_own_query(reader: MySqlSource, sql: Run) -> None:
    with reader.read(all_rows(reader, "seconds")) as reading:
        reading.stop()
        with pytest.raises(TidemarkError, match="seconds"):
            list(reading.batches())


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO hooks.seconds VALUES (99, NOW())",
        "UPDATE hooks.seconds SET id = id + 100",
        "DELETE FROM hooks.seconds",
        "CREATE TABLE hooks.mine (id INT)",
        "SELECT * FROM mysql.db",
    ],
)
def test_these_grants_do_for_nothing_else(reader: MySqlSource, sql: Run, statement: str) -> None:
    with open_session(reader.conn_id) as session:
        fetch(session, "SET SESSION TRANSACTION READ WRITE")  # the grants alone
        with pytest.raises(pymysql.MySQLError) as refusal:
            fetch(session, statement)
    assert refusal.value.args[0] in (1044, 1142)


@pytest.mark.runbook("The source refuses us")
@pytest.mark.parametrize(
    ("revoked", "said"),
    [
        ("SELECT ON `hooks`.*", r"hooks\.seconds.*GRANT SELECT"),
        ("PROCESS ON *.*", "GRANT PROCESS"),
    ],
)
def test_without_one_of_them_it_is_named(
    reader: MySqlSource, sql: Run, revoked: str, said: str
) -> None:
    sql(f"REVOKE {revoked} FROM {_USER}")
    if "SELECT" in revoked:
        with pytest.raises(SourceError, match=said):
            reader.describe(DATABASE, "seconds")
    else:
        clock = reader.clock()
        assert not clock.complete
        assert said in clock.doubt


def test_a_primary_is_read_without_the_rights_for_replicas(reader: MySqlSource, sql: Run) -> None:
    also = ", REPLICA MONITOR" if is_mariadb(sql) else ""
    sql(f"REVOKE REPLICATION CLIENT{also} ON *.* FROM {_USER}")
    assert reader.clock().complete
