"""If these fail, chunks lose rows or copy them twice, or planning reads the whole table."""

from __future__ import annotations

import pytest
from tidemark.core.source.key_ranges import Key, is_integer, range_columns
from tidemark.core.source.windows import Window, chunks_by_key
from tidemark.hooks.mysql.connection import fetch, open_session
from tidemark.hooks.mysql.ranges import RangedTable, key_cuts
from tidemark.hooks.mysql.source import MySqlSource

from tests.hooks.conftest import Run
from tests.hooks.reading import DATABASE, LATE, all_rows, at, read_table
from tests.support.dialects import is_mariadb, make_table, numbers

ROWS, PER_CHUNK = 40_000, 4_000
_SPREAD = "'2024-01-01' + INTERVAL (seq * 7919) MOD 86413 SECOND"
_AT_ONCE = "'2024-01-01'"
_HASH = "{hash}"

# columns and key; what each of the rows holds; whether cuts are found without walking the key
TABLES: dict[str, tuple[str, str, bool]] = {
    "even": ("id BIGINT PRIMARY KEY", f"seq, {_SPREAD}", True),
    "negative": ("id INT PRIMARY KEY", f"CAST(seq AS SIGNED) - 20000, {_SPREAD}", True),
    "far_apart": (
        "id BIGINT UNSIGNED PRIMARY KEY",
        f"IF(seq < 30000, seq, 18446744073709000000 + seq), {_SPREAD}",
        True,
    ),
    "tenants": (
        "tenant VARCHAR(9), id INT, PRIMARY KEY (tenant, id)",
        f"IF(seq MOD 10 < 8, 'Big', CONCAT('t', seq MOD 7)), seq, {_SPREAD}",
        True,
    ),
    "numbered": (
        "shop INT, id INT, PRIMARY KEY (shop, id)",
        f"IF(seq MOD 10 < 8, 3, seq MOD 7), seq, {_SPREAD}",
        False,
    ),
    "words": (
        "w VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY",
        f"CONCAT(CHAR(196 + seq MOD 25 USING latin1), {_HASH}), {_SPREAD}",
        True,
    ),
    "unicode": (
        "w VARCHAR(40) CHARACTER SET utf8mb4 COLLATE {collation} PRIMARY KEY",
        f"CONCAT(ELT(1 + seq MOD 5, 'ä', 'Z', 'é', '本', 'a '), {_HASH}), {_SPREAD}",
        True,
    ),
    "quoted": ("w CHAR(40) PRIMARY KEY", f"CONCAT({_HASH}, '\\\\''%s'), {_SPREAD}", True),
    "hashes": ("h BINARY(16) PRIMARY KEY", f"UNHEX({_HASH}), {_SPREAD}", True),
    "uuids": (
        "u UUID PRIMARY KEY",
        f"INSERT(INSERT({_HASH}, 13, 1, '4'), 17, 1, '8'), {_SPREAD}",
        True,
    ),
    "one_moment": ("h CHAR(32) PRIMARY KEY", f"{_HASH}, {_AT_ONCE}", False),
    "half_usable": (
        "id INT, kind ENUM('a', 'b'), PRIMARY KEY (id, kind)",
        f"seq DIV 2, IF(seq MOD 2, 'a', 'b'), {_SPREAD}",
        True,
    ),
}


def _fill(sql: Run, name: str, index: str = ", KEY by_time (updated_at)") -> None:
    columns, values, _ = TABLES[name]
    if is_mariadb(sql):
        columns = columns.format(collation="utf8mb4_uca1400_ai_ci")
        values = values.format(hash="MD5(seq)")
    else:  # 9.7 has no MD5
        columns = columns.format(collation="utf8mb4_0900_ai_ci")
        values = values.format(hash="LEFT(SHA2(seq, 256), 32)")
    rest = "updated_at DATETIME(6), note CHAR(60)"
    make_table(sql, name, f"{columns}, {rest}{index}")
    sql(f"INSERT INTO {name} SELECT {values}, REPEAT('n', 60) FROM {numbers(1, ROWS)} ORDER BY seq")


def _ranged(source: MySqlSource, name: str) -> RangedTable:
    shape = source.describe(DATABASE, name)
    key = range_columns(shape.columns, shape.primary_key)
    index = shape.index_on.get("updated_at")
    integer = is_integer(shape.columns, key[0])
    return RangedTable(DATABASE, name, key, integer, "updated_at", index)


def _chunk_sizes(source: MySqlSource, table: RangedTable, cuts: list[Key]) -> list[int]:
    """Read every chunk; every row must be in exactly one."""
    sizes, seen = [], []
    for chunk in chunks_by_key(Window(None, LATE), cuts, open_end=True):
        bounds = {"key_low": chunk.key_low, "key_high": chunk.key_high, "index": "PRIMARY"}
        request = all_rows(source, table.table, key=table.key, cursor_high=None, **bounds)
        rows = read_table(source, request).select(list(request.primary_key)).to_pylist()
        sizes.append(len(rows))
        seen += [tuple(row.values()) for row in rows]
    assert len(seen) == len(set(seen))
    return sizes


@pytest.mark.parametrize("name", TABLES)
def test_chunks_of_any_key_are_even_and_hold_every_row_once(
    source: MySqlSource, sql: Run, name: str
) -> None:
    if name == "uuids" and not is_mariadb(sql):
        pytest.skip("MySQL has no type UUID")
    _fill(sql, name)
    table = _ranged(source, name)
    with open_session("source_under_test") as connection:
        cuts = key_cuts(connection, table, ROWS, PER_CHUNK)
        steps = fetch(connection, "SHOW SESSION STATUS LIKE 'Handler_read%'")
    sizes = _chunk_sizes(source, table, cuts)
    assert sum(sizes) == ROWS
    assert len(sizes) >= ROWS / PER_CHUNK / 2
    assert max(sizes) <= 2.5 * PER_CHUNK, sizes
    read = sum(int(step["value"]) for step in steps)
    found_without_walking = TABLES[name][2]
    # MySQL's estimates of text keys are coarser: a range that looks far too big is walked.
    few = ROWS / (10 if is_mariadb(sql) else 5)
    assert (read < few) == found_without_walking, read


def test_without_an_index_on_the_cursor_the_key_is_walked(source: MySqlSource, sql: Run) -> None:
    _fill(sql, "hashes", index="")
    table = _ranged(source, "hashes")
    assert table.cursor_index is None
    sizes = _chunk_sizes(source, table, source.key_cuts(table, ROWS, PER_CHUNK))
    assert sum(sizes) == ROWS
    assert max(sizes) <= 1.5 * PER_CHUNK, sizes


@pytest.mark.parametrize("name", ["even", "hashes", "tenants"])
def test_an_empty_table_is_not_cut(source: MySqlSource, sql: Run, name: str) -> None:
    _fill(sql, name)
    sql(f"TRUNCATE {name}")
    assert source.key_cuts(_ranged(source, name), 0, PER_CHUNK) == []


def test_a_windows_share_is_estimated_not_counted(source: MySqlSource, sql: Run) -> None:
    make_table(sql, "slices", "id INT KEY, updated_at DATETIME, KEY t (updated_at)")
    moments = "'2024-01-01' + INTERVAL seq SECOND"
    sql(f"INSERT INTO slices SELECT seq, {moments} FROM {numbers(0, 49_999)} ORDER BY seq")
    where = (DATABASE, "slices", "updated_at")
    tenth = Window(at(0), at(0).replace(hour=1, minute=23, second=20))
    share = source.share(*where, "t", tenth)
    assert 45_000 < share.total < 55_000
    assert 4_000 < share.rows < 7_000
    assert source.share(*where, "t", Window(None, LATE)).of_table > 0.9
    assert source.share(*where, "t", Window(LATE, LATE.replace(year=2101))).of_table < 0.01
    # Nothing says where the rows lie, so the window counts as the whole table.
    assert source.share(*where, None, tenth).of_table == 1


def test_an_index_that_is_switched_off_is_not_used(source: MySqlSource, sql: Run) -> None:
    make_table(sql, "hidden", "id INT KEY, updated_at DATETIME, KEY t (updated_at)")
    assert source.describe(DATABASE, "hidden").index_on == {"id": "PRIMARY", "updated_at": "t"}
    sql(f"ALTER TABLE hidden ALTER INDEX t {'IGNORED' if is_mariadb(sql) else 'INVISIBLE'}")
    assert source.describe(DATABASE, "hidden").index_on == {"id": "PRIMARY"}
