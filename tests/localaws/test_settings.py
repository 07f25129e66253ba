"""SET, RESET and SHOW: what a session may change, and for how long."""

from __future__ import annotations

from typing import Any

import pytest


def shown(caller: Any, name: str) -> str:
    return str(caller.rows(f"SHOW {name}")[0][0])


@pytest.mark.parametrize(("name", "default", "change", "value"), [
    # https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html
    ("statement_timeout", "0", "= 60000", "60000"),
    ("query_group", "unset", "TO 'monday'", "monday"),
    ("timezone", "UTC", "TO 'America/New_York'", "America/New_York"),
    ("datestyle", "ISO, MDY", "TO 'SQL,DMY'", "SQL, DMY"),
    ("enable_result_cache_for_session", "on", "TO false", "off"),
    ("wlm_query_slot_count", "1", "TO 3", "3"),
    ("extra_float_digits", "0", "TO -2", "-2"),
    ("analyze_threshold_percent", "10", "TO 0.01", "0.01"),
    ("application_name", None, "TO 'loader'", "loader"),
])  # fmt: skip
def test_a_parameter_lasts_as_long_as_its_session(
    primary: Any, name: str, default: str | None, change: str, value: str
) -> None:
    session = primary.session()
    before = shown(session, name)
    assert default in (None, before)
    session.run(f"SET {name} {change}")
    assert shown(session, name) == value
    assert shown(primary, name) != value
    session.run(f"RESET {name}")
    assert shown(session, name) == before
    session.run(f"SET SESSION {name} {change}", f"SET {name} TO DEFAULT")
    assert shown(session, name) == before


@pytest.mark.parametrize("name", ["query_group", "application_name"])
def test_a_rollback_takes_it_back(primary: Any, name: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SET.html (LOCAL: the current transaction)
    session = primary.session()
    session.run(f"SET {name} TO 'kept'", "BEGIN", f"SET {name} TO 'lost'", "ROLLBACK")
    assert shown(session, name) == "kept"
    session.run("BEGIN", f"SET LOCAL {name} TO 'local'")
    assert shown(session, name) == "local"
    session.run("COMMIT")
    assert shown(session, name) == "kept"
    session.run("RESET ALL")
    assert shown(session, name) != "kept"


def test_the_search_path(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_search_path.html
    session = primary.session()
    session.run(f"CREATE SCHEMA s_{table}", f"SET search_path TO '$user', s_{table}, public")
    assert shown(session, "search_path") == f'"$user", s_{table}, public'
    session.run(f"CREATE TABLE {table} (a INT)")
    assert primary.rows(f"SELECT count(*) FROM s_{table}.{table}") == [[0]]
    assert 'schema "nowhere" does not exist' in session.error("SET search_path TO nowhere")
    primary.run(f"DROP TABLE s_{table}.{table}")


def test_time_zones_change_what_is_shown_and_not_the_clock(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_timezone_config.html
    session = primary.session()
    session.run("SET TIME ZONE 'America/New_York'")
    ((text,),) = session.rows("SELECT '2024-01-01 12:00:00+00'::timestamptz")
    assert text.startswith("2024-01-01 07:00:00")
    assert "nvalid value" in session.error("SET timezone TO 'Nowhere/City'")


def test_a_timeout_ends_a_statement_in_the_words_of_a_cancel(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
    said = primary.batch(
        "SET statement_timeout TO 50",
        "SELECT count(*) FROM svv_columns a, svv_columns b, svv_columns c, svv_columns d",
    )
    assert "on user's request" in said["Error"]


def test_names_keep_their_case_when_asked_to(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html
    session = primary.session()
    session.run("SET enable_case_sensitive_identifier TO true")
    session.run(
        f'CREATE TEMP TABLE "Mixed_{table}" ("MixedColumn" INT)',
        f"CREATE TEMP TABLE Mixed_{table} (MixedColumn INT)",
    )
    said = session.tell(f'SELECT "MixedColumn" FROM "Mixed_{table}"')
    columns = session.api.get_statement_result(Id=said["Id"])["ColumnMetadata"]
    assert columns[0]["name"] == "MixedColumn"
    assert "does not exist" in session.error(f'SELECT "MixedColumn" FROM mixed_{table}')
    session.run("RESET enable_case_sensitive_identifier")
    session.run(f'SELECT "MixedColumn" FROM "Mixed_{table}"')


def test_context_variables(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SET.html (session context variable)
    session = primary.session()
    session.run("SET app_context.user_id TO 123")
    assert shown(session, "app_context.user_id") == "123"
    assert "app_context.other" in session.error("SHOW app_context.other")


def test_all_is_shown(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW.html
    everything = dict(primary.rows("SHOW ALL"))
    assert everything["query_group"] in {"unset", "default"}
    assert everything["datestyle"] == "ISO, MDY"


@pytest.mark.parametrize(("sql", "text"), [
    ("SET wlm_query_slot_count TO 51", "51 is outside the valid range"),
    ("SET statement_timeout TO soon", "requires an integer value"),
    ("SET enable_result_cache_for_session TO maybe", "requires a Boolean value"),
    ("SET query_group TO a, b", "takes only one argument"),
    ("SET query_group", "syntax error"),
])  # fmt: skip
def test_a_wrong_value_is_refused(primary: Any, sql: str, text: str) -> None:
    assert text in primary.error(sql)


@pytest.mark.stand_in
@pytest.mark.parametrize(("sql", "text"), [
    ("SET work_mem TO 1", "SET work_mem"),
    ("SET SESSION AUTHORIZATION loader", "SET authorization"),
    ("SET ROLE loader", "SET role"),
    ("SHOW server_version", "SHOW server_version"),
    ("SET describe_field_name_in_uppercase TO on", "describe_field_name_in_uppercase TO on"),
    ("SET localaws.database TO 'x'", "variables named localaws"),
    ("RESET max_connections", "max_connections"),
])  # fmt: skip
def test_what_is_not_honoured_is_refused_by_name(primary: Any, sql: str, text: str) -> None:
    error = primary.error(sql)
    assert error.startswith("ERROR: localaws does not support")
    assert text in error
