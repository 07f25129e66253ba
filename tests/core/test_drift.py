"""A wrong guess about a column overwrites, loses or stops; each case has its answer here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tidemark.core.errors import MigrateSchema
from tidemark.core.loading.drift import (
    LOADED_AT,
    Place,
    changes_for,
)
from tidemark.core.loading.target_columns import TargetColumn
from tidemark.core.source.column_types import LINEAGE, Column

from tests.core.values import ORDERS

PLACE = Place("shop.orders", "sync__shop__orders", "secondary", '"app"."orders"')
ID, STATUS, UPDATED = ORDERS
OWN = (*LINEAGE, LOADED_AT)
NOTE = Column("note", "varchar(5) character set utf8mb4", "VARCHAR(20)", True)


def column(redshift: str, name: str = "amount", mysql: str = "something") -> Column:
    return Column(name, mysql, redshift, nullable=True)


def held(*columns: Column, nullable: bool = True) -> list[TargetColumn]:
    """A table that was made for these columns."""
    return [TargetColumn(c.name, c.redshift, nullable) for c in (*columns, *OWN)]


def changes(columns, there, removed=(), contract="evolve", place=PLACE, key=("id",)):
    return changes_for(columns, key, there, removed=removed, contract=contract, place=place)


def refusal(*arguments, **more) -> str:
    with pytest.raises(MigrateSchema) as raised:
        changes(*arguments, **more)
    return str(raised.value)


def test_a_table_that_fits_needs_nothing_under_any_contract():
    for contract in ("evolve", "freeze"):
        assert changes(ORDERS, held(*ORDERS), contract=contract).none


def test_a_new_column_is_added():
    assert changes([*ORDERS, NOTE], held(*ORDERS)).added == (NOTE,)


def test_columns_that_change_places_or_case_need_nothing():
    there = [TargetColumn(c.name.upper(), c.type, c.nullable) for c in reversed(held(*ORDERS))]
    assert changes(ORDERS, there).none


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("VARCHAR(80)", "VARCHAR(40)"),  # a longer text, a longer ENUM value, wider characters
        ("VARBYTE(20)", "VARBYTE(10)"),
    ],
)
def test_what_grows_is_widened(kind, before):
    amount = column(kind)
    found = changes([*ORDERS, amount], held(*ORDERS, column(before)))
    assert (found.widened, found.added) == ((amount,), ())


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("VARCHAR(20)", "VARCHAR(40)"),
        ("VARCHAR(20)", "TEXT"),
        ("VARBYTE(20)", "BYTEA"),
        ("VARBYTE(20)", "VARBYTE"),
        ("SMALLINT", "BIGINT"),
        ("INTEGER", "DECIMAL(20,0)"),
        ("DECIMAL(10,2)", "DECIMAL(12,4)"),
        ("REAL", "DOUBLE PRECISION"),
        ("DATE", "TIMESTAMP"),
    ],
)
def test_what_narrows_fits_in_what_is_there(kind, before):
    there = held(*ORDERS, column(before))
    assert changes([*ORDERS, column(kind)], there, contract="freeze").none


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("BIGINT", "INTEGER"),
        ("VARCHAR(40)", "BIGINT"),
        ("INTEGER", "VARCHAR(40)"),
        ("BIGINT", "DECIMAL(18,0)"),
        ("INTEGER", "DECIMAL(12,4)"),
        ("DECIMAL(12,2)", "DECIMAL(10,2)"),
        ("DECIMAL(12,4)", "DECIMAL(14,2)"),
        ("DOUBLE PRECISION", "REAL"),
        ("BIGINT", "DOUBLE PRECISION"),
        ("TIMESTAMP", "DATE"),
        ("VARBYTE(10)", "VARCHAR(10)"),
    ],
)
def test_any_other_type_is_refused_with_both_types_and_both_ways_out(kind, before):
    said = refusal([*ORDERS, column(kind)], held(*ORDERS, column(before)))
    assert f"amount is {before} there and {kind} in the batch" in said
    assert "mode: resync, targets: [secondary]" in said
    assert "tables.shop.orders.columns.exclude" in said
    assert "The watermark has not moved" in said


def test_a_dropped_column_stays_and_is_told():
    found = changes(ORDERS, held(*ORDERS, NOTE), removed=["note"])
    assert (found.none, found.left) == (True, ("note",))


def test_a_dropped_column_that_must_not_be_null_there_is_refused():
    there = [*held(*ORDERS), TargetColumn("note", "VARCHAR(20)", nullable=False)]
    said = refusal(ORDERS, there)
    assert 'ALTER TABLE "app"."orders" DROP COLUMN "note";' in said


def test_what_looks_like_a_rename_is_not_guessed():
    new = column(NOTE.redshift, "remark")
    said = refusal([*ORDERS, new], held(*ORDERS, NOTE), removed=["note"])
    assert 'ALTER TABLE "app"."orders" RENAME COLUMN "note" TO "remark";' in said
    assert 'ALTER TABLE "app"."orders" ADD COLUMN "remark" VARCHAR(20);' in said


def test_a_column_that_was_dropped_long_ago_is_no_rename():
    new = column(NOTE.redshift, "remark")
    assert changes([*ORDERS, new], held(*ORDERS, NOTE)).added == (new,)


def test_one_dropped_and_one_added_of_another_type_are_two_columns():
    new = column("BIGINT", "remark")
    found = changes([*ORDERS, new], held(*ORDERS, NOTE), removed=["note"])
    assert (found.added, found.left) == ((new,), ("note",))


def test_a_key_that_grows_is_refused_where_the_warehouse_cannot():
    code, wider = column("VARCHAR(40)", "code"), column("VARCHAR(80)", "code")
    there = held(code, *ORDERS[1:])
    said = refusal([wider, *ORDERS[1:]], there, key=("code",))
    assert "code to VARCHAR(80)" in said
    can = Place(*("x",) * 4, dialect="postgres")
    assert changes([wider, *ORDERS[1:]], there, key=("code",), place=can).widened == (wider,)


def test_where_names_keep_their_case_another_case_is_another_name():
    there = held(ID, column("VARCHAR(40)", "Status"), UPDATED)
    place = Place(*("x",) * 4, dialect="postgres")
    assert 'RENAME COLUMN "Status" TO "status"' in refusal(
        ORDERS, there, removed=["Status"], place=place
    )


def test_a_table_without_the_key_column_is_refused():
    assert "lacks the key column id" in refusal(ORDERS, held(*ORDERS[1:]))


def test_a_frozen_contract_names_what_the_target_would_need():
    wide = column("VARCHAR(80)", "status")
    said = refusal([ID, wide, UPDATED, NOTE], held(*ORDERS), contract="freeze")
    assert "note VARCHAR(20) added, status widened from VARCHAR(40) to VARCHAR(80)" in said
    assert "contract: evolve" in said


def test_a_table_made_by_hand_gets_the_columns_of_lineage():
    bare = [TargetColumn(c.name, c.redshift, True) for c in ORDERS]
    assert changes(ORDERS, bare).added == OWN


_TYPES = st.one_of(
    st.sampled_from(["SMALLINT", "INTEGER", "BIGINT", "REAL", "DATE", "TIMESTAMP"]),
    st.integers(1, 65_535).map(lambda size: f"VARCHAR({size})"),
    st.tuples(st.integers(1, 38), st.integers(0, 38))
    .filter(lambda sizes: sizes[1] <= sizes[0])
    .map(lambda sizes: f"DECIMAL({sizes[0]},{sizes[1]})"),
)


@given(_TYPES, _TYPES)
def test_once_changed_a_table_fits_and_what_it_held_still_fits(kind, before):
    """Applying twice changes nothing, and never narrows: old batches load after new ones."""
    there = held(*ORDERS, column(before))
    try:
        found = changes([*ORDERS, column(kind)], there)
    except MigrateSchema:
        return
    after = held(*ORDERS, *(found.widened or (column(before),)))
    assert changes([*ORDERS, column(kind)], after).none
    assert changes([*ORDERS, column(before)], after).none
