"""Date functions, by the examples of their pages: an error of one day here is one in production."""

from typing import Any

import pytest

_GUIDE = "https://docs.aws.amazon.com/redshift/latest/dg/"

EXAMPLES = [
    ("r_ADD_MONTHS", "add_months('2008-03-31',1)", "2008-04-30 00:00:00"),
    ("r_ADD_MONTHS", "add_months('2008-04-30',1)", "2008-05-31 00:00:00"),
    (
        "r_AT_TIME_ZONE",
        "TIMESTAMP WITH TIME ZONE '2001-02-16 20:38:40-05' AT TIME ZONE 'MST'",
        "2001-02-16 18:38:40",
    ),
    (
        "CONVERT_TIMEZONE",
        "convert_timezone('EST', 'PST', '20080305 12:25:29')",
        "2008-03-05 09:25:29",
    ),
    (
        "CONVERT_TIMEZONE",
        "convert_timezone('America/New_York', '2013-06-01 08:00:00')",
        "2013-06-01 04:00:00",
    ),
    (
        "CONVERT_TIMEZONE",
        "CONVERT_TIMEZONE('GMT','GMT+2','2014-05-17 12:00:00')",
        "2014-05-17 10:00:00",
    ),
    ("r_DATE_CMP", "date_cmp('2008-01-04', '2008-01-02')", 1),
    ("r_DATE_PART_YEAR", "DATE_PART_YEAR(date '20220502 04:05:06.789')", 2022),
    ("r_DATEADD_function", "dateadd(month,18,'2008-02-28')", "2009-08-28 00:00:00"),
    ("r_DATEADD_function", "dateadd(m,30,'2008-02-28')", "2008-02-28 00:30:00"),
    ("r_DATEADD_function", "dateadd(hour, 8, time '13:24:55')", "21:24:55"),
    ("r_DATEADD_function", "dateadd('month',1,'2008-01-31')", "2008-02-29 00:00:00"),
    ("r_DATEDIFF_function", "datediff(week,'2009-01-01','2009-12-31')", 52),
    ("r_DATEDIFF_function", "datediff(hour, '2023-01-01', '2023-01-03 05:04:03')", 53),
    ("r_DATEDIFF_function", "datediff(qtr, '1998-07-01', date '2008-07-01')", 40),
    # "this function returns 1 year despite the fact that these dates are only one day apart"
    ("r_DATEDIFF_function", "datediff(year, '2008-12-31', '2009-01-01')", 1),
    (
        "r_DATE_PART_function",
        "DATE_PART(minute, timestamp '20230104 04:05:06.789')",
        5.0,
    ),
    (
        "r_DATE_PART_function",
        "DATE_PART(dayofweek, timestamp '20220502 04:05:06.789')",
        1.0,
    ),
    (
        "r_DATE_PART_function",
        "DATE_PART(century, timestamp '20220502 04:05:06.789')",
        21.0,
    ),
    (
        "r_Dateparts_for_datetime_functions",
        "date_part(sec, timestamp '2009-09-21 11:10:03.189717')",
        3.189717,
    ),
    (
        "r_Dateparts_for_datetime_functions",
        "extract(sec from timestamp '2009-09-21 11:10:03.189717')",
        3,
    ),
    (
        "r_Dateparts_for_datetime_functions",
        "extract(decade from timestamp '1999-02-16 20:38:40')",
        200,
    ),
    (
        "r_Dateparts_for_datetime_functions",
        "extract(mil from timestamp '2001-12-16 12:21:13')",
        3,
    ),
    ("r_EXTRACT_function", "extract(ms from timestamp '2009-09-09 12:08:43.101')", 101),
    (
        "r_EXTRACT_function",
        "extract(year from timestamptz '1.12.1997 07:37:16.00 PST')",
        1997.0,
    ),
    (
        "r_DATE_TRUNC",
        "DATE_TRUNC('month', TIMESTAMP '20200430 04:05:06.789')",
        "2020-04-01 00:00:00",
    ),
    ("r_DATE_TRUNC", "DATE_TRUNC('week', date '2022-05-05')", "2022-05-02 00:00:00"),
    ("r_INTERVAL_CMP", "interval_cmp('3 days','1 year')", -1),
    ("r_LAST_DAY", "last_day('2014-01-15')", "2014-01-31"),
    ("r_MONTHS_BETWEEN_function", "months_between('1969-01-18', '1969-03-18')", -2.0),
    ("r_MONTHS_BETWEEN_function", "months_between('2014-09-30', '2014-08-31')", 1.0),
    ("r_NEXT_DAY", "next_day('2014-08-20','Tuesday')", "2014-08-26"),
    ("r_TO_DATE_function", "to_date('02 Oct 2001', 'DD Mon YYYY')", "2001-10-02"),
    ("r_TO_CHAR", "to_char(timestamp '2022-05-16 23:15:59', 'ID')", "1"),
    (
        "r_TO_CHAR",
        "to_char(timestamp '2009-12-31 23:15:59','HH24:MI:SS')",
        "23:15:59",
    ),
    ("r_TO_TIMESTAMP", "TO_TIMESTAMP('2017','YYYY')", "2017-01-01 00:00:00+00"),
    ("r_TO_NUMBER", "to_number('12,454.8-', '99G999D9S')", "-12454.8"),
    ("r_TRUNC_date", "trunc(timestamp '2011-07-21 10:32:38.248109')", "2011-07-21"),
    ("r_CONVERT_function", "CONVERT(datetime, '2008-02-18 02:36:48')",
     "2008-02-18 02:36:48"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "sql", "value"), EXAMPLES)
def test_its_page_says_so(primary: Any, page: str, sql: str, value: Any) -> None:
    assert primary.rows(f"SELECT {sql}") == [[value]], f"{_GUIDE}{page}.html"


@pytest.mark.parametrize(
    ("sql", "label"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html and so on
        ("dateadd(month,18,'2008-02-28')", "date_add"),
        ("datediff(hour, '2023-01-01', '2023-01-03')", "date_diff"),
        ("date_part(day, timestamp '2022-05-02')", "pgdate_part"),
        ("extract(day from timestamp '2022-05-02')", "date_part"),
        ("current_date", "date"),
        ("sysdate", "timestamp"),
        ("cast(2008 as char(4))", "bpchar"),
        ("decode(1, 1, 2)", "case"),
    ],
)
def test_a_column_without_a_name_has_the_label_of_the_guide(
    primary: Any, sql: str, label: str
) -> None:
    said = primary.tell(f"SELECT {sql}")
    result = primary.api.get_statement_result(Id=said["Id"])
    assert result["ColumnMetadata"][0]["label"] == label


def test_columns_of_every_kind_are_moments(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html : a date becomes a
    # timestamp; what is text is converted
    primary.run(
        f"CREATE TABLE {table} (d DATE, t TIMESTAMP, z TIMESTAMPTZ, v VARCHAR(30), h TIME)",
        f"INSERT INTO {table} VALUES ('2008-01-31', '2008-01-31 10:00:00', "
        "'2008-01-31 10:00:00+00', '2008-01-31', '10:00:00')",
    )
    assert primary.rows(
        "SELECT DATEADD(month, 1, d), DATEADD(month, 1, t), DATEADD(month, 1, v), "
        f"DATEADD(minute, 5, h) FROM {table}"
    ) == [["2008-02-29 00:00:00", "2008-02-29 10:00:00", "2008-02-29 00:00:00", "10:05:00"]]
    assert primary.rows(
        "SELECT DATEDIFF(hour, d, t), DATEDIFF(hour, v, z), DATEDIFF(day, d, '2008-02-01'), "
        f"DATE_TRUNC('month', d), LAST_DAY(t), TRUNC(t), EXTRACT(hour FROM h) FROM {table}"
    ) == [[10, 10, 1, "2008-01-01 00:00:00", "2008-01-31", "2008-01-31", 10]]


@pytest.mark.parametrize(
    "sql",
    [
        "DATEADD(fortnight, 1, '2008-01-01')",
        "DATEDIFF(dow, '2008-01-01', '2008-01-02')",
        "DATE_TRUNC('xyz', timestamp '2008-01-01')",
    ],
)
def test_an_unknown_date_part_is_refused(primary: Any, sql: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
    assert "timestamp units" in primary.error(f"SELECT {sql}")


def test_functions_of_the_leader_node_do_not_run_on_tables(primary: Any, table: str) -> None:
    # https://docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html
    primary.run(f"CREATE TABLE {table} (id INT)", "SELECT NOW()")
    said = primary.error(f"SELECT NOW() FROM {table}")
    assert "Specified types or functions (one per INFO message) not supported on" in said
