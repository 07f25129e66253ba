"""A change of the source that goes unnoticed is read into the wrong columns, or into none."""

import pytest
from tidemark.core.errors import MigrateSchema
from tidemark.core.source.column_types import Column
from tidemark.core.source.source_drift import (
    check_contract,
    check_pinned,
    committed_columns,
    removed_columns,
    unreadable,
)

from tests.core.values import ORDERS

ID, STATUS, UPDATED = ORDERS
NOTE = Column("note", "varchar(5) character set utf8mb4", "VARCHAR(20)", True)


def column(redshift: str, name: str = "amount", mysql: str = "something") -> Column:
    return Column(name, mysql, redshift, nullable=True)


LAST = ("id BIGINT", "status VARCHAR(40)", "updated_at TIMESTAMP", "two words DOUBLE PRECISION")
TWO_WORDS = column("DOUBLE PRECISION", "two words")


def check(columns, contract="evolve", excluded=(), last=LAST):
    return check_contract("shop.orders", contract, last, columns, excluded)


def test_what_the_source_changed_is_told_when_a_batch_is_planned():
    assert check([*ORDERS, TWO_WORDS], "freeze") == ()
    assert check([ID, column("VARCHAR(80)", "status"), UPDATED, NOTE]) == (
        "note VARCHAR(20) is new",
        "status was VARCHAR(40) and is VARCHAR(80)",
        "two words DOUBLE PRECISION is gone",
    )
    assert check(ORDERS, last=()) == ()


@pytest.mark.parametrize(
    "columns",
    [[*ORDERS, TWO_WORDS, NOTE], ORDERS, [ID, column("DATE", "status"), UPDATED, TWO_WORDS]],
    ids=["added", "dropped", "another type"],
)
def test_a_frozen_contract_refuses_every_change_before_anything_is_read(columns):
    with pytest.raises(MigrateSchema, match="Nothing was read"):
        check(columns, "freeze")


def test_leaving_a_column_out_on_purpose_is_no_change_of_the_source():
    assert check(ORDERS, "freeze", excluded=["two words"]) == ()


def test_the_columns_that_went_since_the_last_batch():
    assert removed_columns(LAST, ORDERS, ()) == ("two words",)
    assert removed_columns(LAST, ORDERS, ["two words"]) == ()
    assert committed_columns(LAST)["two words"] == "DOUBLE PRECISION"


def test_a_batch_is_read_with_the_columns_it_was_planned_with():
    check_pinned("shop.orders", ORDERS, [*ORDERS, NOTE])
    with pytest.raises(MigrateSchema, match=r"status .* is gone.*plan_increment") as raised:
        check_pinned("shop.orders", ORDERS, [ID, UPDATED])
    assert "next scheduled run" in str(raised.value)


def test_only_what_changes_how_a_value_is_read_counts():
    enum = Column("kind", "enum('a','bb') character set utf8mb4", "VARCHAR(8)", True)
    more = Column("kind", "enum('a','bb','cc') character set utf8mb4", "VARCHAR(8)", True)
    assert unreadable([enum], [more]) == ()
    number, bits = column("BIGINT", mysql="bigint(20)"), column("BIGINT", mysql="bit(8)")
    assert unreadable([number], [bits]) == ("amount was bigint(20) and is bit(8)",)
    hashed = Column("mail", "varchar(10)", "VARCHAR(64)", True, hashed=True)
    assert unreadable([hashed], [column("VARCHAR(80)", "mail")]) == ()
