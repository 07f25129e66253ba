"""Write the calls of functions: their names, arguments, WITHIN GROUP, IGNORE NULLS and OVER."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from localaws.redshift import casts
from localaws.redshift.column_types import parse_type
from localaws.redshift.cursor import Cursor
from localaws.redshift.date_parts import date_part, distance
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.functions import FUNCTIONS, Function
from localaws.redshift.lexer import Token
from localaws.redshift.terms import Term

if TYPE_CHECKING:
    from localaws.redshift.expressions import Reader

_LEADER_ONLY = (
    "ERROR: Specified types or functions (one per INFO message) not supported on Redshift tables."
)


def call(reader: Reader, name: Token) -> Term:
    """Read and write the call whose `(` comes next. Raises NotSupported for unknown functions."""
    function = FUNCTIONS.get(name.text)
    if function is None:
        raise NotSupported(f"the function {name.text.upper()}")
    if function.leader and reader.scope.reads_tables:
        # https://docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html
        raise StatementError(_LEADER_ONLY)
    special = _SPECIAL.get(name.text)
    if special is not None:
        return special(reader, Arguments(reader))
    arguments = Arguments(reader)
    given = arguments.all(doubles=function.doubles)
    _count(name.text, function, len(given))
    engine = function.engine or name.text
    sql = f"{engine}({arguments.quantifier}{', '.join(given)})"
    if function.shape != "plain":
        sql += over(reader, needs_frame=function.shape == "aggregate")
    return Term(sql, function.label or name.text, engine)


class Arguments:
    """What stands between the parentheses of one call."""

    def __init__(self, reader: Reader) -> None:
        self._make = reader.within
        self.cursor = Cursor(reader.parenthesis())
        self.quantifier = ""
        if self.cursor.skip_words("distinct"):
            self.quantifier = "distinct "
        else:
            self.cursor.skip_words("all")

    def next(self, *stops: str) -> Term:
        """Read one argument, up to a comma or one of these words."""
        inside = self._make(self.cursor)
        sql = inside.run(",", *stops)
        if not sql:
            raise self.cursor.error()
        alone = inside.only_term
        return alone or Term(f"({sql})")

    def more(self) -> bool:
        """Step over a comma if it comes next."""
        return self.cursor.skip_symbol(",")

    def all(self, *, doubles: bool = False) -> list[str]:
        """Read all arguments that are left."""
        given: list[str] = []
        if self.cursor.done:
            return given
        while True:
            sql = self.next().sql
            given.append(f"{sql}::double precision" if doubles else sql)
            if not self.more():
                self.cursor.expect_end()
                return given

    def unit(self) -> str:
        """Read the name of a date part, bare or quoted."""
        token = self.cursor.take()
        if token.kind not in ("word", "name", "string"):
            self.cursor.position -= 1
            raise self.cursor.error()
        return token.text


def over(reader: Reader, *, needs_frame: bool = False, required: bool = False) -> str:
    """Read OVER (…) if it comes next, and write it."""
    cursor = reader.cursor
    if not (cursor.peek().is_word("over") and cursor.peek(1).is_symbol("(")):
        if required:
            raise cursor.error()
        return ""
    cursor.take()
    inside = reader.parenthesis()
    _check_window(inside, needs_frame=needs_frame)
    return f" over ({reader.nested(inside)})"


def _check_window(tokens: Sequence[Token], *, needs_frame: bool) -> None:
    depth, words = 0, set()
    for token in tokens:
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.kind == "word":
            words.add(token.text)
    for refused in ("range", "groups", "exclude"):
        if refused in words:
            # ROWS only: https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
            raise StatementError(f'ERROR: syntax error at or near "{refused}"')
    if needs_frame and "order" in words and "rows" not in words:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
        raise StatementError(
            "ERROR: Aggregate window functions with an ORDER BY clause require a frame clause"
        )


def _count(name: str, function: Function, given: int) -> None:
    if given < function.least or (function.most is not None and given > function.most):
        # Wording unsourced; PostgreSQL's begins so.
        raise StatementError(f"ERROR: function {name} with {given} arguments does not exist")


def _cast(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    term = arguments.next("as")
    arguments.cursor.expect_words("as")
    wanted = parse_type(arguments.cursor)
    arguments.cursor.expect_end()
    return casts.cast(term, wanted)


def _try_cast(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    term = arguments.next("as")
    arguments.cursor.expect_words("as")
    wanted = parse_type(arguments.cursor)
    arguments.cursor.expect_end()
    return casts.try_cast(term, wanted)


def _convert(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    wanted = parse_type(arguments.cursor)
    arguments.cursor.expect_symbol(",")
    term = arguments.next()
    arguments.cursor.expect_end()
    return casts.cast(term, wanted)


def _dateadd(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    unit = distance(arguments.unit())
    arguments.cursor.expect_symbol(",")
    count, moment = _exactly("dateadd", arguments.all(), 2)
    sql = f"redshift_dateadd('{unit}'::text, ({count})::bigint, {moment})"
    return Term(sql, "date_add", "redshift_dateadd")


def _datediff(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    unit = distance(arguments.unit())
    arguments.cursor.expect_symbol(",")
    start, end = _exactly("datediff", arguments.all(), 2)
    sql = f"redshift_datediff('{unit}', redshift_moment({start}), redshift_moment({end}))"
    return Term(sql, "date_diff", "redshift_datediff")


def _date_part(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    unit = date_part(arguments.unit())
    arguments.cursor.expect_symbol(",")
    (moment,) = _exactly("date_part", arguments.all(), 1)
    sql = f"redshift_date_part('{unit}'::text, {moment})"
    return Term(sql, "pgdate_part", "redshift_date_part")


def _extract(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    unit = date_part(arguments.unit())
    arguments.cursor.expect_words("from")
    moment = arguments.next().sql
    arguments.cursor.expect_end()
    return Term(f"redshift_extract('{unit}'::text, {moment})", "date_part", "redshift_extract")


def _date_trunc(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    if arguments.cursor.peek().kind != "string":
        raise NotSupported("DATE_TRUNC with a date part that is not a literal")
    unit = distance(arguments.unit())
    arguments.cursor.expect_symbol(",")
    (moment,) = _exactly("date_trunc", arguments.all(), 1)
    sql = f"redshift_date_trunc('{unit}'::text, {moment})"
    return Term(sql, "date_trunc", "redshift_date_trunc")


def _convert_timezone(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    given = arguments.all()
    if len(given) == 2:
        given.insert(0, "'UTC'")
    source, target, moment = _exactly("convert_timezone", given, 3)
    sql = f"redshift_convert_timezone({source}, {target}, redshift_moment({moment}))"
    return Term(sql, "convert_timezone", "redshift_convert_timezone")


def _trim(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    cursor = arguments.cursor
    side = cursor.take().text if cursor.peek().is_word("both", "leading", "trailing") else "both"
    engine = {"both": "btrim", "leading": "ltrim", "trailing": "rtrim"}[side]
    first = "" if cursor.peek().is_word("from") else arguments.next("from").sql
    if cursor.skip_words("from"):
        text = arguments.next().sql
        given = f"{text}, {first}" if first else text
    else:
        given = first
        while arguments.more():
            given += f", {arguments.next().sql}"
    cursor.expect_end()
    return Term(f"{engine}({given})", engine, engine)


def _position(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    part = arguments.next("in").sql
    arguments.cursor.expect_words("in")
    text = arguments.next().sql
    arguments.cursor.expect_end()
    return Term(f"strpos({text}, {part})", "position", "strpos")


def _substring(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    given = [arguments.next("from", "for").sql]
    cursor = arguments.cursor
    if cursor.skip_words("from"):
        given.append(arguments.next("for").sql)
        if cursor.skip_words("for"):
            given.append(arguments.next().sql)
    while arguments.more():
        given.append(arguments.next().sql)
    cursor.expect_end()
    if not 2 <= len(given) <= 3:
        raise cursor.error()
    # Between commas a text would be a pattern to the engine.
    sql = f"substr({', '.join([given[0], *(f'({each})::integer' for each in given[1:])])})"
    return Term(sql, "substring", "substr")


def _nvl2(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    tested, filled, empty = _exactly("nvl2", arguments.all(), 3)
    sql = f"case when {tested} is not null then {filled} else {empty} end"
    return Term(f"({sql})", "nvl2", "case")


def _decode(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    # NULL finds NULL: https://docs.aws.amazon.com/redshift/latest/dg/r_DECODE_expression.html
    tested, *rest = arguments.all() or [""]
    if len(rest) < 2:
        raise StatementError(
            f"ERROR: function decode with {len(rest) + 1} arguments does not exist"
        )
    default = rest.pop() if len(rest) % 2 else "null"
    pairs = " ".join(
        f"when {tested} is not distinct from {search} then {result}"
        for search, result in zip(rest[::2], rest[1::2], strict=True)
    )
    return Term(f"(case {pairs} else {default} end)", "case", "case")


def _exists(reader: Reader, arguments: Arguments) -> Term:
    query = reader.nested(arguments.cursor.rest())
    return Term(f"exists ({query})", "exists", "exists")


def _grouping(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    return Term(f"grouping({', '.join(arguments.all())})", "grouping", "grouping")


def _json_path(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    cursor = arguments.cursor
    document = arguments.next().sql
    steps: list[str] = []
    nullify = "false"
    while arguments.more():
        if cursor.peek().is_word("true", "false") and not cursor.peek(1).text:
            nullify = cursor.take().text
            break
        steps.append(f"({arguments.next().sql})::text")
    cursor.expect_end()
    if not 1 <= len(steps) <= 5:
        # One to five: https://docs.aws.amazon.com/redshift/latest/dg/JSON_EXTRACT_PATH_TEXT.html
        raise StatementError(
            f"ERROR: function json_extract_path_text with {len(steps)} path elements does not exist"
        )
    sql = f"redshift_json_path({document}, {nullify}, {', '.join(steps)})"
    return Term(sql, "json_extract_path_text", "redshift_json_path")


def _array(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    parts = ", ".join(f"super_part({each})::jsonb" for each in arguments.all())
    return Term(f"super_array({parts})", "array", "super_array")


def _object(reader: Reader, arguments: Arguments) -> Term:  # noqa: ARG001
    given = arguments.all()
    if len(given) % 2:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_object_function.html ; wording unsourced
        raise StatementError("ERROR: OBJECT needs a value for every key")
    parts = ", ".join(
        f"({key})::text, super_part({value})::jsonb"
        for key, value in zip(given[::2], given[1::2], strict=True)
    )
    return Term(f"super_object({parts})", "object", "super_object")


def _count_rows(reader: Reader, arguments: Arguments) -> Term:
    if arguments.cursor.skip_symbol("*"):
        arguments.cursor.expect_end()
        given = "*"
    else:
        (given,) = _exactly("count", arguments.all(), 1)
    sql = f"count({arguments.quantifier}{given}){over(reader, needs_frame=True)}"
    return Term(sql, "count", "count")


def _listagg(reader: Reader, arguments: Arguments) -> Term:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html and r_WF_LISTAGG.html
    value = f"({arguments.next().sql})::varchar"
    separator = arguments.next().sql if arguments.more() else "''"
    arguments.cursor.expect_end()
    order = _within_group(reader)
    if arguments.quantifier and order:
        if order.removesuffix(" desc").removesuffix(" asc") not in (
            value,
            value[1 : -len(")::varchar")],
        ):
            raise NotSupported("LISTAGG(DISTINCT …) ordered by anything but its own values")
        order = value + (" desc" if order.endswith(" desc") else "")
    window = _partition_only(reader, order)
    inside = f"{arguments.quantifier}{value}, {separator}"
    if window:
        sql = f"string_agg({inside}) {window}"
    else:
        sql = f"string_agg({inside}{f' order by {order}' if order else ''})"
    return Term(f"redshift_listagg({sql})", "listagg", "redshift_listagg")


def _median(reader: Reader, arguments: Arguments) -> Term:
    (value,) = _exactly("median", arguments.all(), 1)
    gathered = f"array_agg({arguments.quantifier}{value}){over(reader)}"
    return Term(f"redshift_percentile_cont({gathered}, 0.5)", "median", "redshift_percentile_cont")


def _percentile(name: str) -> Callable[[Reader, Arguments], Term]:
    def write(reader: Reader, arguments: Arguments) -> Term:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_PERCENTILE_CONT.html
        (share,) = _exactly(name, arguments.all(), 1)
        order = _within_group(reader)
        if not order:
            raise reader.cursor.error()
        descending = order.endswith(" desc")
        value = order.removesuffix(" desc").removesuffix(" asc")
        gathered = f"array_agg({value}){over(reader)}"
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


def _nulls(reader: Reader, arguments: Arguments) -> bool:
    """Read IGNORE NULLS or RESPECT NULLS, inside or behind the parentheses."""
    for cursor in (arguments.cursor, reader.cursor):
        if cursor.skip_words("ignore", "nulls"):
            return True
        if cursor.skip_words("respect", "nulls"):
            return False
    return False


def _edge_value(name: str) -> Callable[[Reader, Arguments], Term]:
    def write(reader: Reader, arguments: Arguments) -> Term:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_first_value.html
        given = [arguments.next("ignore", "respect").sql]
        if name == "nth_value":
            arguments.cursor.expect_symbol(",")
            given.append(f"({arguments.next('ignore', 'respect').sql})::integer")
        ignore = _nulls(reader, arguments)
        arguments.cursor.expect_end()
        window = over(reader, needs_frame=True, required=True)
        if not ignore:
            return Term(f"{name}({', '.join(given)}){window}", name, name)
        if name == "nth_value":
            kept = f"array_agg({given[0]}) filter (where {given[0]} is not null){window}"
            return Term(f"({kept})[{given[1]}]", name, "array_agg")
        return Term(f"redshift_{name}({given[0]}){window}", name, f"redshift_{name}")

    return write


def _neighbour(name: str) -> Callable[[Reader, Arguments], Term]:
    def write(reader: Reader, arguments: Arguments) -> Term:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LAG.html
        value = arguments.next("ignore", "respect").sql
        offset = arguments.next("ignore", "respect").sql if arguments.more() else "1"
        ignore = _nulls(reader, arguments)
        arguments.cursor.expect_end()
        window = over(reader, required=True)
        if not ignore:
            return Term(f"{name}({value}, ({offset})::integer){window}", name, name)
        before = name == "lag"
        frame = (
            "rows between unbounded preceding and 1 preceding"
            if before
            else "rows between 1 following and unbounded following"
        )
        window = f"{window[:-1]} {frame})"
        kept = f"array_agg({value}) filter (where {value} is not null){window}"
        sql = f"redshift_nth({kept}, ({offset})::integer, {str(before).lower()})"
        return Term(sql, name, "redshift_nth")

    return write


def _ratio_to_report(reader: Reader, arguments: Arguments) -> Term:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_RATIO_TO_REPORT.html
    (value,) = _exactly("ratio_to_report", arguments.all(), 1)
    window = over(reader, required=True)
    share = f"({value})::double precision"
    return Term(f"({share} / nullif(sum({share}){window}, 0))", "ratio_to_report")


def _exactly(name: str, given: list[str], count: int) -> list[str]:
    if len(given) != count:
        raise StatementError(f"ERROR: function {name} with {len(given)} arguments does not exist")
    return given


_SPECIAL: dict[str, Callable[[Reader, Arguments], Term]] = {
    "array": _array, "cast": _cast, "convert": _convert, "convert_timezone": _convert_timezone,
    "count": _count_rows, "date_part": _date_part, "date_trunc": _date_trunc, "dateadd": _dateadd,
    "datediff": _datediff, "decode": _decode, "exists": _exists, "extract": _extract,
    "first_value": _edge_value("first_value"), "grouping": _grouping, "grouping_id": _grouping,
    "json_extract_path_text": _json_path, "lag": _neighbour("lag"),
    "last_value": _edge_value("last_value"), "lead": _neighbour("lead"), "listagg": _listagg,
    "median": _median, "nth_value": _edge_value("nth_value"), "nvl2": _nvl2, "object": _object,
    "percentile_cont": _percentile("percentile_cont"),
    "percentile_disc": _percentile("percentile_disc"), "position": _position,
    "ratio_to_report": _ratio_to_report, "substring": _substring, "trim": _trim,
    "try_cast": _try_cast,
}  # fmt: skip
