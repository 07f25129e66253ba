"""What a supported statement is, and how one is told from its first words.

Every module that plans statements lists them as its `KINDS`; `front.KINDS` is all of them. A
statement that matches none is refused by name, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.lexer import Token
from localaws.redshift.plans import Plan


@dataclass(frozen=True, slots=True)
class Kind:
    """One supported statement: the words it starts with, and what to know about it."""

    name: str
    starts: tuple[tuple[str, ...], ...]
    note: str
    plan: Callable[[Sequence[Token]], Plan]


# What a refusal calls a statement that starts with these words.
_NAMED_IN_FULL = (
    "create materialized view", "create external table", "create external schema",
    "create or replace", "create library", "create procedure", "create function", "create view",
    "create user", "create group", "create role", "create database", "drop schema", "drop view",
    "alter schema", "alter user", "alter database", "start transaction", "refresh materialized",
)  # fmt: skip


def classify(tokens: Sequence[Token], kinds: Sequence[Kind]) -> Kind:
    """Return the statement's kind. Raises NotSupported, naming the statement."""
    if not tokens:
        raise StatementError("ERROR: syntax error at end of input")
    start = _after_with(tokens) if tokens[0].is_word("with") else 0
    words = [token.text if token.kind == "word" else "" for token in tokens[start : start + 4]]
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
    text = " ".join(words)
    for known in _NAMED_IN_FULL:
        if text.startswith(known):
            return known.upper()
    if words[0] in ("create", "drop", "alter") and words[1]:
        return " ".join(words[:2]).upper()
    return (words[0] or tokens[0].raw).upper()


def _after_with(tokens: Sequence[Token]) -> int:
    """Return the index of the statement's verb behind its common table expressions."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.is_word("select", "insert", "update", "delete", "merge"):
            return index
    raise StatementError("ERROR: syntax error at end of input")
