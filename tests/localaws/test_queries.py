"""Queries as Redshift has them: what PostgreSQL has not, and what it has and Redshift refuses."""

from typing import Any

import pytest


@pytest.fixture
def sales(primary: Any, table: str) -> str:
    """The sample data of https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html"""
    primary.run(
        f"CREATE TABLE {table} (sold DATE, hour INT, item VARCHAR(20), price DECIMAL(10, 2))",
        f"INSERT INTO {table} VALUES ('2022-01-01', 9, 'Product 1', 100), "
        "('2022-01-01', 11, 'Product 2', 500), ('2022-01-01', 15, 'Product 3', 20), "
        "('2022-01-01', 17, 'Product 4', 1000), ('2022-01-01', 18, 'Product 5', 30), "
        "('2022-01-02', 10, 'Product 6', 5000), ('2022-01-02', 16, 'Product 7', 5)",
    )
    return table


def test_top(primary: Any, sales: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    assert primary.rows(f"SELECT TOP 2 item FROM {sales} ORDER BY price DESC") == [
        ["Product 6"], ["Product 4"],
    ]  # fmt: skip
    assert primary.rows(f"SELECT COUNT(*) FROM (SELECT TOP 3 * FROM {sales})") == [[3]]
    assert "TOP and LIMIT" in primary.error(f"SELECT TOP 2 item FROM {sales} LIMIT 3")


def test_qualify(primary: Any, sales: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html
    best = "ROW_NUMBER() OVER (PARTITION BY sold ORDER BY price DESC)"
    assert primary.rows(
        f"SELECT * FROM {sales} ss WHERE hour > 12 QUALIFY {best} <= 2 ORDER BY item"
    ) == [
        ["2022-01-01", 17, "Product 4", "1000.00"],
        ["2022-01-01", 18, "Product 5", "30.00"],
        ["2022-01-02", 16, "Product 7", "5.00"],
    ]
    by_name = f"SELECT item, {best} AS place FROM {sales} s QUALIFY place = 1 ORDER BY item LIMIT 1"
    assert primary.rows(by_name) == [["Product 4", 1]]
    assert primary.rows(
        f"SELECT COUNT(*) FROM (SELECT item FROM {sales} s QUALIFY {best} = 1)"
    ) == [[2]]
    assert primary.rows(
        f"SELECT item FROM {sales} WHERE item IN "
        f"(SELECT item FROM {sales} s QUALIFY {best} = 5) OR item = 'Product 7' ORDER BY 1"
    ) == [["Product 3"], ["Product 7"]]
    assert primary.rows(
        f"SELECT sold, COUNT(*) FROM {sales} GROUP BY sold HAVING COUNT(*) > 1 "
        "QUALIFY ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC) = 1"
    ) == [["2022-01-01", 5]]
    # "the FROM relation name must have an alias specified before the QUALIFY clause"
    assert "syntax error" in primary.error(f"SELECT * FROM {sales} QUALIFY {best} = 1")


def test_set_operations(primary: Any, sales: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html
    assert primary.rows(
        f"SELECT item FROM {sales} MINUS SELECT item FROM {sales} WHERE hour < 17 ORDER BY 1"
    ) == [["Product 4"], ["Product 5"]]
    for operator in ("MINUS ALL", "EXCEPT ALL", "INTERSECT ALL"):
        said = primary.error(f"SELECT item FROM {sales} {operator} SELECT item FROM {sales}")
        assert said == f"ERROR: {operator} is not supported"
    assert primary.error(
        f"(SELECT item FROM {sales} LIMIT 1) INTERSECT SELECT item FROM {sales}"
    ) == ("ERROR: LIMIT may not be used within input to set operations.")


def test_grouping_sets(primary: Any, sales: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_GROUP_BY_aggregation-extensions.html
    rows = primary.rows(
        f"SELECT sold, hour < 12, GROUPING(sold), GROUPING_ID(sold, hour < 12), COUNT(*) "
        f"FROM {sales} GROUP BY ROLLUP (sold, hour < 12) ORDER BY 4, 1, 2"
    )
    assert [row[2:] for row in rows] == [
        [0, 0, 3], [0, 0, 2], [0, 0, 1], [0, 0, 1], [0, 1, 5], [0, 1, 2], [1, 3, 7],
    ]  # fmt: skip
    assert len(primary.rows(f"SELECT 1 FROM {sales} GROUP BY GROUPING SETS (sold, ())")) == 3
    assert "too many grouping sets" in primary.error(
        f"SELECT 1 FROM {sales} GROUP BY CUBE (sold, hour, item), CUBE (price, hour, item), sold, "
        "ROLLUP (item)"
    )


def test_pivot_and_unpivot(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html
    primary.run(
        f"CREATE TABLE {table} (name VARCHAR, maker VARCHAR, quality INT)",
        f"INSERT INTO {table} VALUES ('prop', 'local', 2), ('prop', 'big', NULL), "
        "('prop', 'small', 1), ('rudder', 'local', 1), ('rudder', 'big', 2), "
        "('rudder', 'small', NULL), ('wing', 'local', NULL), ('wing', 'big', 1), "
        "('wing', 'small', NULL)",
        f"CREATE TABLE {table}_colors (quality VARCHAR, red INT, green INT, blue INT)",
        f"INSERT INTO {table}_colors VALUES ('high', 15, 20, 7), ('normal', 35, NULL, 40), "
        "('low', 10, 23, NULL)",
    )
    said = primary.tell(
        f"SELECT * FROM (SELECT quality, maker FROM {table}) PIVOT ("
        "COUNT(*) AS count FOR quality IN (1 AS high, 2 AS low, NULL AS na)) ORDER BY maker"
    )
    assert primary.result(said["Id"]) == [
        ["big", 1, 1, 1], ["local", 1, 1, 1], ["small", 1, 0, 2],
    ]  # fmt: skip
    columns = primary.api.get_statement_result(Id=said["Id"])["ColumnMetadata"]
    assert [each["name"] for each in columns] == ["maker", "high_count", "low_count", "na_count"]
    said = primary.tell(
        f"SELECT * FROM (SELECT name, quality FROM {table}) PIVOT ("
        "SUM(quality) FOR name IN ('prop', 'wing')) AS p"
    )
    assert primary.result(said["Id"]) == [[3, 1]]
    colors = f"(SELECT quality, red, green, blue FROM {table}_colors)"
    unpivot = "(cnt FOR color IN (red, green AS g, blue))"
    assert primary.rows(f"SELECT * FROM {colors} UNPIVOT {unpivot} WHERE quality = 'low'") == [
        ["low", "red", 10], ["low", "g", 23],
    ]  # fmt: skip
    assert primary.rows(f"SELECT COUNT(*) FROM {colors} UNPIVOT INCLUDE NULLS {unpivot}") == [[9]]


def test_select_into(primary: Any, sales: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_INTO.html
    said = primary.batch(
        f"WITH late AS (SELECT * FROM {sales} WHERE hour > 16) "
        "SELECT TOP 1 item INTO TEMP TABLE latest FROM late ORDER BY hour DESC",
        "SELECT item FROM latest",
    )
    assert said["Status"] == "FINISHED", said.get("Error")
    assert primary.result(f"{said['Id']}:2") == [["Product 5"]]
    primary.run(f"SELECT item, price INTO {sales}_copy FROM {sales}")
    assert primary.rows(f"SELECT COUNT(*) FROM {sales}_copy") == [[7]]


def test_common_tables(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
    count = "SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 5"
    assert primary.rows(f"WITH RECURSIVE a (n) AS ({count}) SELECT MAX(n) FROM a") == [[5]]
    for wrong, said in (
        (f"WITH RECURSIVE a AS ({count}) SELECT n FROM a", "must have a column name list"),
        (
            f"WITH RECURSIVE a (n) AS ({count.replace(' ALL', '')}) SELECT n FROM a",
            "joined by UNION ALL",
        ),
        (
            f"SELECT 1 WHERE 1 IN (WITH RECURSIVE a (n) AS ({count}) SELECT n FROM a)",
            "not supported inside a subquery",
        ),
        (
            "WITH a AS (WITH b AS (SELECT 1 AS n) SELECT n FROM b) SELECT n FROM a",
            "not supported inside a WITH clause subquery",
        ),
        ("WITH a AS MATERIALIZED (SELECT 1) SELECT * FROM a", "syntax error"),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a", "does not exist"),
    ):
        assert said in primary.error(wrong)


@pytest.mark.parametrize(
    "query",
    [
        # The patterns of https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html
        # in its order; the words: https://github.com/SQLMesh/sqlmesh/issues/5342
        "SELECT t.item FROM {t} t WHERE NOT EXISTS (SELECT 1 FROM {t} u WHERE NOT EXISTS "
        "(SELECT 1 FROM {t} v WHERE t.hour = v.hour))",
        "SELECT t.item FROM {t} t LEFT JOIN {t} u ON t.item = u.item AND u.hour = "
        "(SELECT MAX(v.hour) FROM {t} v WHERE v.item = u.item)",
        "SELECT t.item FROM {t} t WHERE t.hour NOT IN "
        "(SELECT SUM(u.hour) OVER () FROM {t} u WHERE u.item = t.item)",
        "SELECT t.item, (SELECT COUNT(*) FROM {t} u WHERE u.item = t.item) AS n FROM {t} t "
        "GROUP BY n, t.item",
        "SELECT t.item, EXISTS (SELECT 1 FROM {t} u WHERE u.item = t.item) FROM {t} t "
        "GROUP BY 1, 2",
        "SELECT t.item FROM {t} t WHERE t.hour IN "
        "(SELECT SUM(u.hour) FROM {t} u WHERE u.item = t.item GROUP BY u.sold)",
    ],
)
def test_correlated_subqueries_that_are_refused(primary: Any, sales: str, query: str) -> None:
    assert primary.error(query.format(t=sales)) == (
        "ERROR: This type of correlated subquery pattern is not supported due to internal error"
    )


def test_correlated_subqueries_that_run(primary: Any, sales: str) -> None:
    for query in (
        "SELECT t.item FROM {t} t WHERE t.price = "
        "(SELECT MAX(u.price) FROM {t} u WHERE u.sold = t.sold) ORDER BY 1",
        "SELECT t.item FROM {t} t WHERE NOT EXISTS "
        "(SELECT 1 FROM {t} u WHERE u.sold = t.sold AND u.price > t.price) ORDER BY 1",
        "SELECT t.item FROM {t} t JOIN (SELECT sold, MAX(price) AS price FROM {t} GROUP BY sold) u "
        "ON u.sold = t.sold AND u.price = t.price ORDER BY t.item",
    ):
        assert primary.rows(query.format(t=sales)) == [["Product 4"], ["Product 6"]]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html has the words
        (
            "UPDATE {t} SET hour = 1 FROM {t} u LEFT JOIN {t} v ON u.item = v.item "
            "WHERE {t}.item = u.item",
            "ERROR: Target table must be part of an equijoin predicate",
        ),
        ("UPDATE {t} SET (hour, item) = (1, 'a')", 'ERROR: syntax error at or near "("'),
        ("UPDATE {t} SET {t}.hour = 1", "ERROR: column"),
        (
            "INSERT INTO {t} VALUES ('2022-01-01') UNION SELECT '2022-01-01'",
            'ERROR: syntax error at or near "UNION"',
        ),
        ("SELECT FROM {t}", 'ERROR: syntax error at or near "FROM"'),
        ("SELECT SUM(hour) OVER w FROM {t} WINDOW w AS ()", "ERROR: syntax error at or near"),
    ],
)
def test_what_only_postgresql_would_do(primary: Any, sales: str, statement: str, said: str) -> None:
    assert primary.error(statement.format(t=sales)).lower().startswith(said.lower())


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM pg_class", "ERROR: permission denied for relation pg_class"),
        (
            "UPDATE pg_catalog.pg_type SET typname = 'x'",
            "ERROR: permission denied for relation pg_type",
        ),
        ("INSERT INTO stl_query SELECT * FROM stl_query", "ERROR: cannot insert into"),
        ("DELETE FROM svv_tables", "ERROR: cannot delete from a view"),
        ("DELETE FROM localaws.loads", 'ERROR: schema "localaws" does not exist'),
        ('SELECT * FROM "localaws".past', 'ERROR: schema "localaws" does not exist'),
    ],
)
def test_the_catalogue_is_not_for_clients_to_change(
    primary: Any, statement: str, said: str
) -> None:
    assert primary.error(statement).startswith(said)
