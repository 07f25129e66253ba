"""The system views about work that runs or has run."""

from typing import Any

from localaws.redshift.reference import system_views


def test_the_history_of_queries(primary: Any, secondary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    said = primary.tell(f"INSERT INTO {table}\nVALUES (1), (2)", StatementName=f"load of {table}")
    primary.error(f"SELECT 1 / 0 FROM {table}")
    # https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_HISTORY.html
    rows = primary.rows(
        "SELECT query_id, TRIM(query_label), TRIM(database_name), TRIM(query_type), TRIM(status), "
        "TRIM(query_text), TRIM(error_message), end_time >= start_time, elapsed_time >= 0 "
        f"FROM sys_query_history WHERE query_text LIKE '%{table}%' ORDER BY query_id"
    )
    assert [row[3:5] for row in rows] == [
        ["DDL", "success"], ["INSERT", "success"], ["SELECT", "failed"], ["SELECT", "running"],
    ]  # fmt: skip
    assert rows[1] == [
        said["RedshiftQueryId"], f"load of {table}", primary.where["Database"], "INSERT", "success",
        f"INSERT INTO {table}\nVALUES (1), (2)", "", True, True,
    ]  # fmt: skip
    assert "ivide by zero" in rows[2][6]
    assert not secondary.rows(
        f"SELECT 1 FROM sys_query_history WHERE query_text LIKE '%{table}%' AND query_type <> "
        "'SELECT'"
    )
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STL_QUERY.html
    assert primary.rows(
        f"SELECT TRIM(label), aborted FROM stl_query WHERE query = {said['RedshiftQueryId']}"
    ) == [[f"load of {table}", 0]]
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STL_DDLTEXT.html
    assert primary.rows(
        f"SELECT sequence, TRIM(text) FROM stl_ddltext WHERE text LIKE '%{table}%'"
    ) == [[0, f"CREATE TABLE {table} (id INT)"]]


def test_long_texts_come_in_pieces(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STL_QUERYTEXT.html : 200 characters
    # https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_TEXT.html : 4,000 characters
    said = primary.tell(f"SELECT '{'x' * 4100}' AS {table}")
    number = said["RedshiftQueryId"]
    for view, name, size in (("stl_querytext", "query", 200), ("sys_query_text", "query_id", 4000)):
        pieces = primary.rows(
            f"SELECT sequence, TRIM(text) FROM {view} WHERE {name} = {number} ORDER BY sequence"
        )
        assert [row[0] for row in pieces] == list(range(len(pieces)))
        assert len(pieces[0][1]) == size
        assert "".join(row[1] for row in pieces) == f"SELECT '{'x' * 4100}' AS {table}"


def test_the_last_query_of_a_session(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_QUERY_ID.html
    assert primary.rows("SELECT PG_LAST_QUERY_ID()") == [[-1]]
    said = primary.batch("SELECT 1", "SELECT PG_LAST_QUERY_ID()")
    first = said["SubStatements"][0]["RedshiftQueryId"]
    assert primary.result(f"{said['Id']}:2") == [[first]]


def test_what_runs_now(primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (id INT)")
    said = primary.batch(
        f"INSERT INTO {table} VALUES (1)",
        # https://docs.aws.amazon.com/redshift/latest/dg/r_STV_RECENTS.html
        "SELECT TRIM(user_name), TRIM(db_name) FROM stv_recents "
        "WHERE status = 'Running' AND pid = PG_BACKEND_PID()",
        # https://docs.aws.amazon.com/redshift/latest/dg/r_STV_INFLIGHT.html
        "SELECT COUNT(*) FROM stv_inflight WHERE pid = PG_BACKEND_PID()",
        # https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TRANSACTIONS.html
        "SELECT txn_owner, txn_db, granted FROM svv_transactions "
        f"WHERE pid = PG_BACKEND_PID() AND lock_mode = 'ShareRowExclusiveLock' "
        f"AND relation = (SELECT table_id FROM svv_table_info WHERE \"table\" = '{table}')",
        # https://docs.aws.amazon.com/redshift/latest/dg/r_STV_SESSIONS.html
        "SELECT TRIM(user_name), TRIM(db_name) FROM stv_sessions WHERE process = PG_BACKEND_PID()",
        # https://docs.aws.amazon.com/redshift/latest/dg/r_STV_LOCKS.html
        "SELECT COUNT(*) FROM stv_locks WHERE lock_owner_pid = PG_BACKEND_PID()",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    user, database = said["DbUser"], said["Database"]
    results = [primary.result(f"{said['Id']}:{number}") for number in range(2, 7)]
    assert results == [
        [[user, database]], [[1]], [[user, database, True]], [[user, database]], [[1]],
    ]  # fmt: skip


def test_who_lost_to_another_transaction(primary: Any, gate: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STL_TR_CONFLICT.html
    primary.run(f"CREATE TABLE {table} (v INT)", f"INSERT INTO {table} VALUES (0)")
    with gate.closed("primary", table) as holder:
        ids = [
            primary.api.execute_statement(Sql=f"UPDATE {table} SET v = v + 1", **primary.where)[
                "Id"
            ]
            for _ in range(2)
        ]
        gate.wait_for(holder, table, 2)
    ended = [primary.end(each) for each in ids]
    lost = [said["RedshiftPid"] for said in ended if said["Status"] == "FAILED"]
    assert len(lost) == 1
    assert [lost[0]] in primary.rows("SELECT process_id FROM stl_tr_conflict")


def test_every_system_view_can_be_read(primary: Any) -> None:
    views = system_views()
    assert len(views) > 20
    for view in views:
        primary.run(f"SELECT * FROM {view} LIMIT 1")
