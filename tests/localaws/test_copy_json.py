"""COPY of JSON: 'auto', 'auto ignorecase', JSONPaths, 'noshred'.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html ,
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
"""

import gzip
import json
from typing import Any

import pytest

_ORDERS = (
    '{"id": 1, "name": "Ann", "price": 10.559, "tags": ["x", {"y": 1.50}], "paid": true}\n'
    '{\n  "price": "7",\n  "id": 2, "more": [1,\n 2]}{"id": 3, "name": {"a": [1, null]}}'
)


class Loads:
    """COPYs of JSON texts of one caller."""

    def __init__(self, caller: Any, lake: Any) -> None:
        self.caller = caller
        self.lake = lake

    def put(self, body: str | bytes, name: str = "part.json") -> str:
        raw = body.encode() if isinstance(body, str) else body
        return str(self.lake.put_bytes(raw, name)["url"])

    def sql(self, table: str, body: str | bytes, how: str = "'auto'", more: str = "") -> str:
        role = f"IAM_ROLE '{self.lake.iam_role}'"
        return f"COPY {table} FROM '{self.put(body)}' {role} FORMAT AS JSON {how} {more}"

    def run(self, table: str, body: str | bytes, how: str = "'auto'", more: str = "") -> Any:
        said = self.caller.tell(self.sql(table, body, how, more))
        assert said["Status"] == "FINISHED", said.get("Error")
        return said

    def reasons(self, table: str, body: str, how: str = "'auto'", more: str = "") -> list[Any]:
        said = self.caller.tell(self.sql(table, body, how, more))
        assert said["Status"] == "FAILED", "loaded"
        return self.log(said)

    def log(self, said: Any) -> list[Any]:
        rows: list[Any] = self.caller.rows(
            "SELECT err_code, TRIM(err_reason), line_number FROM stl_load_errors "
            f"WHERE query = {said['RedshiftQueryId']} ORDER BY line_number"
        )
        return rows

    def paths(self, *paths: str, key: str = "jsonpaths") -> str:
        return f"'{self.put(json.dumps({key: list(paths)}), 'paths.jsonpaths')}'"


@pytest.fixture
def loads(primary: Any, lake: Any) -> Loads:
    return Loads(primary, lake)


@pytest.fixture
def orders(primary: Any, table: str) -> str:
    primary.run(
        f"CREATE TABLE {table} (id INT, name VARCHAR(30), price DECIMAL(8, 2), tags SUPER, "
        "paid BOOLEAN)"
    )
    return table


def test_auto_matches_names_and_ignores_the_rest(loads: Loads, orders: str) -> None:
    assert loads.run(orders, _ORDERS)["ResultRows"] == 3
    assert loads.caller.rows(f"SELECT * FROM {orders} ORDER BY id") == [
        [1, "Ann", "10.55", '["x",{"y":1.50}]', True],
        [2, None, "7.00", None, None],
        [3, '{"a":[1,null]}', None, None, None],
    ]
    upper = '{"ID": 4, "Name": "Bob"}'
    loads.run(orders, upper)
    loads.run(orders, upper, "'auto ignorecase'")
    assert loads.caller.rows(f"SELECT id, name FROM {orders} WHERE name = 'Bob'") == [[4, "Bob"]]
    assert loads.caller.rows(f"SELECT COUNT(*) FROM {orders} WHERE id IS NULL") == [[1]]


def test_a_column_list_gives_the_others_their_defaults(
    primary: Any, loads: Loads, table: str
) -> None:
    primary.run(f"CREATE TABLE {table} (id INT, state VARCHAR(9) DEFAULT 'new', n INT DEFAULT 5)")
    loads.run(f"{table} (id, n)", '{"id": 1, "state": "old"}')
    assert primary.rows(f"SELECT * FROM {table}") == [[1, "new", None]]


def test_paths_lead_to_elements(primary: Any, loads: Loads, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (a INT, b VARCHAR(20), c VARCHAR(20))")
    loads.run(table, '{"x": {"y": 1}, "l": ["p", {"q": 2}]}', loads.paths(
        "$.x.y", "$.l[0]", "$.l[1]"
    ))  # fmt: skip
    loads.run(table, '[2, "b"]', loads.paths("$[0]", "$[1]", "$[1]"))
    loads.run(table, '{"x": {"y": 3}}', loads.paths("$['x']['y']", "$['no']", "$['x']"))
    loads.run(table, '{"a": 4, "b": "auto"}', loads.paths("$.b", key="other"))
    assert primary.rows(f"SELECT * FROM {table} ORDER BY a") == [
        [1, "p", '{"q":2}'], [2, "b", "b"], [3, None, '{"y":3}'], [4, "auto", None],
    ]  # fmt: skip


def test_noshred_loads_the_document_whole(primary: Any, loads: Loads, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html
    primary.run(f"CREATE TABLE {table} (c SUPER)", f"CREATE TABLE {table}_2 (c SUPER, d INT)")
    loads.run(table, '{"a": 1.10, "b": "é"}', "'noshred'")
    assert primary.rows(f"SELECT c FROM {table}") == [['{"a":1.10,"b":"é"}']]
    assert "single SUPER column" in primary.error(loads.sql(f"{table}_2", "{}", "'noshred'"))


def test_what_is_no_row_is_told_with_its_last_line(loads: Loads, orders: str) -> None:
    body = '{"id": 1},\n{"id": 2}\n{"id": "x",\n "name": "n"}\n{"id" 5}\n{"id": 6}\n[7]'
    said = loads.run(orders, body, more="MAXERROR 9")
    assert said["ResultRows"] == 3
    assert loads.log(said) == [
        [1216, "Invalid JSON", 2],
        [1207, "Invalid digit, Value 'x', Pos 0, Type: Integer", 4],
        [1216, "Invalid JSON", 5],
        [1216, "A JSON array needs a JSONPaths file", 7],
    ]
    assert len(loads.reasons(orders, body)) == 1


def test_elements_that_are_not_there(loads: Loads, primary: Any, table: str) -> None:
    primary.run(f"CREATE TABLE {table} (c INT NOT NULL)")
    [[code, reason, _]] = loads.reasons(table, '{"d": 1}')
    assert (code, reason) == (1213, "Missing data for not-null field")
    [[_, reason, _]] = loads.reasons(table, '{"d": 1}', loads.paths("$.d[0]"))
    assert reason == "Invalid JSONPath format: Not an array or index out of range."


def test_a_document_may_have_4_mb(primary: Any, loads: Loads, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
    primary.run(f"CREATE TABLE {table} (id INT)")
    filler = "x" * (4 * 1024 * 1024 - 100)
    loads.run(table, f'{{"id": 1, "rest": "{filler}"}}')
    [[code, reason, _]] = loads.reasons(table, f'{{"id": 1, "rest": "{filler}{"y" * 100}"}}')
    assert (code, reason) == (1216, "JSON object or array is larger than 4 MB")


def test_options_with_json(loads: Loads, orders: str) -> None:
    loads.run(orders, gzip.compress(b'header\n{"id": 1, "name": ""}'), more="GZIP IGNOREHEADER 1")
    loads.run(orders, '{"id": 2, "name": ""}', more="EMPTYASNULL")
    assert loads.caller.rows(f"SELECT id, name FROM {orders} ORDER BY id") == [[1, ""], [2, None]]
    for option in ("CSV", "DELIMITER ','", "ESCAPE", "FILLRECORD", "IGNOREBLANKLINES",
                   "NULL AS ''", "REMOVEQUOTES"):  # fmt: skip
        error = loads.caller.error(loads.sql(orders, "{}", more=option))
        assert "is not supported for JSON" in error or "conflicting" in error


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        # https://github.com/awslabs/aws-lambda-redshift-loader/issues/32
        (["$.a"], "Number of jsonpaths and the number of columns should match. JSONPath size: 1, "
                  "Number of columns in table or column list: 5"),
        (["$.a", "", "$.a", "$.a", "$.a"], "an element is empty or not a string"),
        (["$.a", "$['b']", "$.a", "$.a", "$.a"], "mixes bracket notation and dot notation"),
        (["$.a", "$.*", "b", "$.a", "$.a"], "does not start with $"),
    ],
)  # fmt: skip
def test_a_malformed_paths_file_fails_the_copy(
    loads: Loads, orders: str, paths: list[str], said: str
) -> None:
    assert said in loads.caller.error(loads.sql(orders, "{}", loads.paths(*paths)))


def test_a_paths_file_must_be_there(loads: Loads, orders: str) -> None:
    assert "was not found" in loads.caller.error(
        loads.sql(orders, "{}", f"'{loads.lake.url}/no.jsonpaths'")
    )
    assert "Invalid JSON option" in loads.caller.error(loads.sql(orders, "{}", "'sideways'"))
