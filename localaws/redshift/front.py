"""From one text to one plan: the door of the SQL front."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from localaws.redshift import ddl, dml
from localaws.redshift.copy_command import parse_copy
from localaws.redshift.errors import StatementError
from localaws.redshift.lexer import Token, bind, split_statements, tokenize
from localaws.redshift.plans import Plan
from localaws.redshift.statements import classify

_PLANNERS: dict[str, Callable[[Sequence[Token]], Plan]] = {
    "SELECT": dml.select,
    "INSERT": dml.insert,
    "UPDATE": dml.update,
    "DELETE": dml.delete,
    "CREATE TABLE": ddl.create_table,
    "CREATE SCHEMA": ddl.create_schema,
    "DROP TABLE": ddl.drop_table,
    "ALTER TABLE": ddl.alter_table,
    "LOCK": dml.lock,
    "COPY": parse_copy,
    "ANALYZE": dml.analyze,
    "COMMENT": ddl.comment,
    "SET": dml.set_parameter,
}


def plan(sql: str, parameters: Mapping[str, str]) -> Plan:
    """Return the plan of one statement. Raises StatementError, or NotSupported by name."""
    statements = split_statements(tokenize(sql))
    if len(statements) > 1:
        # "This statement must be a single SQL statement":
        # https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
        raise StatementError("ERROR: multiple SQL statements in one string are not allowed")
    tokens = bind(statements[0] if statements else [], parameters)
    return _PLANNERS[classify(tokens)](tokens)


def parameters_in(sql: str) -> frozenset[str]:
    """Return the names that stand as `:name` in this text; an unreadable text has none."""
    try:
        return frozenset(token.text for token in tokenize(sql) if token.kind == "parameter")
    except StatementError:
        return frozenset()
