"""JSON in text, and SUPER: construction, inspection, paths, unnesting, by the guide's examples."""

from typing import Any

import pytest

_GUIDE = "https://docs.aws.amazon.com/redshift/latest/dg/"
_BROKEN = '{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}'

EXAMPLES = [
    ("IS_VALID_JSON", """is_valid_json('{"a":{"b":{"c":1}}}')""", True),
    ("IS_VALID_JSON", "is_valid_json('{1:\"a\"}')", False),
    ("IS_VALID_JSON", "is_valid_json('[1,2,3]')", False),
    ("IS_VALID_JSON_ARRAY", """is_valid_json_array('["a",["b",1,["c",2,3,null]]]')""", True),
    ("IS_VALID_JSON_ARRAY", "is_valid_json_array('[1,2,]')", False),
    ("JSON_ARRAY_LENGTH", """json_array_length('[11,12,13,{"f1":21,"f2":[25,26]},14]')""", 5),
    ("JSON_ARRAY_LENGTH",
     """json_array_length('[11,12,13,{"f1":21,"f2":[25,26]},14',true)""", None),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT",
     "json_extract_array_element_text('[111,112,113]', 2)", "113"),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT", "json_extract_array_element_text('[111,112,113]', 3)", ""),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT", "json_extract_array_element_text('[1,', 1, true)", None),
    ("JSON_EXTRACT_PATH_TEXT", f"json_extract_path_text('{_BROKEN}}}','f4', 'f6')", "star"),
    ("JSON_EXTRACT_PATH_TEXT", f"json_extract_path_text('{_BROKEN}','f4', 'f6',true)", None),
    ("JSON_EXTRACT_PATH_TEXT",
     """json_extract_path_text('{"farm": {"barn": {}}}', 'farm', 'barn', 'color')""",
     None),
    ("JSON_PARSE", """JSON_PARSE('[10001,10002,"abc"]')""", '[10001,10002,"abc"]'),
    ("CAN_JSON_PARSE", """CAN_JSON_PARSE('[10001,10002,"abc"]')""", True),
    ("CAN_JSON_PARSE", "CAN_JSON_PARSE('[10001,')", False),
    ("JSON_SERIALIZE",
     """JSON_SERIALIZE(JSON_PARSE('[10001,10002,"abc"]'))""", '[10001,10002,"abc"]'),
    ("JSON_SERIALIZE_TO_VARBYTE",
     """JSON_SERIALIZE_TO_VARBYTE(JSON_PARSE('[10001,10002,"abc"]'))::VARCHAR""",
     '[10001,10002,"abc"]'),
    ("r_json_size", """JSON_SIZE(JSON_PARSE('[10001,10002,"⬤"]'))""", 19),
    ("r_json_typeof", "JSON_TYPEOF(ARRAY(1,2))", "array"),
    ("r_json_typeof", """JSON_TYPEOF(JSON_PARSE('{"name":"Joe"}'))""", "object"),
    ("r_array", "array(1,50,null,100)", "[1,50,null,100]"),
    ("r_array", "array(1,'abc',true,3.14)", '[1,"abc",true,3.14]'),
    ("r_array", "array()", "[]"),
    ("r_object_function", "object()", "{}"),
    ("r_object_function", "object('a', 1, 'b', true, 'c', 3.14)", '{"a":1,"b":true,"c":3.14}'),
    ("r_object_function", "object('a', object('aa', 1), 'b', array(2,3), 'c', json_parse('{}'))",
     '{"a":{"aa":1},"b":[2,3],"c":{}}'),
    ("r_array_concat",
     "ARRAY_CONCAT(ARRAY(10001,10002),ARRAY('ab','cd'))", '[10001,10002,"ab","cd"]'),
    ("array_flatten", "ARRAY_FLATTEN(ARRAY(ARRAY(1,2,3,4),ARRAY(5,6,7,8),ARRAY(9,10)))",
     "[1,2,3,4,5,6,7,8,9,10]"),
    ("get_array_length", "GET_ARRAY_LENGTH(ARRAY(1,2,3,4,5,6,7,8,9,10))", 10),
    ("split_to_array", "SPLIT_TO_ARRAY('12|345|6789', '|')", '["12","345","6789"]'),
    ("r_subarray", "SUBARRAY(ARRAY('a', 'b', 'c', 'd', 'e', 'f'), 2, 3)", '["c","d","e"]'),
    ("r_subarray", "SUBARRAY(ARRAY('a', 'b', 'c', 'd', 'e', 'f'), -2, 2)", '["e","f"]'),
    ("r_is_array", "is_array(JSON_PARSE('[1,2]'))", True),
    ("r_is_bigint", "is_bigint(JSON_PARSE('5'))", True),
    ("r_is_boolean", "is_boolean(JSON_PARSE('true'))", True),
    ("r_is_char", "is_char('t'::super)", True),
    ("r_is_decimal", "is_decimal(JSON_PARSE('1.22'))", True),
    ("r_is_integer", "is_integer(JSON_PARSE('2147483648'))", False),
    ("r_is_object", "is_object(JSON_PARSE('{}'))", True),
    ("r_is_scalar", "is_scalar(JSON_PARSE('[]'))", False),
    ("r_is_smallint", "is_smallint(JSON_PARSE('5'))", True),
    ("r_is_varchar", "is_varchar('abc'::super)", True),
    ("r_decimal_precision", "decimal_precision(JSON_PARSE('3.14159'))", 6),
    ("r_decimal_scale", "decimal_scale(JSON_PARSE('3.14159'))", 5),
    ("r_object_transform_function",
     "OBJECT_TRANSFORM(JSON_PARSE('{\"a\":1,\"b\":{\"c\":2,\"d\":3}}') KEEP '\"b\".\"c\"' "
     "SET '\"a\"', 5, '\"b\".\"x\"', 'y')", '{"a":5,"b":{"c":2,"x":"y"}}'),
]  # fmt: skip


@pytest.mark.parametrize(("page", "sql", "value"), EXAMPLES)
def test_its_page_says_so(primary: Any, page: str, sql: str, value: Any) -> None:
    assert primary.rows(f"SELECT {sql}") == [[value]], f"{_GUIDE}{page}.html"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (f"json_extract_path_text('{_BROKEN}','f4', 'f6')", "JSON parsing error"),
        ("json_array_length('[11,12,13')", "JSON parsing error"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_object_function.html
        ("object('k', '2008-12-31'::date)", "could not convert type date to super"),
    ],
)
def test_what_redshift_refuses(primary: Any, sql: str, said: str) -> None:
    assert said in primary.error(f"SELECT {sql}")


@pytest.fixture(scope="module")
def customers(primary: Any) -> str:
    """A small table like the guide's customer_orders_lineitem."""
    name = "customers_of_the_guide"
    orders = (
        '[{"o_orderkey":3020007,"o_orderstatus":"F","o_totalprice":100.5,"o_lines":[1,2]},'
        '{"o_orderkey":4043971,"o_orderstatus":"Good","o_totalprice":7,"o_lines":[]}]'
    )
    primary.run(
        f"DROP TABLE IF EXISTS {name}",
        f"CREATE TABLE {name} (id INT, c_name VARCHAR(20), c_orders SUPER)",
        f"INSERT INTO {name} VALUES (1, 'one', JSON_PARSE('{orders}')), (2, 'two', ARRAY()), "
        "(3, 'three', NULL)",
    )
    return name


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT c_orders[0].o_orderkey FROM {} WHERE id = 1", [["3020007"]]),
        ("SELECT cust.c_orders[0].o_orderkey FROM {} AS cust WHERE cust.id = 1", [["3020007"]]),
        ("SELECT count(*) FROM {} WHERE c_orders[0]. o_orderkey IS NOT NULL", [[1]]),
        ("SELECT c_orders[0].o_orderstatus, count(*) FROM {} GROUP BY c_orders[0].o_orderstatus "
         "ORDER BY c_orders[0].o_orderstatus", [['"F"', 1], [None, 2]]),
        ("SELECT id FROM {} WHERE c_orders[0].o_orderstatus = 'F'", [[1]]),
        ("SELECT id FROM {} WHERE c_orders[0].o_orderkey <= 'P'", []),
        ("SELECT c.c_orders.something, c.c_orders[1][1] FROM {} c WHERE id = 1", [[None, None]]),
        ("SELECT c.c_orders[1].o_orderstatus::integer FROM {} c WHERE id = 1", [[None]]),
        ("SELECT c.id, o.o_orderkey FROM {} c, c.c_orders o ORDER BY o.o_orderkey",
         [[1, "3020007"], [1, "4043971"]]),
        ("SELECT c.id, l FROM {} c, c.c_orders o, o.o_lines l ORDER BY l", [[1, "1"], [1, "2"]]),
        ("SELECT c_name, orders.o_orderkey AS orderkey, index AS orderkey_index FROM {} c, "
         "c.c_orders AS orders AT index ORDER BY orderkey_index",
         [["one", "3020007", 0], ["one", "4043971", 1]]),
        ("SELECT attr, json_typeof(val) FROM {} c, UNPIVOT c.c_orders[0] AS val AT attr "
         "WHERE id = 1 ORDER BY attr",
         [["o_lines", "array"], ["o_orderkey", "number"], ["o_orderstatus", "string"],
          ["o_totalprice", "number"]]),
        ("SELECT c.id, o.o_orderkey FROM {} c LEFT JOIN c.c_orders AS o ON TRUE ORDER BY 1, 2",
         [[1, "3020007"], [1, "4043971"], [2, None], [3, None]]),
        ("SELECT SUM(o.o_totalprice), SUM(o.o_totalprice + 1) FROM {} c, c.c_orders o",
         [["107.5", "109.5"]]),
        ("SELECT id FROM {} c WHERE EXISTS (SELECT 1 FROM c.c_orders o WHERE o.o_totalprice > 100)",
         [[1]]),
        ("SELECT a.id FROM {} a JOIN {} b ON a.c_orders[0].o_orderkey = b.c_orders[0].o_orderkey",
         [[1]]),
    ],
)  # fmt: skip
def test_paths_and_unnesting(primary: Any, customers: str, sql: str, rows: list[list[Any]]) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
    assert primary.rows(sql.format(customers, customers)) == rows


def test_an_array_of_several_levels(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
    primary.run(
        "DROP TABLE IF EXISTS foo_of_the_guide",
        "CREATE TABLE foo_of_the_guide AS "
        "SELECT json_parse('[[1.1, 1.2], [2.1, 2.2]]') AS multi_level_array",
    )
    assert primary.rows(
        "SELECT array, element FROM foo_of_the_guide AS f, f.multi_level_array AS array, "
        "array AS element"
    ) == [["[1.1,1.2]", "1.1"], ["[1.1,1.2]", "1.2"], ["[2.1,2.2]", "2.1"], ["[2.1,2.2]", "2.2"]]


def test_the_label_of_a_path_is_its_last_name(primary: Any, customers: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html
    said = primary.tell(f"SELECT c_orders[0].o_orderkey FROM {customers}")
    result = primary.api.get_statement_result(Id=said["Id"])
    assert result["ColumnMetadata"][0]["label"] == "o_orderkey"
    assert result["ColumnMetadata"][0]["typeName"] == "super"


def test_paths_in_what_changes_tables(primary: Any, customers: str, table: str) -> None:
    primary.run(
        f"CREATE TABLE {table} (id INT, status VARCHAR(10), doc SUPER)",
        f"INSERT INTO {table} SELECT c.id, o.o_orderstatus::VARCHAR, o FROM {customers} c, "
        "c.c_orders o WHERE o.o_orderkey = 3020007",
        f"UPDATE {table} SET status = doc.o_totalprice::VARCHAR "
        f"WHERE {table}.doc.o_orderstatus = 'F'",
    )
    assert primary.rows(f"SELECT id, status FROM {table}") == [[1, "100.5"]]
    primary.run(f"DELETE FROM {table} USING {customers} c WHERE {table}.id = c.id "
                f"AND {table}.doc.o_orderkey = c.c_orders[0].o_orderkey")  # fmt: skip
    assert primary.rows(f"SELECT COUNT(*) FROM {table}") == [[0]]


def test_attributes_in_upper_case_need_the_parameter(primary: Any) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html
    query = (
        'SELECT json_table.data."ITEMS"."Name", json_table.data."price" FROM '
        '(SELECT json_parse(\'{"ITEMS":{"Name":"TV"}, "price": 345}\') AS data) AS json_table'
    )
    said = primary.batch("SET enable_case_sensitive_identifier TO TRUE", query)
    assert primary.result(f"{said['Id']}:2") == [['"TV"', "345"]]
    assert primary.rows(query) == [[None, "345"]]
