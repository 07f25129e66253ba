"""If these fail, a value too long stops a whole batch, or leaves without a word."""

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tidemark.core.source.column_types import Column, arrow_schema, byte_limit
from tidemark.core.source.misfits import WHY, findings, fit, refusal, refused_values
from tidemark.core.source.row_sizes import TOO_LARGE

ID = Column("id", "bigint", "BIGINT", False)
NAME = Column("name", "varchar(3) character set utf8mb4", "VARCHAR(12)", True)
BODY = Column("body", "longtext character set utf8mb4", "VARCHAR(40)", True)
BLOB = Column("blob", "longblob", "VARBYTE(8)", True)
COLUMNS = (ID, NAME, BODY, BLOB)

texts = st.none() | st.text(alphabet="aé€𝄞", max_size=30)
rows = st.lists(st.tuples(texts, texts, st.none() | st.binary(max_size=12)), max_size=30)


def a_batch(values):
    given = [(place, *value) for place, value in enumerate(values)]
    return pa.RecordBatch.from_pylist(
        [dict(zip([c.name for c in COLUMNS], row, strict=True)) for row in given],
        schema=arrow_schema(COLUMNS),
    )


def size(value):
    return len(value.encode() if isinstance(value, str) else value or b"")


def misfits(row):
    return [c.name for c in COLUMNS[1:] if size(row[c.name]) > byte_limit(c)]


@settings(deadline=None)
@given(rows)
def test_rows_that_do_not_fit_are_set_aside_whole_and_the_others_are_as_they_were(values):
    batch = a_batch(values)
    fitted = fit(batch, COLUMNS, "quarantine", {"id"})
    good = [row for row in batch.to_pylist() if not misfits(row)]
    bad = [row for row in batch.to_pylist() if misfits(row)]
    assert fitted.rows.to_pylist() == good
    assert fitted.rows.schema == batch.schema
    assert fitted.cut == {}
    if not bad:
        assert fitted.set_aside is None
        return
    assert [
        {name: row[name] for name in batch.schema.names} for row in fitted.set_aside.to_pylist()
    ] == bad
    assert [row[WHY.names[0]] for row in fitted.set_aside.to_pylist()] == [
        misfits(row)[0] for row in bad
    ]
    assert sum(findings(fitted.set_aside).values()) == len(bad)


@settings(deadline=None)
@given(rows)
def test_texts_are_cut_between_characters_and_say_so_but_bytes_never(values):
    batch = a_batch(values)
    fitted = fit(batch, COLUMNS, "truncate_and_mark", {"id"})
    by_id = {row["id"]: row for row in batch.to_pylist()}
    for row in fitted.rows.to_pylist():
        whole = by_id[row["id"]]
        assert row["blob"] == whole["blob"]
        assert misfits(row) == []
        for name in ("name", "body"):
            if row[name] != whole[name]:
                assert name in misfits(whole)
        if "body" in misfits(whole):
            assert row["body"].endswith(f"… [cut from {size(whole['body'])} bytes]")
    kept = {row["id"] for row in fitted.rows.to_pylist()}
    assert kept == {i for i, row in by_id.items() if "blob" not in misfits(row)}


def test_a_key_is_never_cut_because_two_rows_could_share_what_is_left():
    batch = a_batch([("aaaaaaaaaaaaaaaa", None, None), ("b", None, None)])
    fitted = fit(batch, COLUMNS, "truncate_and_mark", {"name"})
    assert fitted.rows.column("id").to_pylist() == [1]
    assert findings(fitted.set_aside) == {("name", "longer than VARCHAR(12)"): 1}
    assert fitted.cut == {}


def test_a_refusal_names_the_row_the_column_and_the_way_on():
    batch = a_batch([("a", "short", None), ("b", "é" * 35, None)])
    said = str(refusal(batch, COLUMNS, ("id",), "shop.essays"))
    for part in ("shop.essays", "body", "id = 1", "70 bytes", "VARCHAR(40)", "oversize_text"):
        assert part in said
    assert refusal(a_batch([("a", "short", None)]), COLUMNS, ("id",), "t") is None


MANY = [ID, *(Column(f"c{n}", "longblob", "VARBYTE(1024000)", True) for n in range(4))]


def large(*lengths):
    rows = [
        {"id": place} | {f"c{n}": b"x" * length for n, length in enumerate(each) if length}
        for place, each in enumerate(lengths)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=arrow_schema(MANY))


@pytest.mark.parametrize("oversize", ["quarantine", "truncate_and_mark"])
def test_a_row_that_is_too_large_as_a_whole_is_set_aside_by_its_longest_value(oversize):
    fits = (1_000_000, 999_984, 1_000_000, 1_000_000)  # and 16 bytes for the key
    batch = large(fits, (1_000_000, 0, 1_020_000, 1_000_000), (1_000_000,) * 3 + (1_000_001,))
    fitted = fit(batch, MANY, oversize, {"id"})
    assert fitted.rows.column("id").to_pylist() == [0, 1]
    assert findings(fitted.set_aside) == {("c3", TOO_LARGE): 1}
    assert refused_values(batch, MANY, (), ()) == ([2], fitted.set_aside)


def test_a_row_that_is_too_large_is_named_where_the_batch_is_to_stop():
    said = str(refusal(large((1,), (1_020_000,) * 4), MANY, ("id",), "shop.scans"))
    for part in ("shop.scans", "id = 1", "4,000,000 bytes", "c0", "oversize_text"):
        assert part in said
    assert refusal(large((1_000_000,) * 3), MANY, ("id",), "t") is None


@pytest.mark.parametrize("oversize", ["quarantine", "truncate_and_mark"])
def test_looking_at_lengths_costs_next_to_nothing(oversize):
    """Against what it costs to encode the same rows, which is a fraction of a read."""
    wide = [Column(f"c{n}", "text", "VARCHAR(65535)", True) for n in range(12)]
    values = pa.array([f"some text {n}" for n in range(65_000)])
    batch = pa.RecordBatch.from_arrays([values] * 12, schema=arrow_schema(wide))
    fit(batch, wide, oversize, ())
    started = time.process_time()
    for _ in range(10):
        fit(batch, wide, oversize, ())
    assert (time.process_time() - started) / 10 < 0.1  # some 5 ms, for 15 MB


MESSY = pa.schema(
    [
        (name, pa.binary() if name == "name" else kind)
        for name, kind in zip([c.name for c in COLUMNS], arrow_schema(COLUMNS).types, strict=True)
    ]
)


def messy(*names):
    """As the reader gives a batch of which one text is no UTF-8."""
    rows = [{"id": place, "name": name, "body": "x" * place} for place, name in enumerate(names)]
    return pa.RecordBatch.from_pylist(rows, schema=MESSY)


def test_bytes_that_are_no_text_are_set_aside_as_they_are_and_the_others_are_texts():
    fitted = fit(messy(b"a", b"\xed\xa0\x80", None, "é".encode()), COLUMNS, "quarantine", {"id"})
    assert fitted.rows.schema == arrow_schema(COLUMNS)
    assert fitted.rows.column("name").to_pylist() == ["a", None, "é"]
    assert fitted.set_aside.column("name").to_pylist() == [b"\xed\xa0\x80"]
    assert findings(fitted.set_aside) == {("name", "bytes that are no UTF-8"): 1}


def test_a_row_may_be_wrong_in_several_ways_and_counts_once():
    batch = messy(b"\xff", b"\xff", b"x" * 13)
    fitted = fit(batch, COLUMNS, "quarantine", {"id"})
    assert (fitted.rows.num_rows, fitted.set_aside.num_rows) == (0, 3)
    assert findings(fitted.set_aside) == {
        ("name", "bytes that are no UTF-8"): 2,
        ("name", "longer than VARCHAR(12)"): 1,
    }


def test_bytes_that_are_no_text_are_replaced_where_it_is_asked_for_but_never_in_a_key():
    batch = messy(b"a\xff", b"b", b"\xff" * 5)
    fitted = fit(batch, COLUMNS, "truncate_and_mark", {"id"}, "replace")
    assert fitted.rows.column("name").to_pylist()[:2] == ["a\ufffd", "b"]
    assert size(fitted.rows.column("name").to_pylist()[2]) <= 12, "it grew, and is cut after that"
    assert (fitted.replaced, fitted.cut, fitted.set_aside) == ({"name": 2}, {"name": 1}, None)
    key = fit(batch, COLUMNS, "truncate_and_mark", {"name"}, "replace")
    assert (key.rows.num_rows, key.set_aside.num_rows) == (1, 2)
