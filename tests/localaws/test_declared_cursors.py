"""Results read in portions: https://docs.aws.amazon.com/redshift/latest/dg/declare.html"""

from typing import Any

NUMBERS = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7) SELECT i FROM n"
)


def test_a_cursor_is_fetched_in_portions(primary: Any) -> None:
    said = primary.batch(
        f"DECLARE portions CURSOR FOR {NUMBERS} ORDER BY i",
        "FETCH FORWARD 3 FROM portions",
        "FETCH NEXT FROM portions",
        "FETCH FROM portions",
        "FETCH ALL FROM portions",
        "FETCH FORWARD ALL FROM portions",
        "CLOSE portions",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    fetched = [primary.result(f"{said['Id']}:{number}") for number in range(2, 7)]
    assert fetched == [[[1], [2], [3]], [[4]], [[5]], [[6], [7]], []]


def test_a_cursor_lives_in_a_block_and_alone(primary: Any) -> None:
    assert "transaction block" in primary.error(f"DECLARE c CURSOR FOR {NUMBERS}")
    # "Only one cursor at a time can be open per session"
    said = primary.batch("DECLARE c CURSOR FOR SELECT 1", "DECLARE d CURSOR FOR SELECT 1")
    assert "one cursor at a time" in said["Error"]
    assert 'cursor "c" does not exist' in primary.error("FETCH NEXT FROM c")
    for sql in ("FETCH 3 FROM c", "FETCH BACKWARD 1 FROM c", "FETCH PRIOR FROM c"):
        assert "syntax error" in primary.error(sql)
    assert "syntax error" in primary.error("DECLARE c SCROLL CURSOR FOR SELECT 1")


def test_explain(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html
    primary.run(f"CREATE TABLE {table} (id INT)")
    said = primary.tell(f"EXPLAIN DELETE FROM {table} USING {table} t WHERE t.id = {table}.id")
    assert len(primary.result(said["Id"])) > 1
    columns = primary.api.get_statement_result(Id=said["Id"])["ColumnMetadata"]
    assert [each["name"] for each in columns] == ["QUERY PLAN"]
    assert f'relation "{table}_no" does not exist' in primary.error(
        f"EXPLAIN SELECT * FROM {table}_no"
    )
    assert "syntax error" in primary.error(f"EXPLAIN TRUNCATE {table}")
