"""Statements that may give a long name to something that stays (see long_names)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.long_names import in_full

if TYPE_CHECKING:
    from localaws.redshift.engine.results import Outcome
    from localaws.redshift.sql.lexer import Token


def with_long_names(plan: Plan, tokens: Iterable[Token]) -> Plan:
    """Return a plan that also keeps the way back from the names it may define."""
    short = {token.text for token in tokens if token.kind == "name"}
    short = {text for text in short if in_full(text) != text}
    if not short or not plan.kind.startswith(("CREATE", "ALTER")):
        return plan
    return _DefinesLongNames(plan, tuple(sorted(short)))


@dataclass(frozen=True, slots=True)
class _DefinesLongNames:
    """A plan that may give these short forms to something that stays."""

    plan: Plan
    short: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The statement's name."""
        return self.plan.kind

    def run(self, session: Session) -> Outcome:
        """Run it, with the way back kept in the same transaction.

        Rows are only added, never looked for: nobody waits for anybody else's.
        """
        outcome = self.plan.run(session)
        for short in self.short:
            session.connection.execute(
                "INSERT INTO localaws.long_names VALUES (%s, %s)", (short, in_full(short))
            )
        return outcome
