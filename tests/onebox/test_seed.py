"""If these fail: the demonstration runs on half the data, or on changes that never happen."""

from __future__ import annotations

from localaws import Endpoints
from onebox.seed import SCHEMA, TABLES, burst, connect, seed

ROWS = {"airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115, "flights": 336776}


def facts(stack: Endpoints, table: str) -> tuple[int, int, int]:
    """Rows, rows without a cursor, and rows that changed since the year of the data."""
    with connect(stack) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*), SUM(updated_at IS NULL), SUM(updated_at > '2014-01-02')"
            f" FROM {SCHEMA}.{table}"
        )
        row = cursor.fetchone()
    assert row is not None
    rows, unstamped, changed = row
    return int(rows), int(unstamped), int(changed)


def test_everything_is_seeded_once_and_a_burst_stamps_itself(stack: Endpoints) -> None:
    told: dict[str, int] = {}
    assert seed(stack, told.__setitem__)
    assert list(told) == list(TABLES)
    assert {table: facts(stack, table) for table in ROWS} == {
        table: (rows, 0, 0) for table, rows in ROWS.items()
    }
    assert not seed(stack), "seeded twice"

    for _ in range(2):
        before = {table: facts(stack, table) for table in ROWS}
        changed = burst(stack)
        assert changed > 5000
        after = {table: facts(stack, table) for table in ROWS}
        assert all(after[table][2] > 0 for table in ROWS)
        assert after["flights"][0] == before["flights"][0] + 2500
