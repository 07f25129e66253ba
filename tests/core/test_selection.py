"""If these fail, a column that was to be hidden arrives in clear, or a needed one not at all."""

from __future__ import annotations

from typing import Any

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.selection import index_statement, select_columns
from tidemark.core.settings.tables import Table, parse_tables


def catalogue(**types: str) -> list[dict[str, Any]]:
    """Rows of `information_schema.columns`, one per name."""
    return [
        {
            "column_name": name,
            "data_type": kind,
            "column_type": kind,
            "is_nullable": "YES",
            "character_maximum_length": 20,
            "character_octet_length": 80,
            "numeric_precision": 10,
            "numeric_scale": 0,
            "character_set_name": "utf8mb4" if kind == "varchar" else None,
        }
        for name, kind in types.items()
    ]


CUSTOMERS = catalogue(
    id="int",
    mail="varchar",
    note="longtext",
    place="vector",
    gone="datetime",
    updated_at="datetime",
)


def table(**settings: Any) -> Table:
    return Table(db_schema="shop", table="customers", **settings)


def test_excluded_columns_are_not_read_whatever_their_type() -> None:
    columns = select_columns(table(columns={"exclude": ["place", "note"]}), CUSTOMERS)
    assert [column.name for column in columns] == ["id", "mail", "gone", "updated_at"]
    with pytest.raises(FixConfiguration, match="place has the type vector"):
        select_columns(table(), CUSTOMERS)


def test_included_columns_keep_the_sources_order() -> None:
    columns = select_columns(table(columns={"include": ["updated_at", "id"]}), CUSTOMERS)
    assert [column.name for column in columns] == ["id", "updated_at"]


def test_a_hashed_column_is_a_text_of_64_digits() -> None:
    policy = {"include": ["id", "mail", "updated_at"], "hash": ["mail"]}
    mail = select_columns(table(columns=policy), CUSTOMERS)[1]
    assert (mail.name, mail.redshift, mail.hashed) == ("mail", "VARCHAR(64)", True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": {"hash": ["Mail"]}}, "columns.hash names Mail, and the source shows no such"),
        ({"columns": {"exclude": ["plase"]}}, "columns.exclude names plase"),
        ({"columns": {"include": ["id", "mial"]}}, "columns.include names mial"),
        ({"columns": {"include": ["id"]}}, "columns.include leaves out updated_at"),
        ({"columns": {"exclude": ["place"], "hash": ["note"]}}, "note is longtext.*too long"),
        (
            {"columns": {"exclude": ["place"]}, "soft_delete": "deleted"},
            "soft_delete names deleted",
        ),
        ({"columns": {"exclude": ["place"]}, "where": "country = 'DE'"}, "where names country"),
    ],
)
def test_a_name_that_fits_no_column_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FixConfiguration, match=message):
        select_columns(table(**settings), CUSTOMERS)


def test_a_condition_may_name_a_column_in_any_case_and_one_that_is_not_copied() -> None:
    settings = {"columns": {"exclude": ["place"]}, "where": "PLACE IS NULL"}
    assert len(select_columns(table(**settings), CUSTOMERS)) == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("columns: {exclude: [updated_at]}", "columns.exclude: updated_at is needed"),
        ("columns: {exclude: [a], hash: [a]}", "a is excluded, and included or hashed"),
        ("columns: {include: [b], hash: [a]}", "a is hashed, but not among the included"),
        ("columns: {hash: [updated_at]}", "updated_at cannot be hashed"),
        ("columns: {exclude: [gone]}, soft_delete: gone", "columns.exclude: gone is needed"),
        ("strategy: append, cursor: id, row_limit: 5", "row_limit: strategy append has no use"),
        ("columns: {drop: [a]}", "columns.drop: there is no such setting"),
        ("where: 'seen > NOW()'", r"where: NOW\(\) is not allowed"),
    ],
)
def test_policies_that_contradict_each_other_are_wrong_at_the_door(
    settings: str, message: str
) -> None:
    with pytest.raises(FixConfiguration, match=rf"tables.yaml: tables.shop.t.*{message}"):
        parse_tables(f"version: 1\ntables: {{shop.t: {{{settings}}}}}", {})


def test_the_missing_index_comes_as_a_statement() -> None:
    assert index_statement("shop", "or`ders", "updated_at") == (
        "CREATE INDEX `by_updated_at` ON `shop`.`or``ders` (`updated_at`);"
    )
