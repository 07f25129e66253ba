"""CREATE, ALTER and DROP DATABASE: a database of a cluster, its isolation and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localaws.redshift.engine.clusters import Isolation
from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token
from localaws.redshift.sql.statements import Kind

# https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_DATABASE.html ; wording unsourced
_NEVER_DROPPED = ("dev", "padb_harvest", "template0", "template1")


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """CREATE DATABASE: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html"""

    name: str
    isolation: Isolation | None
    kind: str = "CREATE DATABASE"

    def run(self, session: Session) -> Outcome:
        """Make it at once; there is no transaction that could undo it."""
        _refuse_in_block(self.kind, session)
        session.cluster.create_database(self.name, self.isolation)
        return Outcome()


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """DROP DATABASE: https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_DATABASE.html"""

    name: str
    force: bool
    kind: str = "DROP DATABASE"

    def run(self, session: Session) -> Outcome:
        """Drop it at once; unless by force, nobody may use it."""
        _refuse_in_block(self.kind, session)
        if self.name == session.database:
            raise StatementError("ERROR: cannot drop the currently open database")
        if self.name in _NEVER_DROPPED:
            raise StatementError(f"ERROR: cannot drop the database {self.name}")
        session.cluster.drop_database(self.name, force=self.force)
        return Outcome()


@dataclass(frozen=True, slots=True)
class SetIsolation:
    """ALTER DATABASE … ISOLATION LEVEL: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DATABASE.html"""

    name: str
    isolation: Isolation
    kind: str = "ALTER DATABASE"

    def run(self, session: Session) -> Outcome:
        """Change it for the sessions to come; refused for dev, and while others are connected."""
        _refuse_in_block(self.kind, session)
        if self.name == "dev":
            # The rule is the page's; wording unsourced.
            raise StatementError("ERROR: cannot alter the isolation level of database dev")
        here = 1 if self.name == session.database else 0
        session.cluster.set_isolation(self.name, self.isolation, users=here)
        return Outcome()


def create_database(tokens: Sequence[Token]) -> Plan:
    """Plan CREATE DATABASE name [WITH] [ISOLATION LEVEL …]; a sensible COLLATE is the default."""
    cursor = Cursor(tokens)
    cursor.expect_words("create", "database")
    name = cursor.name()
    cursor.skip_words("with")
    isolation: Isolation | None = None
    while not cursor.done:
        if cursor.skip_words("collate", "case_sensitive") or cursor.skip_words(
            "connection", "limit", "unlimited"
        ):
            continue
        if cursor.peek().is_word("isolation"):
            isolation = _isolation(cursor)
        elif cursor.peek().is_word("owner", "connection", "collate", "from"):
            raise NotSupported(f"CREATE DATABASE … {cursor.peek().raw.upper()}")
        else:
            raise cursor.error()
    return CreateDatabase(name, isolation)


def drop_database(tokens: Sequence[Token]) -> Plan:
    """Plan DROP DATABASE name [FORCE]."""
    cursor = Cursor(tokens)
    cursor.expect_words("drop", "database")
    name = cursor.name()
    force = cursor.skip_words("force")
    cursor.expect_end()
    return DropDatabase(name, force)


def alter_database(tokens: Sequence[Token]) -> Plan:
    """Plan ALTER DATABASE name ISOLATION LEVEL …"""
    cursor = Cursor(tokens)
    cursor.expect_words("alter", "database")
    name = cursor.name()
    if not cursor.peek().is_word("isolation"):
        raise NotSupported(f"ALTER DATABASE … {cursor.peek().raw.upper()}")
    isolation = _isolation(cursor)
    cursor.expect_end()
    return SetIsolation(name, isolation)


def _isolation(cursor: Cursor) -> Isolation:
    cursor.expect_words("isolation", "level")
    if cursor.skip_words("serializable"):
        return "SERIALIZABLE"
    cursor.expect_words("snapshot")
    return "SNAPSHOT"


def _refuse_in_block(kind: str, session: Session) -> None:
    if session.in_block:
        # The rule: the three pages above; the sentence is PostgreSQL's.
        raise StatementError(f"ERROR: {kind} cannot run inside a transaction block")


KINDS = (
    Kind(
        "CREATE DATABASE",
        (("create", "database"),),
        "ISOLATION LEVEL; not in a transaction block",
        create_database,
    ),
    Kind("ALTER DATABASE", (("alter", "database"),), "ISOLATION LEVEL only", alter_database),
    Kind(
        "DROP DATABASE", (("drop", "database"),), "FORCE; not in a transaction block", drop_database
    ),
)
