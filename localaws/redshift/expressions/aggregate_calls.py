"""Calls of aggregates with a form of their own: COUNT(*), LISTAGG, WITHIN GROUP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from localaws.redshift.errors import NotSupported
from localaws.redshift.expressions.arguments import Arguments, exactly
from localaws.redshift.expressions.terms import Term
from localaws.redshift.expressions.windows import over
from localaws.redshift.sql.cursor import Cursor

if TYPE_CHECKING:
    from localaws.redshift.expressions.rewriting import Reader


def _count_rows(arguments: Arguments) -> Term:
    if arguments.cursor.skip_symbol("*"):
        arguments.cursor.expect_end()
        given = "*"
    else:
        (given,) = exactly("count", arguments.all(), 1)
    sql = f"count({arguments.quantifier}{given}){over(arguments.reader, needs_frame=True)}"
    return Term(sql, "count", "count")


def _listagg(arguments: Arguments) -> Term:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html and r_WF_LISTAGG.html
    value = f"({arguments.next().sql})::varchar"
    separator = arguments.next().sql if arguments.more() else "''"
    arguments.cursor.expect_end()
    order = _within_group(arguments.reader)
    if arguments.quantifier and order:
        if order.removesuffix(" desc").removesuffix(" asc") not in (
            value,
            value[1 : -len(")::varchar")],
        ):
            raise NotSupported("LISTAGG(DISTINCT …) ordered by anything but its own values")
        order = value + (" desc" if order.endswith(" desc") else "")
    window = _partition_only(arguments.reader, order)
    inside = f"{arguments.quantifier}{value}, {separator}"
    if window:
        sql = f"string_agg({inside}) {window}"
    else:
        sql = f"string_agg({inside}{f' order by {order}' if order else ''})"
    return Term(f"redshift_listagg({sql})", "listagg", "redshift_listagg")


def _median(arguments: Arguments) -> Term:
    (value,) = exactly("median", arguments.all(), 1)
    gathered = f"array_agg({arguments.quantifier}{value}){over(arguments.reader)}"
    return Term(f"redshift_percentile_cont({gathered}, 0.5)", "median", "redshift_percentile_cont")


def _percentile(name: str) -> Callable[[Arguments], Term]:
    def write(arguments: Arguments) -> Term:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_PERCENTILE_CONT.html
        (share,) = exactly(name, arguments.all(), 1)
        order = _within_group(arguments.reader)
        if not order:
            raise arguments.reader.cursor.error()
        descending = order.endswith(" desc")
        value = order.removesuffix(" desc").removesuffix(" asc")
        gathered = f"array_agg({value}){over(arguments.reader)}"
        share = f"1 - ({share})" if descending and name == "percentile_cont" else share
        more = f", {str(descending).lower()}" if name == "percentile_disc" else ""
        engine = f"redshift_{name}"
        return Term(f"{engine}({gathered}, ({share})::double precision{more})", name, engine)

    return write


def _within_group(reader: Reader) -> str:
    """Read WITHIN GROUP (ORDER BY …) if it comes next; return what it orders by."""
    cursor = reader.cursor
    if not cursor.skip_words("within", "group"):
        return ""
    inside = Cursor(reader.parenthesis())
    inside.expect_words("order", "by")
    return reader.nested(inside.rest())


def _partition_only(reader: Reader, order: str) -> str:
    """Read an OVER that only partitions, and let its frame be the whole partition in order."""
    cursor = reader.cursor
    if not (cursor.peek().is_word("over") and cursor.peek(1).is_symbol("(")):
        return ""
    cursor.take()
    partition = reader.nested(reader.parenthesis())
    order = f" order by {order}" if order else ""
    return f"over ({partition}{order} rows between unbounded preceding and unbounded following)"


CALLS = {
    "count": _count_rows,
    "listagg": _listagg,
    "median": _median,
    "percentile_cont": _percentile("percentile_cont"),
    "percentile_disc": _percentile("percentile_disc"),
}
