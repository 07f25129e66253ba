"""The SQL we send, read in full. Update the golden file in the same commit as the template."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tidemark.core.events.drains import plan_drain
from tidemark.core.events.erasures import MOST, erasure, persons, request
from tidemark.core.events.event_layouts import EventLayout
from tidemark.core.loading.catch_up import LARGEST_GROUP, Group
from tidemark.core.loading.drift import Changes
from tidemark.core.loading.statements import (
    alter_statements,
    client_token,
    create_statements,
    ledger_query,
    load_statements,
    probe_statements,
    statement_name,
)
from tidemark.core.settings.drain_settings import Drain, event_table
from tidemark.core.settings.tables import Table
from tidemark.core.settings.targets import PostgresTarget, RedshiftTarget
from tidemark.core.source.column_types import Column
from tidemark.core.source.growing_keys import KeyWindow
from tidemark.core.source.key_ranges import KeyColumn
from tidemark.core.storage.batches import backfill_id, seal
from tidemark.core.storage.state import first_state
from tidemark.core.templates import identifier, literal, render

from tests.core.values import HIGH, ORDERS, a_base, a_batch, a_plan, a_receipt, golden

TABLE = Table(db_schema="shop", table="orders", dist_key="id", sort_keys=("updated_at",))
TARGET = RedshiftTarget(
    name="primary",
    role="required",
    region="us-east-1",
    cluster_identifier="c1",
    database="dw",
    db_user="loader",
    database_schema="app",
    iam_role="arn:aws:iam::000000000000:role/copy",
)
POSTGRES = PostgresTarget(name="local", role="required", conn_id="local_db", database_schema="app")


def load(**batch):
    return load_statements(TABLE, TARGET, Group((a_batch(**batch),)), "stage", "token")


def test_a_load_reads_as_it_is_sent():
    golden("load_orders.sql", load())


@pytest.mark.parametrize("target", [TARGET, POSTGRES], ids=["redshift", "postgres"])
def test_a_load_of_events_reads_as_it_is_sent(target):
    """JSON comes as bytes, and is parsed on its way into the table."""
    drain = Drain(events=EventLayout(layout="narrow"))
    plan = plan_drain(first_state("events", {}, HIGH), drain, "run", 0, HIGH, waiting=1)
    batch = seal(plan, (a_receipt(plan, 0),))
    place = event_table("events", drain, {target.name: "app_events"})
    statements = load_statements(place, target, Group((batch,)), "stage", "token")
    golden(f"load_events_{target.dialect}.sql", statements)
    created = create_statements(place, target, plan.columns, plan.key)["create_table"]
    assert ('"event_data" JSONB' if target is POSTGRES else '"event_data" SUPER') in created


@pytest.mark.parametrize("target", [TARGET, POSTGRES], ids=["redshift", "postgres"])
def test_a_deletion_request_reads_as_it_is_sent(target):
    layout = EventLayout(layout="narrow")
    whom = persons(layout, "user_id", ["a", "b"], None) + persons(layout, "device_id", "c", None)
    batch = erasure(request("events", whom, HIGH, "ticket 12"), layout, 1)
    place = event_table("events", Drain(events=layout), {target.name: "app_events"})
    statements = load_statements(place, target, Group((batch,)), "stage", "token")
    golden(f"erase_persons_{target.dialect}.sql", statements)


def test_the_longest_deletion_request_is_short_enough_for_the_data_api():
    layout = EventLayout(layout="narrow")
    whom = persons(layout, "user_id", map(str, range(MOST)), None)
    batch = erasure(request("events", whom, HIGH, "ticket 12"), layout, 1)
    place = event_table("events", Drain(events=layout), {TARGET.name: "app_events"})
    statements = load_statements(place, TARGET, Group((batch,)), "stage", "token")
    assert max(map(len, statements.values())) < 100_000


def test_a_group_reads_as_it_is_sent():
    """One manifest, one merge, and a ledger row for each batch with the rows that it brought."""
    later = a_batch(low=HIGH, high=HIGH + timedelta(hours=1), rows=3)
    golden(
        "load_orders_group.sql",
        load_statements(TABLE, TARGET, Group((a_batch(), later)), "stage", "token"),
    )


def test_rule_12_repeated_keys_are_looked_for_wherever_there_may_be_some():
    """A single statement, or ranges of a key that the source keeps unique, hold no key twice."""
    unique = {"unique_key": True}
    by_key = {**unique, "ranged_by": (KeyColumn("id"),)}
    may_repeat = {
        "key not unique": a_plan(),
        "unique, in one piece": a_plan().model_copy(update=unique),
        "unique, cut by the cursor": a_plan(chunks=2).model_copy(update=unique),
        "unique, cut by the key": a_plan(chunks=2).model_copy(update=by_key),
    }
    looked_for = {
        name
        for name, plan in may_repeat.items()
        if "find_repeated"
        in load_statements(
            TABLE, TARGET, Group((a_batch().model_copy(update={"plan": plan}),)), "stage", "token"
        )
    }
    assert looked_for == {"key not unique", "unique, cut by the cursor"}
    one = a_batch()
    both = tuple(
        batch.model_copy(update={"plan": batch.plan.model_copy(update=unique)})
        for batch in (one, a_batch(low=HIGH, high=HIGH + timedelta(hours=1)))
    )
    assert "find_repeated" in load_statements(TABLE, TARGET, Group(both), "stage", "token")


def test_rule_13_rows_that_are_only_added_replace_themselves_and_are_not_compared():
    batch, keys = a_batch(), KeyWindow(low=1, high=9)
    added = batch.model_copy(update={"plan": batch.plan.model_copy(update={"keys": keys})})
    statements = load_statements(TABLE, TARGET, Group((added,)), "stage", "token")
    assert load().keys() - statements.keys() == {"drop_stale"}
    replaced, _, comparison = load()["delete_replaced"].partition("\n  AND (")
    assert statements["delete_replaced"].startswith(replaced)
    assert comparison not in statements["delete_replaced"]


@pytest.mark.parametrize(
    ("windows", "between"),
    [
        ([KeyWindow(low=1, high=9)], ["{} >= 1", "{} < 9"]),
        ([KeyWindow(low=5, high=9), KeyWindow(low=1, high=5)], ["{} >= 1", "{} < 9"]),
        ([KeyWindow(low=None, high=5), KeyWindow(low=5, high=9)], ["{} < 9"]),
        ([None, KeyWindow(low=5, high=9)], []),
    ],
    ids=["one window", "several", "from the first key", "a batch without a window"],
)
def test_rows_that_are_only_added_are_looked_for_between_their_keys(windows, between):
    """A warehouse that knows where keys lie need not read the table for keys that are new to it."""
    batches = []
    for hour, keys in enumerate(windows):
        batch = a_batch(high=HIGH + timedelta(hours=hour))
        plan = batch.plan.model_copy(update={"keys": keys, "cursor": "id"})
        batches.append(batch.model_copy(update={"plan": plan}))
    group = Group(tuple(batches))
    deletes = load_statements(TABLE, TARGET, group, "stage", "token")["delete_replaced"]
    column = '"app"."orders"."id"'
    same_key = 'WHERE "app"."orders"."id" = "tidemark_stage"."id"'
    assert deletes.partition(same_key)[2].split("\n  AND ")[1:] == [
        condition.format(column) for condition in between
    ]


@pytest.mark.parametrize("target", [TARGET, POSTGRES], ids=["redshift", "postgres"])
def test_a_large_stage_is_looked_at_before_it_is_joined_and_only_its_key(target):
    sent = [
        load_statements(TABLE, target, Group((a_batch(rows=rows),)), "stage", "token")
        for rows in (9_999, 10_000)
    ]
    assert "analyze_stage" not in sent[0]
    assert sent[1]["analyze_stage"] == 'ANALYZE "tidemark_stage" ("id")'
    assert list(sent[1]).index("analyze_stage") == list(sent[1]).index("check_count") + 1


def test_the_tables_are_created_as_reviewed():
    golden("create_orders.sql", create_statements(TABLE, TARGET, ORDERS, ["id"]))


def test_a_probe_reads_as_it_is_sent_and_writes_nothing_that_stays():
    part = a_batch().model_copy(update={"manifest_at": "staging/probe-1-manifest.json"})
    statements = probe_statements(TABLE, TARGET, part, "stage")
    golden("probe_orders.sql", statements)
    written = [sql for sql in statements.values() if not sql.startswith("SELECT")]
    assert all("tidemark_stage" in sql or "tidemark_probe" in sql for sql in written)


def test_a_table_is_altered_one_statement_each():
    note = Column("note", "text", "VARCHAR(65535)", nullable=False)
    wide = Column("status", "varchar(20)", "VARCHAR(80)", nullable=True)
    assert alter_statements(TABLE, TARGET, Changes(added=(note,), widened=(wide,))) == [
        'ALTER TABLE "app"."orders" ADD COLUMN "note" VARCHAR(65535)',
        'ALTER TABLE "app"."orders" ALTER COLUMN "status" TYPE VARCHAR(80)',
    ]


def test_only_the_key_must_not_be_null_besides_our_own_columns():
    strict = [replace(column, nullable=False) for column in ORDERS]
    assert create_statements(TABLE, TARGET, strict, ["id"]) == create_statements(
        TABLE, TARGET, ORDERS, ["id"]
    )


def test_postgres_gets_the_same_in_its_own_words():
    group = Group((a_batch(),))
    golden("load_orders_postgres.sql", load_statements(TABLE, POSTGRES, group, "stage", "token"))
    golden("create_orders_postgres.sql", create_statements(TABLE, POSTGRES, ORDERS, ["id"]))


@pytest.mark.parametrize("batch", [a_batch(), a_base()], ids=["load", "swap"])
@pytest.mark.parametrize(
    ("target", "mode"),
    [(TARGET, ""), (POSTGRES, " IN EXCLUSIVE MODE")],
    ids=["redshift", "postgres"],
)
def test_rule_14_the_first_statement_locks_the_ledger(batch, target, mode):
    one = Group((batch,))
    base = batch.plan.kind == "base"
    for group in (one, replace(one, superseded=base), replace(one, straight=True)):
        first = next(iter(load_statements(TABLE, target, group, "stage", "token").values()))
        assert first == f'LOCK TABLE "app"."_tidemark_ledger__orders"{mode}'


def test_rule_15_an_empty_batch_skips_copy_but_writes_its_ledger_row():
    assert load().keys() - load(rows=0).keys() == {"copy_batch"}
    assert "enter_ledger" in load(rows=0)


def test_no_statement_commits_on_the_spot():
    assert len(load()) == 14
    for sql in load().values():
        assert not re.search(r"\b(TRUNCATE|VACUUM|COMMIT|ALTER)\b", sql)
        assert len(sql.encode()) < 100_000


def test_a_table_may_be_called_otherwise_on_a_target():
    table = TABLE.model_copy(update={"target_tables": {"primary": "orders_copy"}})
    sql = load_statements(table, TARGET, Group((a_batch(),)), "stage", "t")["insert_rows"]
    assert 'INSERT INTO "app"."orders_copy"' in sql


def test_names_and_values_are_quoted():
    assert identifier('a"b', "redshift") == '"a""b"'
    assert identifier("a`b", "mysql") == "`a``b`"
    assert literal("o'clock\\", "postgres") == "'o''clock\\'"
    assert literal("o'clock\\") == "'o''clock\\\\'"
    with pytest.raises(ValueError, match="not an identifier"):
        identifier("", "mysql")
    sql = ledger_query(TABLE, TARGET, ["x'; DROP TABLE y; --"])
    assert "'x''; DROP TABLE y; --'" in sql


def test_a_value_that_the_template_needs_must_be_given():
    with pytest.raises(Exception, match="batch_ids"):
        render("read_ledger.sql", "redshift", schema="s", ledger_table="l")


def test_statements_can_be_found_and_tokens_tell_attempts_apart():
    assert statement_name(TABLE, TARGET, "b1") == "tidemark shop.orders primary b1"
    assert client_token("b1", "primary", 1) == client_token("b1", "primary", 1)
    assert client_token("b1", "primary", 1) != client_token("b1", "primary", 2)
    assert len(client_token("b1")) == 64


@pytest.mark.parametrize("dialect", ["redshift", "postgres"])
def test_a_swap_reads_as_it_is_sent(dialect):
    batch = a_base()
    group = Group((batch,), carried=("id", "status", "updated_at", "_batch_id", "_read_at"))
    target = TARGET if dialect == "redshift" else POSTGRES
    golden(f"swap_orders_{dialect}.sql", load_statements(TABLE, target, group, "stage", "token"))
    alike = load_statements(TABLE, target, replace(group, alike=True), "stage", "token")
    assert "LIKE" in alike["create_new"]
    old = load_statements(TABLE, target, replace(group, superseded=True), "stage", "token")
    assert list(old) == ["lock_ledger", "enter_superseded"]


@pytest.mark.parametrize("dialect", ["redshift", "postgres"])
def test_rows_that_are_copied_straight_read_as_they_are_sent(dialect):
    """What fails is known by its number: COPY and count have those that a staged load's have."""
    target = TARGET if dialect == "redshift" else POSTGRES
    batch = a_batch()
    keys = {"keys": KeyWindow(low=1, high=9), "cursor": "id"}
    added = batch.model_copy(update={"plan": batch.plan.model_copy(update=keys)})
    sent = load_statements(TABLE, target, Group((added,), straight=True), "stage", "token")
    golden(f"straight_orders_{dialect}.sql", sent)
    staged = load_statements(TABLE, target, Group((added,)), "stage", "token")
    assert list(sent)[2:4] == list(staged)[2:4] == ["copy_batch", "check_count"]
    first = load_statements(TABLE, target, Group((batch,), straight=True), "stage", "token")
    assert "WHERE" not in first["check_count"]
    base = Group((a_base(),), straight=True)
    swapped = load_statements(TABLE, target, base, "stage", "token")
    assert not any("tidemark_stage" in sql for sql in swapped.values())


def test_the_largest_group_is_within_the_limits_of_the_data_api():
    """At most 40 statements of 100 KB each; ids as long as they get."""
    batch = a_batch()
    batch_id = backfill_id("r" * 60, 10, batch.plan.window)
    plan = batch.plan.model_copy(update={"batch_id": batch_id})
    group = Group((batch.model_copy(update={"plan": plan}),) * LARGEST_GROUP)
    statements = load_statements(TABLE, TARGET, group, "stage", "token")
    assert len(statements) <= 40
    assert max(len(sql.encode()) for sql in statements.values()) < 100_000
