"""Calls that name a date part: https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html"""

from __future__ import annotations

from localaws.redshift.errors import NotSupported
from localaws.redshift.expressions.arguments import Arguments, exactly
from localaws.redshift.expressions.date_parts import date_part, distance
from localaws.redshift.expressions.terms import Term


def _dateadd(arguments: Arguments) -> Term:
    unit = distance(arguments.unit())
    arguments.cursor.expect_symbol(",")
    count, moment = exactly("dateadd", arguments.all(), 2)
    sql = f"redshift_dateadd('{unit}'::text, ({count})::bigint, {moment})"
    return Term(sql, "date_add", "redshift_dateadd")


def _datediff(arguments: Arguments) -> Term:
    unit = distance(arguments.unit())
    arguments.cursor.expect_symbol(",")
    start, end = exactly("datediff", arguments.all(), 2)
    sql = f"redshift_datediff('{unit}', redshift_moment({start}), redshift_moment({end}))"
    return Term(sql, "date_diff", "redshift_datediff")


def _date_part(arguments: Arguments) -> Term:
    unit = date_part(arguments.unit())
    arguments.cursor.expect_symbol(",")
    (moment,) = exactly("date_part", arguments.all(), 1)
    sql = f"redshift_date_part('{unit}'::text, {moment})"
    return Term(sql, "pgdate_part", "redshift_date_part")


def _extract(arguments: Arguments) -> Term:
    unit = date_part(arguments.unit())
    arguments.cursor.expect_words("from")
    moment = arguments.next().sql
    arguments.cursor.expect_end()
    return Term(f"redshift_extract('{unit}'::text, {moment})", "date_part", "redshift_extract")


def _date_trunc(arguments: Arguments) -> Term:
    if arguments.cursor.peek().kind != "string":
        raise NotSupported("DATE_TRUNC with a date part that is not a literal")
    unit = distance(arguments.unit())
    arguments.cursor.expect_symbol(",")
    (moment,) = exactly("date_trunc", arguments.all(), 1)
    sql = f"redshift_date_trunc('{unit}'::text, {moment})"
    return Term(sql, "date_trunc", "redshift_date_trunc")


def _convert_timezone(arguments: Arguments) -> Term:
    given = arguments.all()
    if len(given) == 2:
        given.insert(0, "'UTC'")
    source, target, moment = exactly("convert_timezone", given, 3)
    sql = f"redshift_convert_timezone({source}, {target}, redshift_moment({moment}))"
    return Term(sql, "convert_timezone", "redshift_convert_timezone")


CALLS = {
    "convert_timezone": _convert_timezone,
    "date_part": _date_part,
    "date_trunc": _date_trunc,
    "dateadd": _dateadd,
    "datediff": _datediff,
    "extract": _extract,
}
