"""From one text to one plan: the door of the SQL front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from localaws.redshift import definitions
from localaws.redshift.engine.history import with_history
from localaws.redshift.engine.session import Plan
from localaws.redshift.errors import StatementError
from localaws.redshift.loading import copy_command, unload_command
from localaws.redshift.sql import (
    databases,
    declared_cursors,
    dml,
    explaining,
    merge,
    settings,
    transactions,
)
from localaws.redshift.sql.database_prefixes import without_database
from localaws.redshift.sql.defined_names import with_long_names
from localaws.redshift.sql.lexer import Token, bind, split_statements, tokenize
from localaws.redshift.sql.statements import classify

_NONE_SET: Mapping[str, str] = MappingProxyType({})

# The whole truth; the README's table is written from it (--list-statements).
KINDS = (
    *dml.KINDS,
    *merge.KINDS,
    *declared_cursors.KINDS,
    *explaining.KINDS,
    *definitions.KINDS,
    *copy_command.KINDS,
    *unload_command.KINDS,
    *databases.KINDS,
    *transactions.KINDS,
    *settings.KINDS,
)


def plan(
    sql: str,
    parameters: Mapping[str, str],
    set_here: Mapping[str, str] = _NONE_SET,
    *,
    database: str = "",
) -> Plan:
    """Return the plan of one statement. Raises StatementError, or NotSupported by name.

    `set_here` are the session's parameters; those that change how a text is read are honoured here.
    `database` is where it will run.
    """
    keep_case = set_here.get(settings.CASE_SENSITIVE) == "on"
    statements = split_statements(tokenize(sql, keep_case=keep_case))
    if len(statements) > 1:
        # "This statement must be a single SQL statement":
        # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
        raise StatementError("ERROR: multiple SQL statements in one string are not allowed")
    tokens = bind(statements[0] if statements else [], parameters)
    tokens = without_database(tokens, database)
    _hide_ours(tokens)
    found = classify(tokens, KINDS).plan(tokens)
    return with_history(with_long_names(found, tokens), tokens)


def _hide_ours(tokens: Sequence[Token]) -> None:
    """Refuse what the stand-in keeps for itself beside the client's schemas."""
    if tokens and tokens[0].is_word("set", "reset", "show"):
        return  # parameters have such names too
    for token, following in pairwise(tokens):
        if token.text == "localaws" and token.kind in ("word", "name") and following.is_symbol("."):
            raise StatementError('ERROR: schema "localaws" does not exist')


def parameters_in(sql: str) -> frozenset[str]:
    """Return the names that stand as `:name` in this text; an unreadable text has none."""
    try:
        return frozenset(token.text for token in tokenize(sql) if token.kind == "parameter")
    except StatementError:
        return frozenset()
