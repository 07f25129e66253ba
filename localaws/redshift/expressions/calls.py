"""Write the calls of functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions import (
    aggregate_calls,
    date_calls,
    special_calls,
    super_calls,
    windows,
)
from localaws.redshift.expressions.arguments import Arguments
from localaws.redshift.expressions.functions import FUNCTIONS, Function
from localaws.redshift.expressions.terms import Term
from localaws.redshift.sql.lexer import Token

if TYPE_CHECKING:
    from localaws.redshift.expressions.rewriting import Reader

_SPECIAL = {
    **aggregate_calls.CALLS,
    **date_calls.CALLS,
    **special_calls.CALLS,
    **super_calls.CALLS,
    **windows.CALLS,
}
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
        return special(Arguments(reader))
    arguments = Arguments(reader)
    given = arguments.all(doubles=function.doubles)
    _count(name.text, function, len(given))
    engine = function.engine or name.text
    sql = f"{engine}({arguments.quantifier}{', '.join(given)})"
    if function.shape != "plain":
        sql += windows.over(reader, needs_frame=function.shape == "aggregate")
    return Term(sql, function.label or name.text, engine)


def _count(name: str, function: Function, given: int) -> None:
    if given < function.least or (function.most is not None and given > function.most):
        # Wording unsourced; PostgreSQL's begins so.
        raise StatementError(f"ERROR: function {name} with {given} arguments does not exist")
