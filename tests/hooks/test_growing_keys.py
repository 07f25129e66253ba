"""If these fail, a big table of events is read in one piece, or a key is dated wrongly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tidemark.core.source.growing_keys import LOWEST, KeyWindow, chunks_by_growing_key
from tidemark.core.source.key_ranges import KeyColumn
from tidemark.hooks.mysql.connection import fetch, open_session
from tidemark.hooks.mysql.ranges import RangedTable
from tidemark.hooks.mysql.source import MySqlSource

from tests.hooks.conftest import Connect, Run
from tests.hooks.reading import DATABASE
from tests.support.dialects import make_table, numbers

_LATE = 60_000
# Rows lie twice as close together in the upper half; and a gap in between, as after deletions.
_KEYS = (
    f"SELECT seq * 2 FROM {numbers(1, 10_000)}"
    f" UNION ALL SELECT 50000 + seq FROM {numbers(1, 9_999)}"
)


@pytest.fixture
def events(sql: Run) -> None:
    make_table(sql, "events", "id BIGINT KEY, other INT, KEY by_other (other)")
    sql(f"INSERT INTO events (id) {_KEYS}")
    sql("UPDATE events SET other = id")
    sql("ANALYZE TABLE events")


@pytest.mark.parametrize(("column", "index"), [("id", "PRIMARY"), ("other", "by_other")])
@pytest.mark.parametrize("low", [None, 10_000, 55_000])
def test_a_window_is_cut_evenly_without_reading_it(
    source: MySqlSource, sql: Run, events: None, column: str, index: str, low: int | None
) -> None:
    table = RangedTable(
        DATABASE, "events", (KeyColumn(column),), True, column, index, key_index=index
    )
    window = KeyWindow(low=low, high=_LATE)
    chunks = chunks_by_growing_key(window, source.growing_cuts(table, window, 1000))
    sizes = []
    for chunk in chunks:
        first = chunk.key_low[0] if chunk.key_low else LOWEST
        above = chunk.key_high[0] if chunk.key_high else _LATE
        ((count,),) = sql(f"SELECT COUNT(*) FROM events WHERE id >= {first} AND id < {above}")
        sizes.append(count)
    ((inside,),) = sql(f"SELECT COUNT(*) FROM events WHERE id >= {low or 0}")
    assert sum(sizes) == inside
    assert max(sizes) <= 2600, sizes
    assert len(chunks) >= inside / 2000


def test_a_small_window_and_an_empty_table_are_not_cut(
    source: MySqlSource, sql: Run, events: None
) -> None:
    table = RangedTable(DATABASE, "events", (KeyColumn("id"),), True, "id", "PRIMARY")
    assert source.growing_cuts(table, KeyWindow(low=59_500, high=_LATE), 1000) == []
    sql("TRUNCATE events")
    assert source.growing_cuts(table, KeyWindow(low=None, high=_LATE), 1000) == []


def test_a_sighting_says_how_far_and_between_which_times(
    source: MySqlSource, connect: Connect, sql: Run, events: None
) -> None:
    before = source.now()
    seen = source.newest_key(DATABASE, "events", "id")
    assert seen.above == _LATE
    assert before <= seen.as_of <= seen.seen_at <= source.now()
    assert seen.seen_at - seen.as_of < timedelta(minutes=10)
    writer = connect()
    writer.begin()
    with writer.cursor() as cursor:
        cursor.execute("INSERT INTO events (id) VALUES (70000)")
    assert source.newest_key(DATABASE, "events", "id").above == _LATE
    writer.rollback()
    sql("TRUNCATE events")
    assert source.newest_key(DATABASE, "events", "id").above == LOWEST


def test_looking_for_the_newest_key_reads_one_row(source: MySqlSource, events: None) -> None:
    with open_session("source_under_test") as connection:
        fetch(connection, "SELECT MAX(id) FROM hooks.events")
        steps = fetch(connection, "SHOW SESSION STATUS LIKE 'Handler_read%'")
    assert sum(int(step["value"]) for step in steps) < 10
