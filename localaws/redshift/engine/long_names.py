"""Names up to 127 bytes, although the engine behind cuts them after 63.

https://docs.aws.amazon.com/redshift/latest/dg/r_names.html

A longer name goes to the engine as its beginning and a digest of all of it. The way back is
remembered here for the life of the process, and in each database (catalog/attributes.sql) for what
a statement defined; a short form means the same name everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localaws.redshift.engine.results import Outcome
    from localaws.redshift.engine.session import Session
    from localaws.redshift.sql.lexer import Token
    from localaws.redshift.sql.plans import Plan

MAX_BYTES = 127
_ENGINE_BYTES = 63
_DIGEST_DIGITS = 12
_MARK = re.compile(r"~([0-9a-f]{12})")

# digest -> (short form, name)
_known: dict[str, tuple[str, str]] = {}


def shortened(name: str) -> str:
    """Return what a name is called in the engine."""
    encoded = name.encode()
    if len(encoded) <= _ENGINE_BYTES:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:_DIGEST_DIGITS]
    head = encoded[: _ENGINE_BYTES - _DIGEST_DIGITS - 1].decode(errors="ignore")
    short = f"{head}~{digest}"
    _known[digest] = (short, name)
    return short


def in_full(text: str) -> str:
    """Return a text of the engine's with the names as clients know them."""
    if "~" not in text:
        return text
    for digest in _MARK.findall(text):
        if digest in _known:
            text = text.replace(*_known[digest])
    return text


def remember(pairs: Iterable[tuple[str, str]]) -> None:
    """Take in the (short form, name) pairs of a database."""
    for short, name in pairs:
        _known[short[-_DIGEST_DIGITS:]] = (short, name)


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
