"""Numbers, conditions, aggregates and windows, by the examples of their pages."""

from typing import Any

import pytest

_GUIDE = "https://docs.aws.amazon.com/redshift/latest/dg/"

EXAMPLES = [
    ("r_ABS", "abs(14-76)", 62),
    ("r_CEILING_FLOOR", "ceiling(28.05)", "29"),
    ("r_FLOOR", "floor(28.05)", "28"),
    ("r_COT", "cot(1)", pytest.approx(0.642092615934331)),
    ("r_DEXP", "dexp(0)", 1.0),
    ("r_DLOG1", "dlog1(1)", 0.0),
    ("r_DLOG10", "dlog10(100)", 2.0),
    ("r_LN", "ln(1)", 0.0),
    ("r_LOG", "log(100)", 2.0),
    ("r_MOD", "MOD(10, 4)", 2),
    ("r_MOD", "MOD(10.5, 4)", "2.5"),
    ("r_MOD", "11 % 4", 3),
    ("r_POWER", "power(2, 3)", 8.0),
    ("r_POWER", "pow(2.5, 2)", 6.25),
    ("r_SQRT", "sqrt(16)", 4.0),
    ("r_ROUND", "round(28.05)", "28"),
    ("r_ROUND", "round(28.05, 1)", "28.1"),
    ("r_ROUND", "round(2)", 2),
    ("r_ROUND", "round(2.567::float8, 1)", 2.6),
    ("r_TRUNC", "trunc(111.86)", "111"),
    ("r_TRUNC", "trunc(111.86, 1)", "111.8"),
    ("r_SIGN", "sign(-4.25)", "-1"),
    ("r_numeric_computations201", "10 / 4", 2),
    ("r_DECODE_expression", "decode(2, 1, 'a', 2, 'b', 'c')", "b"),
    ("r_DECODE_expression", "decode(NULL, NULL, 'null', 'other')", "null"),
    ("r_DECODE_expression", "decode(3, 1, 'a')", None),
    ("r_GREATEST_LEAST", "greatest(1, NULL, 3)", 3),
    ("r_GREATEST_LEAST", "least('b', 'a')", "a"),
    ("r_NULLIF_function", "nullif('a', 'a')", None),
    ("r_NVL_function", "nvl(NULL, 5)", 5),
    ("r_NVL2", "nvl2(NULL, 'filled', 'empty')", "empty"),
    ("r_VERSION", "version() LIKE '%Redshift 1.%'", True),
]


@pytest.mark.parametrize(("page", "sql", "value"), EXAMPLES)
def test_its_page_says_so(primary: Any, page: str, sql: str, value: Any) -> None:
    assert primary.rows(f"SELECT {sql}") == [[value]], f"{_GUIDE}{page}.html"


@pytest.fixture(scope="module")
def sales(primary: Any) -> str:
    """The WINSALES table of the guide's window functions.

    https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html
    """
    name = "winsales_of_the_guide"
    rows = (
        "(30001,'2003-08-02',3,'b',10,10), (10001,'2003-12-24',1,'c',10,10), "
        "(10005,'2003-12-24',1,'a',30,NULL), (40001,'2004-01-09',4,'a',40,NULL), "
        "(10006,'2004-01-18',1,'c',10,NULL), (20001,'2004-02-12',2,'b',20,20), "
        "(40005,'2004-02-12',4,'a',10,10), (20002,'2004-02-16',2,'c',20,20), "
        "(30003,'2004-04-18',3,'b',15,NULL), (30004,'2004-04-18',3,'b',20,NULL), "
        "(30007,'2004-09-07',3,'c',30,NULL)"
    )
    primary.run(
        f"DROP TABLE IF EXISTS {name}",
        f"CREATE TABLE {name} (salesid INT, dateid DATE, sellerid INT, buyerid CHAR(10), qty INT, "
        "qty_shipped INT)",
        f"INSERT INTO {name} VALUES {rows}",
    )
    return name


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html : whole for whole numbers
        ("SELECT AVG(qty), AVG(qty::DECIMAL(8,2)), AVG(qty::FLOAT) FROM {}",
         [[19, "19.55", pytest.approx(19.5454545454)]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_COUNT.html
        ("SELECT COUNT(*), COUNT(qty_shipped), COUNT(DISTINCT sellerid), "
         "APPROXIMATE COUNT(DISTINCT sellerid) FROM {}", [[11, 5, 4, 4]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html
        ("SELECT LISTAGG(sellerid) WITHIN GROUP (ORDER BY dateid, salesid) FROM {}",
         [["31141242333"]]),
        ("SELECT LISTAGG(dateid, '|') WITHIN GROUP (ORDER BY sellerid DESC, salesid ASC) FROM {} "
         "WHERE buyerid = 'b'", [["2003-08-02|2004-04-18|2004-04-18|2004-02-12"]]),
        ("SELECT buyerid, LISTAGG(salesid, ',') WITHIN GROUP (ORDER BY salesid) AS sales_id "
         "FROM {} GROUP BY buyerid ORDER BY buyerid LIMIT 1",
         [["a         ", "10005,40001,40005"]]),
        ("SELECT LISTAGG(DISTINCT sellerid, ', ') WITHIN GROUP (ORDER BY sellerid) FROM {}",
         [["1, 2, 3, 4"]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LISTAGG.html
        ("SELECT DISTINCT LISTAGG(salesid, ',') WITHIN GROUP (ORDER BY salesid) "
         "OVER (PARTITION BY buyerid) FROM {} ORDER BY 1 LIMIT 1",
         [["10001,10006,20002,30007"]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_MEDIAN.html
        ("SELECT sellerid, qty, MEDIAN(qty) OVER (PARTITION BY sellerid) FROM {} "
         "WHERE sellerid = 2 OR sellerid = 4 ORDER BY 1, 2",
         [[2, 20, 20.0], [2, 20, 20.0], [4, 10, 25.0], [4, 40, 25.0]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_PERCENTILE_CONT.html
        ("SELECT sellerid, qty, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY qty) "
         "OVER (PARTITION BY sellerid) FROM {} WHERE sellerid = 1 ORDER BY 2",
         [[1, 10, 10.0], [1, 10, 10.0], [1, 30, 10.0]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_PERCENTILE_DISC.html
        ("SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY qty), "
         "APPROXIMATE PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY qty) FROM {} "
         "WHERE sellerid = 3", [[15, 15]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LAG.html
        ("SELECT buyerid, dateid, qty, LAG(qty, 1) OVER (ORDER BY buyerid, dateid) FROM {} "
         "WHERE buyerid = 'c' ORDER BY buyerid, dateid",
         [["c         ", "2003-12-24", 10, None], ["c         ", "2004-01-18", 10, 10],
          ["c         ", "2004-02-16", 20, 10], ["c         ", "2004-09-07", 30, 20]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LEAD.html (IGNORE NULLS)
        ("SELECT salesid, LAG(qty_shipped) IGNORE NULLS OVER (ORDER BY salesid), "
         "LEAD(qty_shipped) IGNORE NULLS OVER (ORDER BY salesid) FROM {} WHERE sellerid IN (1, 2) "
         "ORDER BY 1",
         [[10001, None, 20], [10005, 10, 20], [10006, 10, 20], [20001, 10, 20], [20002, 20, None]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_first_value.html
        ("SELECT DISTINCT FIRST_VALUE(qty_shipped IGNORE NULLS) OVER (ORDER BY salesid DESC ROWS "
         "BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), "
         "LAST_VALUE(qty_shipped IGNORE NULLS) OVER (ORDER BY salesid DESC ROWS "
         "BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) "
         "FROM {}", [[10, 10]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_NTH.html
        ("SELECT DISTINCT NTH_VALUE(qty_shipped, 2) IGNORE NULLS OVER (ORDER BY salesid ROWS "
         "BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM {}", [[20]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_RATIO_TO_REPORT.html
        ("SELECT salesid, RATIO_TO_REPORT(qty) OVER (PARTITION BY sellerid) FROM {} "
         "WHERE sellerid = 4 ORDER BY salesid", [[40001, 0.8], [40005, 0.2]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_SUM.html
        ("SELECT salesid, SUM(qty) OVER (ORDER BY dateid, salesid ROWS UNBOUNDED PRECEDING) AS sum "
         "FROM {} ORDER BY dateid, salesid LIMIT 3", [[30001, 10], [10001, 20], [10005, 50]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_RANK.html
        ("SELECT salesid, RANK() OVER (ORDER BY qty), DENSE_RANK() OVER (ORDER BY qty), "
         "NTILE(2) OVER (ORDER BY qty, salesid) FROM {} WHERE sellerid = 3 ORDER BY 1",
         [[30001, 1, 1, 1], [30003, 2, 2, 1], [30004, 3, 3, 2], [30007, 4, 4, 2]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_STDDEV_functions.html : DOUBLE PRECISION
        ("SELECT STDDEV_POP(qty), VARIANCE(sellerid) FROM {} WHERE sellerid = 4", [[15.0, 0.0]]),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_BOOL_AND.html
        ("SELECT BOOL_AND(qty > 5), BOOL_OR(qty > 50), BIT_OR(sellerid), ANY_VALUE(1) FROM {}",
         [[True, False, 7, 1]]),
    ],
)  # fmt: skip
def test_aggregates_and_windows(primary: Any, sales: str, sql: str, rows: list[list[Any]]) -> None:
    assert primary.rows(sql.format(sales)) == rows


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        # https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
        (
            "SELECT SUM(qty) OVER (ORDER BY dateid) FROM {}",
            "Aggregate window functions with an ORDER BY clause require a frame clause",
        ),
        ("SELECT SUM(qty) OVER (ORDER BY qty RANGE UNBOUNDED PRECEDING) FROM {}", '"range"'),
        ("SELECT SUM(qty) FILTER (WHERE qty > 1) FROM {}", "FILTER"),
        ("SELECT STRING_AGG(buyerid, ',') FROM {}", "the function STRING_AGG"),
        ("SELECT SUM(qty) OVER w FROM {}", "syntax error"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html : 64 KB
        (
            "SELECT LISTAGG(REPEAT('x', 7000)) FROM {}",
            "Result size exceeds LISTAGG limit",
        ),
    ],
)
def test_what_redshift_refuses(primary: Any, sales: str, sql: str, said: str) -> None:
    assert said in primary.error(sql.format(sales))
