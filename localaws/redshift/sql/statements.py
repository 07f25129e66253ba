"""What a supported statement is, and how one is told from its first words.

Every module that plans statements lists them as its `KINDS`; `front.KINDS` is all of them. A
statement that matches none is refused by name, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localaws.redshift.engine.session import Plan
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.sql.lexer import Token


@dataclass(frozen=True, slots=True)
class Kind:
    """One supported statement: the words it starts with, and what to know about it."""

    name: str
    starts: tuple[tuple[str, ...], ...]
    note: str
    plan: Callable[[Sequence[Token]], Plan]


# The commands of Redshift's reference whose first word does not name them, in full:
# https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html
_NAMED_IN_FULL = frozenset({
    "alter database", "alter datashare", "alter default privileges", "alter external schema",
    "alter external view", "alter function", "alter group", "alter identity provider",
    "alter masking policy", "alter materialized view", "alter procedure", "alter rls policy",
    "alter role", "alter schema", "alter system", "alter table", "alter template", "alter user",
    "analyze compression", "attach masking policy", "attach rls policy", "create database",
    "create datashare", "create external function", "create external model",
    "create external schema", "create external table", "create external view", "create function",
    "create group", "create identity provider", "create library", "create masking policy",
    "create materialized view", "create model", "create or replace external view",
    "create or replace function", "create or replace library", "create or replace procedure",
    "create or replace template", "create procedure", "create rls policy", "create role",
    "create schema", "create table", "create template", "create user", "create view",
    "desc datashare", "desc identity provider", "detach masking policy", "detach rls policy",
    "drop database", "drop datashare", "drop external view", "drop function", "drop group",
    "drop identity provider", "drop library", "drop masking policy", "drop materialized view",
    "drop model", "drop procedure", "drop rls policy", "drop role", "drop schema", "drop table",
    "drop template", "drop user", "drop view", "refresh materialized view",
    "set session authorization", "set session characteristics", "show column grants",
    "show columns", "show constraints", "show databases", "show datashares", "show external table",
    "show function", "show grants", "show model", "show parameters", "show policies",
    "show procedure", "show schemas", "show table", "show tables", "show template",
    "show templates", "show view", "start transaction",
})  # fmt: skip
# The first words of all of them, and of the savepoints that PostgreSQL 8 already had.
_COMMANDS = frozenset(name.split()[0] for name in _NAMED_IN_FULL) | {
    "abort", "analyse", "begin", "call", "cancel", "close", "comment", "commit", "copy",
    "deallocate", "declare", "delete", "end", "execute", "explain", "fetch", "grant", "insert",
    "lock", "merge", "prepare", "release", "reset", "revoke", "rollback", "savepoint", "select",
    "truncate", "unload", "update", "use", "vacuum", "with",
}  # fmt: skip


def classify(tokens: Sequence[Token], kinds: Sequence[Kind]) -> Kind:
    """Return the statement's kind. Raises NotSupported, naming the statement."""
    if not tokens:
        raise StatementError("ERROR: syntax error at end of input")
    start = _after_with(tokens) if tokens[0].is_word("with") else 0
    words = [token.text if token.kind == "word" else "" for token in tokens[start : start + 5]]
    if words and words[0] == "" and tokens[start].is_symbol("("):
        words[0] = "select"
    for kind in kinds:
        if any(tuple(words[: len(first)]) == first for first in kind.starts):
            if start and kind.name == "INSERT":
                # WITH comes after INSERT INTO t: https://docs.aws.amazon.com/redshift/latest/dg/r_INSERT_30.html
                raise StatementError('ERROR: syntax error at or near "insert"')
            if start and kind.name == "MERGE":
                # No WITH in MERGE: https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
                raise StatementError('ERROR: syntax error at or near "merge"')
            return kind
    raise NotSupported(f"the statement {_called(words, tokens)}")


def _called(words: Sequence[str], tokens: Sequence[Token]) -> str:
    """Return a statement's full name. Raises StatementError for what is no Redshift command."""
    if words[0] not in _COMMANDS:
        raise StatementError(f'ERROR: syntax error at or near "{tokens[0].raw}"')
    for length in range(len(words), 1, -1):
        if " ".join(words[:length]) in _NAMED_IN_FULL:
            return " ".join(words[:length]).upper()
    if words[0] in ("create", "drop", "alter", "show") and len(words) > 1 and words[1]:
        return " ".join(words[:2]).upper()
    return words[0].upper()


def _after_with(tokens: Sequence[Token]) -> int:
    """Return the index of the statement's verb behind its common table expressions."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.is_word("select", "insert", "update", "delete", "merge"):
            return index
    raise StatementError("ERROR: syntax error at end of input")
