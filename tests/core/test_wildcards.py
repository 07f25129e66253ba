"""If these fail, a table is copied that nobody chose, or one that somebody chose is not."""

import pytest
from tidemark.core.errors import FixConfiguration
from tidemark.core.settings.tables import Table, parse_tables, refuse_shared_targets
from tidemark.core.settings.wildcards import parse_found, write_found

LISTED = """
version: 1
defaults: {cursor: updated_at, chunk_rows: 10}
exclude: ["*.tmp_*", shop.secrets]
tables:
  shop.*: {chunk_rows: 20, retries: 5}
  "*.orders": {chunk_rows: 30}
  shop.orders: {retries: 7}
  hand.made: {}
"""
FOUND = """
version: 1
resolved: [shop.*, "*.orders"]
tables:
  shop.orders: {cursor: moved_at}
  shop.customers: {cursor: changed_at, chunk_rows: 5}
  shop.tmp_1: {}
  shop.secrets: {}
  france.orders: {}
  hand.made: {cursor: never_used}
  other.things: {}
"""


def tables(listed: str = LISTED, found: str | None = FOUND) -> dict[str, Table]:
    return parse_tables(listed, {}, found=found)


def test_a_wildcard_stands_for_what_was_found_and_not_excluded() -> None:
    assert list(tables()) == [
        "shop.orders",
        "hand.made",
        "france.orders",
        "shop.customers",
    ]


def test_settings_come_from_defaults_then_findings_then_wildcards_then_the_entry() -> None:
    found = tables()
    orders, customers = found["shop.orders"], found["shop.customers"]
    assert (orders.cursor, orders.chunk_rows, orders.retries) == ("moved_at", 30, 7)
    assert (customers.cursor, customers.chunk_rows, customers.retries) == ("changed_at", 20, 5)
    assert found["france.orders"].cursor == "updated_at"


@pytest.mark.parametrize(
    ("listed", "found", "message"),
    [
        (
            LISTED,
            None,
            r"tables\.\*\.orders: tables.found.yaml does not say which tables.*discover",
        ),
        (LISTED, FOUND.replace(', "*.orders"', ""), r"\*\.orders: .*discover --write"),
        (LISTED.replace("hand.made", "hand.tmp_1"), FOUND, "hand.tmp_1 is listed, and exclude"),
        (LISTED.replace('["*.tmp_*", shop.secrets]', "7"), FOUND, "exclude: expected a list"),
        (LISTED, FOUND.replace("moved_at", "'x; --'"), "tables.shop.orders.cursor: a name may"),
        (
            LISTED.replace("hand.made", "a__b.c").replace("shop.orders", "a.b__c"),
            FOUND,
            "a.b__c and tables.a__b.c would share the DAG sync__a__b__c",
        ),
    ],
)
def test_lists_that_do_not_fit_are_refused(listed: str, found: str | None, message: str) -> None:
    with pytest.raises(FixConfiguration, match=f"(?s)tables.yaml: .*{message}"):
        tables(listed, found)


def test_a_wildcard_may_stand_for_nothing_once_it_was_looked_up() -> None:
    found = "version: 1\nresolved: [a.*]\ntables:"
    assert list(tables("version: 1\ntables: {a.*: {}, b.c: {}}", found)) == ["b.c"]


def test_two_tables_never_share_one_of_a_target() -> None:
    both = tables()
    with pytest.raises(
        FixConfiguration, match=r"shop.orders and tables.france.orders would share on primary the"
    ):
        refuse_shared_targets(both, ["primary"])
    named = tables(LISTED.replace("chunk_rows: 10", 'target_table: "{schema}_{table}"'))
    refuse_shared_targets(named, ["primary", "secondary"])
    assert named["france.orders"].table_on("primary") == "france_orders"
    with pytest.raises(FixConfiguration, match="target_table: orders 2 is no name"):
        tables("version: 1\ntables: {a.orders: {target_table: '{table} 2'}}", None)


def test_a_file_that_found_nothing_can_be_read() -> None:
    for entries in ("", "  # shop.log is left out\n"):
        found = parse_found(write_found(["*.a", "b.?"], entries), {})
        assert (found.resolved, found.tables) == (("*.a", "b.?"), {})
    assert parse_found(write_found([], "  shop.a: {}\n"), {}).tables == {"shop.a": {}}
