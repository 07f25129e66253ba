"""BEGIN, COMMIT and ROLLBACK in all their spellings.

A batch runs as with autocommit off: BEGIN inside it changes nothing, and COMMIT or ROLLBACK ends
what went before while the rest of the batch is a new transaction
(https://dev.classmethod.jp/articles/redshift-data-api-transaction).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token
from localaws.redshift.sql.statements import Kind

_LEVELS = (
    ("serializable",), ("read", "uncommitted"), ("read", "committed"), ("repeatable", "read"),
    ("snapshot",),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Begin:
    """BEGIN or START TRANSACTION. In a block it warns only, as PostgreSQL does."""

    read_only: bool
    kind: str = "BEGIN"

    def run(self, session: Session) -> Outcome:
        """Open a block; it takes no snapshot yet."""
        session.begin_block(read_only=self.read_only)
        return Outcome()


@dataclass(frozen=True, slots=True)
class End:
    """COMMIT (END) or ROLLBACK (ABORT). Outside a block it warns only, as PostgreSQL does."""

    commit: bool

    @property
    def kind(self) -> str:
        """COMMIT or ROLLBACK."""
        return "COMMIT" if self.commit else "ROLLBACK"

    def run(self, session: Session) -> Outcome:
        """End the block; a failed one is rolled back even by COMMIT, without an error."""
        session.end_block(commit=self.commit)
        return Outcome()


def begin(tokens: Sequence[Token]) -> Plan:
    """Plan BEGIN: https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html"""
    cursor = Cursor(tokens)
    if cursor.skip_words("start"):
        cursor.expect_words("transaction")
    else:
        cursor.expect_words("begin")
        _ = cursor.skip_words("work") or cursor.skip_words("transaction")
    if cursor.skip_words("isolation"):
        cursor.expect_words("level")
        # The level has no operational impact: the database's own counts.
        if not any(cursor.skip_words(*level) for level in _LEVELS):
            raise cursor.error()
    read_only = cursor.skip_words("read", "only")
    if not read_only:
        cursor.skip_words("read", "write")
    cursor.expect_end()
    return Begin(read_only)


def end(tokens: Sequence[Token]) -> Plan:
    """Plan COMMIT, END, ROLLBACK or ABORT."""
    cursor = Cursor(tokens)
    commit = cursor.take().is_word("commit", "end")
    _ = cursor.skip_words("work") or cursor.skip_words("transaction")
    cursor.expect_end()
    return End(commit)


KINDS = (
    Kind(
        "BEGIN",
        (("begin",), ("start", "transaction")),
        "ISOLATION LEVEL is read and has no effect, as in Redshift; READ ONLY, READ WRITE",
        begin,
    ),
    Kind("COMMIT", (("commit",), ("end",)), "WORK, TRANSACTION", end),
    Kind("ROLLBACK", (("rollback",), ("abort",)), "WORK, TRANSACTION; no savepoints", end),
)
