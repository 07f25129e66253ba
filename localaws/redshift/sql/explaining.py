"""EXPLAIN: the engine's plan, in its own form.

https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html . Redshift's plans look otherwise (XN
…, DS_DIST_…), so only that a statement can be planned is to be learned here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.dml import delete, insert, select, update
from localaws.redshift.sql.lexer import Token
from localaws.redshift.sql.plans import RunSql
from localaws.redshift.sql.statements import Kind, classify

_PLANNERS: dict[str, Callable[[Sequence[Token]], Plan]] = {
    "select": select,
    "insert": insert,
    "update": update,
    "delete": delete,
}
# INSERT alone, not INSERT INTO: whatever is wrong behind it is INSERT's own to say.
_EXPLAINED = tuple(Kind(word.upper(), ((word,),), "", plan) for word, plan in _PLANNERS.items())


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN of one statement."""

    sql: str
    kind: str = "EXPLAIN"

    def run(self, session: Session) -> Outcome:
        """Return the plan, one line a row."""
        session.take_snapshot()
        return session.execute(self.sql)


def explain(tokens: Sequence[Token]) -> Plan:
    """Plan an EXPLAIN. Raises NotSupported for statements other than the four of DML."""
    cursor = Cursor(tokens)
    cursor.expect_words("explain")
    verbose = "VERBOSE " if cursor.skip_words("verbose") else ""
    statement = cursor.rest()
    if not statement:
        raise cursor.error()
    if not (statement[0].is_word("with", *_PLANNERS) or statement[0].is_symbol("(")):
        if statement[0].is_word("create"):
            raise NotSupported("EXPLAIN of CREATE TABLE AS")
        raise Cursor(statement).error()
    plan = classify(statement, _EXPLAINED).plan(statement)
    if not isinstance(plan, RunSql):
        raise NotSupported(f"EXPLAIN of this {plan.kind}")
    return Explain(f"EXPLAIN {verbose}{plan.sql}")


KINDS = (
    Kind(
        "EXPLAIN",
        (("explain",),),
        "of SELECT, INSERT, UPDATE and DELETE; shows the engine's plan in its own form",
        explain,
    ),
)
