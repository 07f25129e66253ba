"""If these fail, a table of a target is told to differ from its plan although it does not."""

import pytest
from tidemark.core.loading.target_columns import TargetColumn, read_target_column


def row(data_type, length=None, precision=None, scale=None, nullable="YES", filled=False):
    return {
        "column_name": "c",
        "data_type": data_type,
        "is_nullable": nullable,
        "filled": filled,
        "character_maximum_length": length,
        "numeric_precision": precision,
        "numeric_scale": scale,
    }


@pytest.mark.parametrize(
    ("found", "type_"),
    [
        (row("character varying", 40), "VARCHAR(40)"),
        (row("binary varying", 64), "VARBYTE(64)"),
        (row("numeric", precision=10, scale=2), "DECIMAL(10,2)"),
        (row("numeric", precision=20, scale=0), "DECIMAL(20,0)"),
        (row("bigint", precision=64, scale=0), "BIGINT"),
        (row("double precision", precision=53), "DOUBLE PRECISION"),
        (row("timestamp without time zone"), "TIMESTAMP"),
        (row("bytea"), "BYTEA"),
    ],
)
def test_the_catalogues_words_become_the_plans(found, type_):
    assert read_target_column(found) == TargetColumn("c", type_, nullable=True)


def test_not_null_is_read():
    assert not read_target_column(row("date", nullable="NO")).nullable


def test_a_default_is_seen():
    assert read_target_column(row("date", filled=True)).filled
    assert not read_target_column(row("date")).filled
